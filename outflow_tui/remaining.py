"""How long a run that goes on will probably take, after earlier successes of its command; pure.

Where the history does not support a number there is none: no comparable success, no life, no tasks
left, or more than twice the time that was expected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice

from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import status
from outflow_tui.snapshot import RunLine

LAST = 5
"""How many earlier successes are asked."""
ALIKE = 2
"""How many times as many tasks a comparable run may have: before a map is there, the total is not known."""
OVERDUE = 2
"""After how many times the expected time nothing is foretold any more."""
PACE = 8
"""How many tasks must be over before a run's own pace tells anything."""


def remaining(runs: Sequence[RunLine], now: datetime) -> dict[int, float]:
    """The seconds that are probably left, by run, for those of these runs (newest first) of which it can be said."""
    going_on = [line for line in runs if status.is_alive(line, now) and line.tasks.done < line.tasks.total]
    earlier = _successes(runs, {line.row.command for line in going_on}) if going_on else {}
    found = {line.row.id: left_of(line, earlier.get(line.row.command, ()), now) for line in going_on}
    return {run_id: seconds for run_id, seconds in found.items() if seconds is not None}


def _successes(runs: Iterable[RunLine], commands: set[str | None]) -> Mapping[str | None, list[RunLine]]:
    found: dict[str | None, list[RunLine]] = defaultdict(list)
    for line in runs:
        if line.row.state is State.SUCCESS and line.row.command in commands:
            found[line.row.command].append(line)
    return found


def left_of(line: RunLine, successes: Iterable[RunLine], now: datetime) -> float | None:
    """The seconds that are probably left of one run, after these successes of its command, newest first.

    At first the earlier runs tell it, and the more tasks are over the more its own pace does.
    """
    start, tasks = line.row.start_time, line.tasks
    if line.row.state is not State.RUNNING or start is None or start > now or tasks.done >= tasks.total:
        return None
    expected = _expected(line, successes)
    passed = (now - start).total_seconds()
    if expected is None or passed > OVERDUE * expected:
        return None
    if tasks.done < PACE:
        return expected - passed if passed < expected else None
    share = tasks.done / tasks.total
    at_own_pace = passed * (1 - share) / share
    return share * at_own_pace + (1 - share) * (expected - passed) if passed < expected else at_own_pace


def _expected(line: RunLine, successes: Iterable[RunLine]) -> float | None:
    """How long the run should take: the median of what earlier ones took, each for as many tasks."""
    total = line.tasks.total
    scaled = (_scaled(earlier, total) for earlier in successes if earlier.row.id < line.row.id)
    last = list(islice((seconds for seconds in scaled if seconds), LAST))
    if not last:
        return None
    from statistics import median  # the first rows need it only where one goes on

    return median(last)


def _scaled(earlier: RunLine, total: int) -> float | None:
    """What an earlier run would have taken for this many tasks; None when it is not comparable."""
    tasks = earlier.tasks
    seconds = words.seconds_between(earlier.row.start_time, earlier.row.end_time)
    is_alike = 0 < tasks.total <= ALIKE * total and total <= ALIKE * tasks.total and tasks.done == tasks.total
    return seconds * total / tasks.total if is_alike and seconds is not None else None


def left_words(seconds: float | None) -> str:
    """What is left, as roughly as it is known, in at most six characters.

    >>> [left_words(seconds) for seconds in (None, 0, 34, 97, 740, 9_300, 200_000)]
    ['', '~10s', '~30s', '~2m', '~12m', '~2h35m', '~2d']
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"~{min(max(round(seconds / 10), 1) * 10, 50)}s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"~{minutes}m"
    hours, minutes = divmod(5 * round(minutes / 5), 60)
    if hours < 24:
        return f"~{hours}h{minutes:02d}m" if minutes else f"~{hours}h"
    return f"~{round(hours / 24)}d"
