"""The runs as a table, and what is known of their lives; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import status
from outflow_tui.reports.objects import iso
from outflow_tui.reports.tables import Table
from outflow_tui.snapshot import RunLine

Clock = Callable[[datetime | None], str]
TITLES = ("ID", "STATE", "COMMAND", "STARTED", "TOOK", "TASKS", "FAILED", "HOST", "CONFIG ID")
NO_RUNS = "No runs."


def runs_table(runs: Sequence[RunLine], now: datetime, clock: Clock) -> Table:
    """The runs; one that claims to run, but shows no sign of life, is called gone or silent."""
    return Table(TITLES, tuple(_cells(line, now, clock) for line in runs))


def runs_text(runs: Sequence[RunLine], now: datetime) -> str:
    """The runs as aligned text."""
    return runs_table(runs, now, lambda when: words.moment(when, now)).as_text() if runs else NO_RUNS


def runs_markdown(runs: Sequence[RunLine], now: datetime) -> str:
    """The runs as a table of Markdown, its times with their days."""
    return runs_table(runs, now, words.dated).as_markdown() if runs else NO_RUNS


def _cells(line: RunLine, now: datetime, clock: Clock) -> tuple[str, ...]:
    row, tasks = line.row, line.tasks
    return (
        str(row.id),
        state_text(line, now),
        row.command or "",
        clock(row.start_time),
        words.duration(words.seconds_between(row.start_time, row.end_time)),
        f"{tasks.done}/{tasks.total}" if tasks.total else "",
        str(tasks.failed) if tasks.failed else "",
        row.hostname or "",
        str(row.configuration_id),
    )


def state_text(line: RunLine, now: datetime) -> str:
    """The state that the books tell, and what is to be said against it."""
    doubt = status.doubt(line, now).partition(" ")[2] or status.unfinished(line)
    return f"{line.row.state.value}, {doubt}" if doubt else line.row.state.value


def life_object(line: RunLine, now: datetime) -> dict[str, Any] | None:
    """Of a run that claims to go on: whether it does, why that is thought, and since when it does not."""
    if line.row.state is not State.RUNNING:
        return None
    verdict = status.kind(line, now)
    since = line.lost.since if line.lost is not None else line.last_sign if verdict == "silent" else None
    return {"verdict": verdict, "reason": life_reason(line, now) or None, "since": iso(since)}


def life_reason(line: RunLine, now: datetime) -> str:
    """Why a run is thought to be gone or silent, or to live."""
    silent = status.silence(line, now)
    return f"no task began or ended for {silent}" if silent else status.reason(line, now)
