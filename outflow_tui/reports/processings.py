"""What became of an input, in every run: as text, Markdown and for JSON; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from outflow_core.rows import ProcessingRow
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.format import as_text
from outflow_tui.reports.objects import iso
from outflow_tui.reports.tables import Table, shortened

LINE_LENGTH = 80
INPUT_LENGTH = 24
_TITLES = ("RUN", "COMMAND", "STATE", "STARTED", "CONFIG", "INPUT")
_SAME = {True: "current", False: "another", None: "not known"}
_WHOLE = "the map as a whole"


def processed_object(rows: Sequence[ProcessingRow], done: Sequence[ProcessingRow]) -> dict[str, Any]:
    """The answer of `processed --json`."""
    return {"processed": bool(done), "processings": [_processing_object(row) for row in rows]}


def _processing_object(row: ProcessingRow) -> dict[str, Any]:
    return {
        "run": row.run.id,
        "uuid": row.run.uuid,
        "command": row.run.command,
        "run_state": row.run.state.value,
        "configuration_id": row.run.configuration_id,
        "same_configuration": row.same_configuration,
        "uncompared": row.uncompared,
        "state": row.state.value,
        "whole_map": row.is_whole_map,
        "workflow": row.workflow,
        "tasks": row.tasks,
        "blocks": row.blocks,
        "inputs": row.inputs,
        "start_time": iso(row.start_time),
        "end_time": iso(row.end_time),
    }


def not_given(value: str, command: str | None) -> str:
    """That there is no processing of an input at all."""
    return text.clean(f"No run{f' of {command!r}' if command else ''} was given {value}.")


def processed_text(rows: Sequence[ProcessingRow], done: Sequence[ProcessingRow], now: datetime) -> str:
    """Every processing of an input as aligned text, and in a sentence whether it is done."""
    started = [words.moment(row.start_time, now) for row in rows]
    cells = [_cells(row, when) for row, when in zip(rows, started, strict=True)]
    wanted = min(len(_WHOLE), max((text.width(_what_ran(row)) for row in rows), default=0))
    if (missing := wanted - _room(cells)) > 0:
        length = max(INPUT_LENGTH - missing, len(_WHOLE))
        cells = [_cells(row, when, length) for row, when in zip(rows, started, strict=True)]
    room = max(wanted, _room(cells))
    listed = tuple((*row, shortened(_what_ran(answer), room)) for row, answer in zip(cells, rows, strict=True))
    return f"{Table((*_TITLES, 'TASKS'), listed).as_text()}\n\n{verdict_text(rows, done)}"


def _room(cells: Sequence[tuple[str, ...]]) -> int:
    """What is left of a line for the tasks."""
    return LINE_LENGTH - sum(max(map(text.width, column)) + 2 for column in zip(_TITLES, *cells, strict=False))


def processed_markdown(rows: Sequence[ProcessingRow], done: Sequence[ProcessingRow]) -> str:
    """The same as Markdown, nothing in it shortened."""
    listed = tuple((*_cells(row, words.dated(row.start_time), 300), _what_ran(row)) for row in rows)
    return f"{Table((*_TITLES, 'TASKS'), listed).as_markdown()}\n\n{verdict_text(rows, done)}"


def _cells(row: ProcessingRow, started: str, length: int = INPUT_LENGTH) -> tuple[str, ...]:
    inputs = (f"{key}={value if isinstance(value, str) else as_text(value)}" for key, value in row.inputs.items())
    return (
        str(row.run.id),
        text.clean(row.run.command or ""),
        row.state.value,
        started,
        _SAME[row.same_configuration],
        shortened(", ".join(inputs), length),
    )


def _what_ran(row: ProcessingRow) -> str:
    """The tasks of an input, or the workflow of which they are not told apart."""
    workflow = row.workflow or ""
    return f"{_WHOLE}: {workflow}" if row.is_whole_map else ", ".join(row.tasks) or workflow


def verdict_text(rows: Sequence[ProcessingRow], done: Sequence[ProcessingRow]) -> str:
    """In a sentence whether an input is done."""
    known = rows[0].same_configuration is not None
    which = "with the configuration in force" if known else "whatever its configuration (none in force is known)"
    said = f"Processed {which}: run {done[0].run.id}." if done else f"Not processed {which}."
    hidden = any(row.uncompared for row in rows)
    return f"{said}\nMasked secrets cannot be compared." if hidden else said
