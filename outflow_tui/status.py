"""What the data on the screen is worth, in words; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from outflow_core.states import State
from outflow_tui import format as words
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
    seconds = words.seconds_between(line.last_sign, now)
    return line.row.state is State.RUNNING and seconds is not None and seconds < SILENT_AFTER_SECONDS


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


def tally(lines: Sequence[RunLine]) -> str:
    """How many runs are in each state that occurs."""
    numbers = {state: sum(line.row.state is state for line in lines) for state in State}
    order = (State.RUNNING, State.FAILED, State.SUCCESS, State.PENDING, State.SKIPPED)
    return "   ".join(f"{numbers[state]} {state.value}" for state in order if numbers[state])
