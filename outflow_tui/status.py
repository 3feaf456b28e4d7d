"""What the data on the screen is worth, in words; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui.format import Glyphs
from outflow_tui.snapshot import SILENT_AFTER_SECONDS, RunLine, Snapshot

if TYPE_CHECKING:
    from outflow_core.rows import LostProcess


def standing(seen: Sequence[Snapshot], *, is_paused: bool, now: datetime) -> str:
    """One word or two: reading, counting, live, idle, paused, or how many sources cannot be read."""
    failing = sum(snapshot.error is not None for snapshot in seen)
    if is_paused:
        return "paused"
    if failing:
        return "cannot read" if failing == len(seen) else f"{failing} of {len(seen)} unreadable"
    if not all(snapshot.is_read for snapshot in seen):
        return "reading"
    if not all(snapshot.is_complete for snapshot in seen):
        return "counting"
    running = (line for snapshot in seen for line in snapshot.runs if line.row.state is State.RUNNING)
    return "live" if any(is_alive(line, now) for line in running) else "idle"


def is_alive(line: RunLine, now: datetime) -> bool:
    """Whether a run says it is running, and its processes or its tasks have shown a sign of life lately."""
    if line.row.state is not State.RUNNING or line.lost is not None:
        return False
    return line.life is not None or (line.last_sign is not None and not silence(line, now))


def silence(line: RunLine, now: datetime) -> str:
    """For how long a run that says it is running has shown no sign of life; '' when it has, or is over.

    One whose processes are known is never silent: it is alive, or gone.
    """
    return "" if line.life is not None else _pause(line, now)


def _pause(line: RunLine, now: datetime) -> str:
    """For how long no task of a running run began or ended; '' when it was a moment ago."""
    seconds = words.seconds_between(line.last_sign, now)
    if line.row.state is not State.RUNNING or line.last_sign is None or seconds is None:
        return ""
    return words.age(line.last_sign, now) if seconds >= SILENT_AFTER_SECONDS else ""


def doubt(line: RunLine, now: datetime) -> str:
    """What is to be said against a run that says it is running, with a sign; '' when nothing is.

    `?` is what its silence tells, `!` what is known: its process was looked for and is not there.
    """
    if line.lost is not None:
        return f"{'!' if line.lost.is_gone else '?'} gone {words.age(line.lost.since, now)}"
    silent = silence(line, now)
    return f"? silent {silent}" if silent else ""


def state_words(line: RunLine, now: datetime, glyphs: Glyphs) -> str:
    """The state of a run with its sign: what it claims, unless there is doubt."""
    state = line.row.state
    return doubt(line, now) or f"{glyphs.states[state]} {state.value}"


def unfinished(line: RunLine) -> str:
    """Which tasks of a run that ended as a success did not: those that failed, never ran, or still say running.

    Of any run, how many are in states that only a newer program knows.
    """
    tasks, parts = line.tasks, list[tuple[int, str]]()
    if line.row.state is State.SUCCESS:
        parts = [(tasks.failed, "failed"), (tasks.pending, "never ran"), (tasks.running, "still said to run")]
    parts.append((tasks.unknown, "in a state that this program does not know"))
    told = [(number, what) for number, what in parts if number]
    first = [f"{number} task{'s' if number > 1 else ''} {what}" for number, what in told[:1]]
    return ", ".join([*first, *(f"{number} {what}" for number, what in told[1:])])


def reason(line: RunLine, now: datetime) -> str:
    """What is known of the processes of a run that claims to go on, where that is worth a word."""
    life = line.life
    if line.row.state is not State.RUNNING or life is None:
        return ""
    if life.latest is None:
        pause = _pause(line, now)
        return f"alive, no task began or ended for {pause}" if pause else ""
    last = lost_words(life.latest, now)
    if life.alive:
        return f"alive, but {life.lost} of {life.alive + life.lost} processes {_are(life.lost)} not: {last}"
    return f"{last}; its other {life.lost - 1} are not alive either" if life.lost > 1 else last


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def lost_words(lost: LostProcess, now: datetime) -> str:
    """Which process is lost, and how that is known."""
    place = " on ".join(filter(None, [f"pid {lost.pid}", lost.hostname]))
    job = f", Slurm job {lost.job}" if lost.job else ""
    since = words.moment(lost.since, now)
    if lost.is_gone:
        host = f" (on {lost.hostname}{job})" if lost.hostname else ""
        return f"process {lost.pid} is gone, last heard of at {since}{host}"
    return f"no heartbeat since {since} ({place}{job})"


def took(line: RunLine, now: datetime) -> float | None:
    """The seconds that a run took; one that goes on until now, others until their last sign of life."""
    row = line.row
    if row.state is not State.RUNNING:
        return words.seconds_between(row.start_time, row.end_time)
    if line.lost is not None:  # a task may have ended since the last beat
        lived = (words.seconds_between(row.start_time, sign) for sign in (line.lost.since, line.last_sign))
        return max((seconds for seconds in lived if seconds is not None), default=None)
    return words.seconds_between(row.start_time, line.last_sign if silence(line, now) else now)


def took_words(line: RunLine, now: datetime) -> str:
    """How long a run took; of one that goes on in whole seconds, for tenths would be written at each look."""
    told = words.duration(took(line, now))
    return words.whole(told) if line.row.state is State.RUNNING else told


def troubles(seen: Sequence[Snapshot], now: datetime) -> str:
    """A sentence or more on each source that cannot be read, with the age of what is shown instead."""
    return "\n".join(filter(None, (trouble(snapshot, now) for snapshot in seen)))


def trouble(snapshot: Snapshot, now: datetime) -> str:
    """What is wrong with one source, since when, and what happens next."""
    if snapshot.error is None or snapshot.failing_since is None:
        return snapshot.caution
    shown = f" Shown is what was read at {words.moment(snapshot.read_at, now)}." if snapshot.read_at else ""
    error = snapshot.error if snapshot.error.endswith((".", "!", "?")) else f"{snapshot.error}."
    since, wait = words.moment(snapshot.failing_since, now), snapshot.retry_seconds
    return f"{error} Since {since}; trying again every {wait:.{int(wait < 1)}f} s.{shown}"


def tally(lines: Sequence[RunLine], now: datetime, others: Mapping[str, int] = MappingProxyType({})) -> str:
    """How many runs, these and others, are in each state that occurs; one that is gone or silent is not running."""
    numbers = Counter(kind(line, now) for line in lines) + Counter(others)
    return "   ".join(f"{numbers[name]} {name}" for name in KINDS if numbers[name])


KINDS = ("running", "gone", "silent", "failed", "success", "pending", "skipped")
"""What a run can be called, in the order in which people ask for it."""


def kind(line: RunLine, now: datetime) -> str:
    """What a run is called: its state, unless it is gone or silent."""
    return "gone" if line.lost is not None else "silent" if silence(line, now) else line.row.state.value
