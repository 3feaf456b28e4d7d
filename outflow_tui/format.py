"""Durations, ages, times and glyphs for people; pure."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from outflow_core.states import State

if TYPE_CHECKING:
    from outflow_core.rows import TaskCounts


class Glyphs(NamedTuple):
    """The signs on the screen; each stands beside a word, none tells anything alone."""

    states: Mapping[State, str]
    opened: str
    closed: str
    done: str
    failed: str
    skipped: str
    left: str
    ellipsis: str
    bar: str
    marked: str
    arrow: str
    change: str
    slow: str
    span: str
    broken: str
    """The bar of a task in time, and of one that failed."""
    before: str
    after: str
    levels: str
    """From little to much."""
    sorting: str
    """Sorted with the greatest first, and with the least first."""


UNICODE = Glyphs(
    states={State.PENDING: "·", State.RUNNING: "▶", State.FAILED: "✗", State.SUCCESS: "✓", State.SKIPPED: "-"},
    opened="▾", closed="▸", done="█", failed="▒", skipped="░", left="·",
    ellipsis="…", bar="│", marked="●", arrow="→", change="*", slow="!",
    span="━", broken="┅", before="◂", after="▸", levels="▁▂▃▄▅▆▇█", sorting="▾▴",
)  # fmt: skip
ASCII = Glyphs(
    states={State.PENDING: ".", State.RUNNING: ">", State.FAILED: "x", State.SUCCESS: "o", State.SKIPPED: "-"},
    opened="v", closed=">", done="#", failed="x", skipped="~", left="-",
    ellipsis="~", bar="|", marked="@", arrow="->", change="*", slow="!",
    span="=", broken="x", before="<", after=">", levels=".:-=+*%#", sorting="v^",
)  # fmt: skip


def glyphs_for(environment: Mapping[str, str] = os.environ) -> Glyphs:
    """The glyphs that the terminal's locale can show.

    Python itself sets LC_CTYPE to a UTF-8 locale when it starts in the C locale, so that this
    variable alone proves nothing.
    """
    coerced = environment.get("LC_CTYPE", "") in ("C.UTF-8", "C.utf8", "UTF-8")
    names = [environment.get("LC_ALL"), None if coerced else environment.get("LC_CTYPE"), environment.get("LANG")]
    locale = next((name for name in names if name), "C")
    return UNICODE if "utf" in locale.lower() else ASCII


def duration(seconds: float | None) -> str:
    """A length of time in at most six characters; never negative.

    >>> [duration(s) for s in (None, -3, 0.0004, 0.04, 12.34, 134, 8040, 200_000)]
    ['', '0.0s', '<1ms', '40ms', '12.3s', '2m14s', '2h14m', '2d07h']
    """
    if seconds is None:
        return ""
    seconds = max(seconds, 0.0)
    if 0 < seconds < 0.0995:
        return f"{seconds * 1000:.0f}ms" if seconds >= 0.001 else "<1ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


def whole(duration: str) -> str:
    """A duration without tenths of seconds, for one that still grows.

    >>> whole("12.3s"), whole("2m14s"), whole("40ms")
    ('12s', '2m14s', '0s')
    """
    if duration.endswith("ms"):
        return "0s"
    return f"{duration.partition('.')[0]}s" if "." in duration else duration


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """The seconds from start to end, none when one is missing; clocks that disagree give 0."""
    if start is None or end is None:
        return None
    return max((end - start).total_seconds(), 0.0)


def moment(when: datetime | None, now: datetime, *, short: bool = False) -> str:
    """A time in at most eleven characters (`short`: eight): of today the clock, else the day too.

    >>> now = datetime(2026, 11, 23, 12, 0)
    >>> moment(datetime(2026, 11, 23, 9, 5, 7), now), moment(datetime(2026, 11, 2, 9, 5), now)
    ('09:05:07', '11-02 09:05')
    >>> moment(datetime(2024, 1, 2), now), moment(datetime(44, 3, 15), now), moment(None, now)
    ('2024-01-02', '0044-03-15', '')
    """
    if when is None:
        return ""
    if when.date() == now.date():
        return f"{when:%H:%M:%S}"
    if when.year == now.year:
        return f"{when:%m-%d}" if short else f"{when:%m-%d %H:%M}"
    return when.date().isoformat()[: 7 if short else 10]


def dated(when: datetime | None) -> str:
    """A time with its day, for what is read on another day.

    >>> dated(datetime(2026, 11, 2, 9, 5)), dated(None)
    ('2026-11-02 09:05:00', '')
    """
    return when.isoformat(" ", "seconds") if when is not None else ""


def age(since: datetime, now: datetime) -> str:
    """How long ago, in one unit.

    >>> now = datetime(2026, 11, 23, 12, 0)
    >>> [age(now - timedelta(seconds=s), now) for s in (-5, 40, 150, 9000, 200_000)]
    ['0 s', '40 s', '2 min', '2 h', '2 d']
    """
    seconds = max((now - since) / timedelta(seconds=1), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def bar(counts: TaskCounts, width: int, glyphs: Glyphs) -> str:
    """A bar of a run's progress; what failed or was skipped is seen in it, however little it is.

    >>> from outflow_core.rows import TaskCounts
    >>> bar(TaskCounts(success=50, failed=1, pending=49), 8, ASCII)
    'x###----'
    """
    if not counts.total:
        return " " * width
    failed = max(round(width * counts.failed / counts.total), 1 if counts.failed else 0)
    skipped = max(round(width * counts.skipped / counts.total), 1 if counts.skipped else 0)
    left = counts.total - counts.done
    filled = min(max(round(width * counts.done / counts.total), failed + skipped), width - 1 if left else width)
    cells = glyphs.failed * failed + glyphs.skipped * skipped
    return cells[:filled].ljust(filled, glyphs.done).ljust(width, glyphs.left)


def progress(counts: TaskCounts, glyphs: Glyphs) -> str:
    """How many tasks are over, and how many of them failed.

    >>> from outflow_core.rows import TaskCounts
    >>> progress(TaskCounts(success=498, failed=2), ASCII), progress(TaskCounts(pending=3), ASCII)
    ('500/500 2x', '0/3')
    >>> progress(TaskCounts(), ASCII)
    ''
    """
    if not counts.total:
        return ""
    failed = f" {counts.failed}{glyphs.states[State.FAILED]}" if counts.failed else ""
    return f"{counts.done}/{counts.total}{failed}"


def here() -> str:
    """The current directory; '' when it was deleted."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return ""


def from_here(words: str, here: str) -> str:
    """Words in which a path below a directory is written as people there would write it.

    >>> from_here("/data/night/books.db: gone; see /mnt/data/night/", "/data/night")
    'books.db: gone; see /mnt/data/night/'
    """
    return words if not here else re.sub(rf"(?<!\S){re.escape(here)}/(?=\S)", "", words)


def as_text(value: Any) -> str:
    """A value as people read it: text with its quotes, so that 1.5 is not "1.5"."""
    import json  # the first frame has no use for it

    return json.dumps(value, ensure_ascii=False, default=str)
