"""Books of which every text is somebody else's: a SQLite file as a hostile pipeline would leave it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from outflow_core.tables import metadata

Say = Callable[[str, int], str]
"""What stands in a place, the first, second, third ... time."""
STATES = ("failed", "success", "running", "failed", "skipped", "pending")
FAILED_RUN = 2


def _stored(text: str) -> bytes:
    """As SQLite keeps it: half characters as the bytes that some drivers make of them."""
    encoded: bytes = text.encode("utf-8", "surrogatepass")
    return encoded


def make_books(path: Path, say: Say, count: int, long_traceback: str | None = None) -> Path:
    """Books of `count` runs, of which the second newest holds `count` tasks, most of them failed."""
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(path)
    for number in range(1, count + 1):
        _configuration(connection, number, say)
        _run(connection, number, say, STATES[number % len(STATES)] if number != count - 1 else "failed")
    _blocks(connection, count - 1, count, say, long_traceback)
    _process(connection, count - 2, say)
    connection.commit()
    connection.close()
    return path


def _insert(connection: sqlite3.Connection, table: str, **values: Any) -> None:
    places = ", ".join("CAST(? AS TEXT)" if isinstance(value, bytes) else "?" for value in values.values())
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", list(values.values()))


def _configuration(connection: sqlite3.Connection, number: int, say: Say) -> None:
    config = {say("config-key", number): say("config-value", number), "same": {"list": [say("config-item", number)]}}
    settings = {say("setting-key", number): {"deep": say("setting", number)}, "number": number}
    _insert(
        connection,
        "outflow_configuration",
        id=number,
        config=_json(config),
        settings=_json(settings),
        hash=_stored(f"{number}{say('hash', number)}"),
    )


def _json(value: Any) -> bytes:
    """Half the books hold their text in JSON as escapes, half as it is."""
    return _stored(json.dumps(value, ensure_ascii=len(str(value)) % 2 == 0))


def _run(connection: sqlite3.Connection, number: int, say: Say, state: str) -> None:
    _insert(
        connection, "outflow_run", id=number, uuid=_stored(f"{number:08d}{say('uuid', number)}"),
        start_time=f"2026-11-20 {number % 24:02d}:00:00.000000",
        end_time=None if state in ("running", "pending") else f"2026-11-20 {number % 24:02d}:10:00.000000",
        state=state, hostname=_stored(say("run-host", number)), configuration_id=number,
        command_name=_stored(say("command", number)),
    )  # fmt: skip


def _blocks(connection: sqlite3.Connection, run: int, count: int, say: Say, long_traceback: str | None) -> None:
    """A workflow of tasks, each of which fails in its own way."""
    _block(
        connection,
        1,
        run,
        say,
        "failed",
        "workflow",
        None,
        [{say("map-key", n): json.dumps(say("map", n))} for n in range(count)],
    )
    for number in range(2, count + 2):
        state = STATES[number % len(STATES)] if number % 3 == 0 else "failed"
        inputs = {say("input-key", number): json.dumps(say("input", number))}
        _block(connection, number, run, say, state, "task", 1, inputs)
        for before in {number - 1, 2} - {number}:  # after the one above it, and all after the first task
            _insert(connection, "outflow_edge", upstream_block_id=before, downstream_block_id=number)
        if state == "failed":
            _exception(connection, number, say, long_traceback if number == 2 else None)


def _block(
    connection: sqlite3.Connection,
    number: int,
    run: int,
    say: Say,
    state: str,
    kind: str,
    parent: int | None,
    inputs: Any,
) -> None:
    target = {say("target", number): {"type": say("target-type", number), "default": say("target-default", number)}}
    _insert(
        connection, "outflow_block", id=number, uuid=_stored(f"{number:08d}{say('block-uuid', number)}"),
        state=state, type=kind,
        start_time=None if state == "pending" else f"2026-11-20 10:00:{number % 60:02d}.000000",
        end_time=None if state in ("running", "pending") else f"2026-11-20 10:05:{number % 60:02d}.000000",
        hostname=_stored(say("host", number)), plugin=_stored(say("plugin", number)),
        name=_stored(say("name", number)),
        run_id=run, parent_id=parent,
        input_values=_json(inputs), input_targets=_json(target), output_targets=_json(target),
    )  # fmt: skip


def _exception(connection: sqlite3.Connection, number: int, say: Say, traceback: str | None) -> None:
    message = f"{say('message', number)}"
    written = (
        "Traceback (most recent call last):\n"
        f'  File "/data/{say("file", number)}.py", line {number}, in {say("function", number)}\n'
        f"    {say('code', number)}\n"
        f"{say('type', number)}: {message}\n"
    )
    _insert(
        connection, "outflow_runtime_exception", id=number, block_id=number,
        exception_type=_stored(say("type", number)),
        exception_msg=_stored(message), traceback=_stored(traceback or written), time="2026-11-20 10:05:00.000000",
    )  # fmt: skip


def _process(connection: sqlite3.Connection, run: int, say: Say) -> None:
    _insert(
        connection, "outflow_core_process", id=1, run_id=run, hostname=_stored(say("process-host", 1)), pid=1,
        pid_space=_stored(say("pid-space", 1)), start_ticks=1, slurm_job_id=_stored(say("job", 1)),
        slurm_array_job_id=_stored(say("array-job", 1)), slurm_array_task_id=_stored(say("array-task", 1)),
        started_at="2026-11-20 10:00:00", last_seen_at="2026-11-20 10:00:00", beat_seconds=10.0,
    )  # fmt: skip


def unended(path: Path) -> list[str]:
    """Make it that all runs and all failed tasks go on; the statements by which they end as they had ended."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE later AS SELECT * FROM outflow_runtime_exception")
    connection.execute("DELETE FROM outflow_runtime_exception")
    connection.execute("UPDATE outflow_run SET state = 'running', end_time = NULL")
    connection.execute("UPDATE outflow_block SET state = 'running', end_time = NULL WHERE state = 'failed'")
    connection.commit()
    connection.close()
    return [
        "INSERT INTO outflow_runtime_exception SELECT * FROM later",
        "UPDATE outflow_block SET state = 'failed' WHERE id IN (SELECT block_id FROM later)",
        "UPDATE outflow_run SET state = 'failed'",
    ]


def of_kinds(kinds: Sequence[str], poison: Callable[[str, str], str]) -> Say:
    """Each time another kind, in turn, so that each kind comes in every place."""
    return lambda where, number: poison(kinds[number % len(kinds)], where)
