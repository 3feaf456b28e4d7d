"""The answers for scripts and pipes: plain objects for JSON, aligned text for people; no screen."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from outflow_core.config_diff import Change, apart, beyond_comparison, is_same_row
from outflow_core.failures import Cause, History
from outflow_core.rows import (
    BlockDetail,
    ConfigurationRow,
    ExceptionRow,
    ProcessingRow,
    ProcessRow,
    RunRow,
    Sign,
    TaskCounts,
)
from outflow_core.run_shape import Shape
from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import status, text
from outflow_tui.cause_words import seen_words, tasks_words
from outflow_tui.config_lines import config_lines, path_text
from outflow_tui.format import as_text
from outflow_tui.snapshot import RunLine

PROCESSES = 20
"""How many processes of a run are named."""


def run_object(row: RunRow, tasks: TaskCounts, exceptions: int) -> dict[str, Any]:
    """One run of `runs --json`."""
    return {
        "id": row.id,
        "uuid": row.uuid,
        "command": row.command,
        "state": row.state.value,
        "start_time": iso(row.start_time),
        "end_time": iso(row.end_time),
        "hostname": row.hostname,
        "configuration_id": row.configuration_id,
        "tasks": tasks.as_dict(),
        "exceptions": exceptions,
    }


def show_object(
    run: Mapping[str, Any],
    configuration: ConfigurationRow | None,
    blocks: Iterable[BlockDetail],
    processes: Iterable[tuple[ProcessRow, Sign]] = (),
) -> dict[str, Any]:
    """One run of `show --json`, with its configuration and all its blocks."""
    return {
        **run,
        "configuration": configuration.config if configuration else None,
        "settings": configuration.settings if configuration else None,
        "blocks": [block_object(detail) for detail in blocks],
        "processes": [_process_object(row, sign) for row, sign in processes],
    }


def _process_object(row: ProcessRow, sign: Sign) -> dict[str, Any]:
    """One process of `show --json`; its times are UTC and say so."""
    return {
        "hostname": row.hostname,
        "pid": row.pid,
        "slurm_job_id": row.slurm_job_id,
        "slurm_array_job_id": row.slurm_array_job_id,
        "slurm_array_task_id": row.slurm_array_task_id,
        "state": sign.value,
        "started_at": _utc(row.started_at),
        "last_seen_at": _utc(row.last_seen_at),
        "ended_at": _utc(row.ended_at),
    }


def _utc(when: datetime | None) -> str | None:
    return f"{when.isoformat()}Z" if when is not None else None


def block_object(detail: BlockDetail) -> dict[str, Any]:
    """One block of `show --json`."""
    row = detail.block
    return {
        "id": row.id,
        "uuid": detail.uuid,
        "type": row.type.value,
        "name": row.name,
        "plugin": detail.plugin,
        "state": row.state.value,
        "start_time": iso(row.start_time),
        "end_time": iso(row.end_time),
        "hostname": row.hostname,
        "parent_id": row.parent_id,
        "upstream": list(detail.upstream),
        "input_values": detail.input_values,
        "exception": _exception_object(detail.exception),
    }


def _exception_object(exception: ExceptionRow | None) -> dict[str, Any] | None:
    if exception is None:
        return None
    return {
        "type": exception.type,
        "message": exception.message,
        "traceback": exception.traceback,
        "time": iso(exception.time),
    }


def line_object(line: RunLine) -> dict[str, Any]:
    """A run as the screen shows it: as in `runs --json`, but nobody counted its exceptions."""
    shown = run_object(line.row, line.tasks, 0)
    del shown["exceptions"]
    return {**shown, "configuration_hash": line.config_hash, "last_sign": iso(line.last_sign)}


def shape_object(shape: Shape) -> dict[str, Any]:
    """One block of a run, as far as the tree of the run knows it."""
    return {
        "id": shape.id,
        "type": shape.type.value,
        "name": shape.name,
        "state": shape.state.value,
        "seconds": None if shape.seconds is None else round(shape.seconds, 3),
        "hostname": shape.hostname,
        "parent_id": shape.parent_id,
    }


def cause_object(cause: Cause) -> dict[str, Any]:
    """One cause of `failures --json`."""
    where = cause.where
    return {
        "type": cause.type,
        "message": cause.message,
        "where": {"file": where.file, "line": where.line, "function": where.function} if where else None,
        "tasks": list(cause.tasks),
        "first": iso(cause.first),
        "last": iso(cause.last),
        "hosts": list(cause.hosts),
        "mended": list(cause.mended),
        "seen": _history_object(cause.history) if cause.history else None,
    }


def _history_object(history: History) -> dict[str, Any]:
    return {
        "since": history.since,
        "also": list(history.also),
        "runs_looked_into": history.looked,
        "runs_read_in_part": history.in_part,
        "all_earlier_runs": history.is_all,
    }


def diff_object(changes: Sequence[Change]) -> dict[str, Any]:
    """The answer of `diff --json`."""
    listed = [
        {
            "section": change.section,
            "path": list(change.path),
            "kind": change.kind,
            "old": change.old,
            "new": change.new,
        }
        for change in changes
    ]
    return {"same": not changes, "changes": listed}


def iso(when: datetime | None) -> str | None:
    """A time as ISO 8601 text."""
    return when.isoformat() if when is not None else None


def as_json(value: Any) -> str:
    """Strict JSON on indented lines: NaN and the infinities, which JSON does not know, become text."""
    return json.dumps(_strict(value), indent=2, ensure_ascii=True, allow_nan=False)


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns under their titles; foreign text is cleaned, the last column is as long as it is."""
    cells = [list(titles), *([text.clean(cell) for cell in row] for row in rows)]
    widths = [max(map(text.width, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(text.fit(cell, width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def runs_text(runs: Sequence[RunLine], now: datetime) -> str:
    """The runs as aligned text; one that claims to run, but shows no sign of life, is called gone or silent."""
    if not runs:
        return "No runs."
    titles = ("ID", "STATE", "COMMAND", "STARTED", "TOOK", "TASKS", "FAILED", "HOST", "CONFIG ID")
    return table(titles, [_run_cells(line, now) for line in runs])


def _run_cells(line: RunLine, now: datetime) -> tuple[str, ...]:
    row, tasks = line.row, line.tasks
    doubt = status.doubt(line, now).partition(" ")[2]
    return (
        str(row.id),
        f"{row.state.value}, {doubt}" if doubt else row.state.value,
        row.command or "",
        words.moment(row.start_time, now),
        words.duration(words.seconds_between(row.start_time, row.end_time)),
        f"{tasks.done}/{tasks.total}" if tasks.total else "",
        str(tasks.failed) if tasks.failed else "",
        row.hostname or "",
        str(row.configuration_id),
    )


def show_text(
    row: RunRow,
    tasks: TaskCounts,
    configuration: ConfigurationRow | None,
    blocks: Sequence[BlockDetail],
    processes: Sequence[tuple[ProcessRow, Sign]],
    now: datetime,
) -> str:
    """One run as text: its line, its processes, its blocks, the tracebacks of its failed tasks, its configuration."""
    took = words.duration(words.seconds_between(row.start_time, row.end_time))
    head = [
        f"run {row.id}  {text.clean(row.command or '')}  {row.state.value}",
        f"  uuid      {text.clean(row.uuid)}",
        f"  started   {iso(row.start_time) or 'not recorded'}",
        f"  ended     {iso(row.end_time) or 'not recorded'}{f'  after {took}' if took else ''}",
        f"  host      {text.clean(row.hostname or 'not recorded')}",
        f"  tasks     {', '.join(f'{number} {name}' for name, number in tasks.as_dict().items() if number) or 'none'}",
        *_process_lines(processes),
    ]
    depths = _depths(blocks)
    listed = [detail for detail in blocks if not detail.block.is_top_level or detail.block.state is State.FAILED]
    parts = [
        "\n".join(head),
        table(_BLOCK_TITLES, [_block_cells(detail, depths[detail.block.id], now) for detail in listed])
        if listed
        else "",
    ]
    parts += [_traceback_text(detail) for detail in blocks if is_failed_task(detail)]
    if configuration is not None:
        parts.append("\n".join(plain(line.pieces) for line in config_lines(configuration)).rstrip())
    return "\n\n".join(filter(None, parts))


def _process_lines(processes: Sequence[tuple[ProcessRow, Sign]]) -> Iterator[str]:
    """The processes that recorded a run, those first of which something is to be feared."""
    order = (Sign.GONE, Sign.MISSED, Sign.ALIVE, Sign.ENDED)
    for row, sign in sorted(processes, key=lambda process: order.index(process[1]))[:PROCESSES]:
        place = " on ".join(filter(None, [str(row.pid), row.hostname]))
        job = f", Slurm job {row.job}" if row.job else ""
        age = words.duration(row.age_seconds)
        heard = f", last heard of {age} ago" if age and sign in (Sign.GONE, Sign.MISSED) else ""
        yield f"  process   {text.clean(place + job)}: {sign.value}{heard}"
    if len(processes) > PROCESSES:
        yield f"            and {len(processes) - PROCESSES} more"


_BLOCK_TITLES = ("BLOCK", "TYPE", "STATE", "NAME", "STARTED", "TOOK", "HOST")


def _block_cells(detail: BlockDetail, depth: int, now: datetime) -> tuple[str, ...]:
    row = detail.block
    took = words.duration(words.seconds_between(row.start_time, row.end_time))
    started = words.moment(row.start_time, now)
    return (str(row.id), row.type.value, row.state.value, "  " * depth + row.name, started, took, row.hostname or "")


def _depths(blocks: Sequence[BlockDetail]) -> dict[int, int]:
    """How many workflows are around each block, not counting the one around the run."""
    parents = {detail.block.id: detail.block.parent_id for detail in blocks if not detail.block.is_top_level}
    return {detail.block.id: len(_around(detail.block.id, parents)) for detail in blocks}


def _around(block_id: int, parents: Mapping[int, int | None]) -> list[int]:
    found: list[int] = []
    parent = parents.get(block_id)
    while parent is not None and parent in parents and parent not in found:
        found.append(parent)
        parent = parents[parent]
    return found


def is_failed_task(detail: BlockDetail) -> bool:
    """Whether this is where a failure was seen first; the workflows around it only pass it on."""
    return detail.block.state is State.FAILED and (detail.block.type.value == "task" or detail.block.is_top_level)


def _traceback_text(detail: BlockDetail) -> str:
    title = f"{detail.block.type.value} {detail.block.id} {text.clean(detail.block.name)}"
    if detail.exception is None:
        return f"{title}: failed, but no exception was recorded"
    lines = detail.exception.traceback.rstrip("\n").split("\n")
    return "\n".join([f"{title}: {text.clean(detail.exception.type)}", *(f"  {text.clean(line)}" for line in lines)])


def failures_text(causes: Sequence[Cause], now: datetime) -> str:
    """The causes as text, most tasks first."""
    if not causes:
        return "No failed tasks."
    return "\n\n".join(_cause_text(cause, now) for cause in causes)


def _cause_text(cause: Cause, now: datetime) -> str:
    shown = ", ".join(str(task) for task in cause.tasks[:12]) + (" ..." if len(cause.tasks) > 12 else "")
    first, last = words.moment(cause.first, now), words.moment(cause.last, now)
    lines = [f"{tasks_words(cause)}: {text.clean(cause.type or 'no exception recorded')}"]
    if cause.message:
        lines.append(f"  message  {text.clean(cause.message[:1000])}")
    if cause.where:
        place = f"{cause.where.file}:{cause.where.line} in {cause.where.function}"
        lines.append(f"  where    {text.clean(place)}")
    lines.append(f"  when     {first if first == last else f'{first} to {last}'}")
    if cause.history is not None:
        lines.append(f"  seen     {seen_words(cause.history)}")
    lines.append(f"  tasks    {shown}")
    if cause.hosts:
        lines.append(f"  hosts    {text.clean(', '.join(cause.hosts))}")
    return "\n".join(lines)


def diff_text(old: ConfigurationRow, new: ConfigurationRow, changes: Sequence[Change]) -> str:
    """The differences, a line each: `~ path  old -> new`."""
    lines = [_change_text(change) for change in changes]
    if not changes:
        lines.append("The same configuration." if is_same_row(old, new) else "No difference in content.")
    hidden = beyond_comparison(old, new)
    if hidden:
        lines.append(f"({hidden} masked value{'s' if hidden > 1 else ''} cannot be compared)")
    lines += [
        f"(apart: {path_text(change.path)}  {as_text(change.old)} -> {as_text(change.new)})"
        for change in apart(old, new)
    ]
    return "\n".join(text.clean(line) for line in lines)


def _change_text(change: Change) -> str:
    path = f"{change.section}: {path_text(change.path)}"
    if change.kind == "changed":
        return f"~ {path}  {as_text(change.old)} -> {as_text(change.new)}"
    sign, value = ("+", change.new) if change.kind == "added" else ("-", change.old)
    return f"{sign} {path}  {as_text(value)}"


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
    cells = [_processing_cells(row, now) for row in rows]
    taken = sum(max(map(text.width, column)) + 2 for column in zip(_PROCESSING_TITLES, *cells, strict=False))
    room = max(len(_WHOLE), LINE_LENGTH - taken)
    listed = [(*row, _shortened(_what_ran(answer), room)) for row, answer in zip(cells, rows, strict=True)]
    return f"{table((*_PROCESSING_TITLES, 'TASKS'), listed)}\n\n{_verdict(rows, done)}"


LINE_LENGTH = 80
INPUT_LENGTH = 24
_PROCESSING_TITLES = ("RUN", "COMMAND", "STATE", "STARTED", "CONFIG", "INPUT")
_SAME = {True: "current", False: "another", None: "not known"}
_WHOLE = "the map as a whole"


def _processing_cells(row: ProcessingRow, now: datetime) -> tuple[str, ...]:
    inputs = (f"{key}={value if isinstance(value, str) else as_text(value)}" for key, value in row.inputs.items())
    return (
        str(row.run.id),
        text.clean(row.run.command or ""),
        row.state.value,
        words.moment(row.start_time, now),
        _SAME[row.same_configuration],
        _shortened(", ".join(inputs), INPUT_LENGTH),
    )


def _what_ran(row: ProcessingRow) -> str:
    """The tasks of an input, or the workflow of which they are not told apart."""
    workflow = row.workflow or ""
    return f"{_WHOLE}: {workflow}" if row.is_whole_map else ", ".join(row.tasks) or workflow


def _shortened(words: str, width: int) -> str:
    """Foreign words in at most `width` cells."""
    cleaned = text.clean(words)
    return cleaned if text.width(cleaned) <= width else text.fit(cleaned, width)


def _verdict(rows: Sequence[ProcessingRow], done: Sequence[ProcessingRow]) -> str:
    known = rows[0].same_configuration is not None
    which = "with the configuration in force" if known else "whatever its configuration (none in force is known)"
    said = f"Processed {which}: run {done[0].run.id}." if done else f"Not processed {which}."
    hidden = any(row.uncompared for row in rows)
    return f"{said}\nMasked secrets cannot be compared." if hidden else said


def plain(pieces: Iterable[tuple[str, str]]) -> str:
    """A line of the screen without its looks."""
    return text.clean("".join(piece for piece, _ in pieces))
