"""What the data on the screen is worth, in words; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui.format import Glyphs
from outflow_tui.snapshot import SILENT_AFTER_SECONDS, RunLine, Snapshot


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
    return "live" if any(is_alive(line, now) for snapshot in seen for line in snapshot.runs) else "idle"


def is_alive(line: RunLine, now: datetime) -> bool:
    """Whether a run says it is running and has shown a sign of life lately."""
    return line.row.state is State.RUNNING and line.last_sign is not None and not silence(line, now)


def silence(line: RunLine, now: datetime) -> str:
    """For how long a run that says it is running has shown no sign of life; '' when it has, or is over."""
    seconds = words.seconds_between(line.last_sign, now)
    if line.row.state is not State.RUNNING or line.last_sign is None or seconds is None:
        return ""
    return words.age(line.last_sign, now) if seconds >= SILENT_AFTER_SECONDS else ""


def state_words(line: RunLine, now: datetime, glyphs: Glyphs) -> str:
    """The state of a run with its sign: what it claims, unless it is silent."""
    silent = silence(line, now)
    state = line.row.state
    return f"? silent {silent}" if silent else f"{glyphs.states[state]} {state.value}"


def took(line: RunLine, now: datetime) -> float | None:
    """The seconds that a run took; one that goes on until now, a silent one until its last sign of life."""
    row = line.row
    if row.state is not State.RUNNING:
        return words.seconds_between(row.start_time, row.end_time)
    return words.seconds_between(row.start_time, line.last_sign if silence(line, now) else now)


def troubles(seen: Sequence[Snapshot]) -> str:
    """A sentence or more on each source that cannot be read, with the age of what is shown instead."""
    return "\n".join(trouble(snapshot) for snapshot in seen if snapshot.error is not None)


def trouble(snapshot: Snapshot) -> str:
    """What is wrong with one source, since when, and what happens next."""
    if snapshot.error is None or snapshot.failing_since is None:
        return ""
    shown = f" Shown is what was read at {snapshot.read_at:%H:%M:%S}." if snapshot.read_at else ""
    error = snapshot.error if snapshot.error.endswith((".", "!", "?")) else f"{snapshot.error}."
    since = f"{snapshot.failing_since:%H:%M:%S}"
    return f"{error} Since {since}; trying again every {snapshot.retry_seconds:.0f} s.{shown}"


def tally(lines: Sequence[RunLine], now: datetime) -> str:
    """How many runs are in each state that occurs; those that are silent are not called running."""
    numbers = Counter("silent" if silence(line, now) else line.row.state.value for line in lines)
    order = ("running", "silent", "failed", "success", "pending", "skipped")
    return "   ".join(f"{numbers[name]} {name}" for name in order if numbers[name])
