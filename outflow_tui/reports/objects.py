"""What the answers for scripts hold, as plain objects for JSON; pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from outflow_core.config_diff import Change
from outflow_core.failures import Cause, History
from outflow_core.rows import (
    BlockDetail,
    ConfigurationRow,
    ExceptionRow,
    ProcessRow,
    RunRow,
    Sign,
    TaskCounts,
)
from outflow_core.run_page import Shape
from outflow_tui.snapshot import RunLine


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


def json_line(value: Any) -> str:
    """The same on one line."""
    return json.dumps(_strict(value), ensure_ascii=True, allow_nan=False)


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value
