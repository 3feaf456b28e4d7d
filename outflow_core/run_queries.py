"""Reads of runs, and of the processes that record them.

The columns are named, never taken by position: their order differs between the databases that
Outflow made.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Float, bindparam, cast, func, select

from outflow_core.clock import SecondsSince
from outflow_core.odd_values import Whole, as_text, plain, told
from outflow_core.read_values import as_time, bounded, masked, state_of
from outflow_core.reader import Reads
from outflow_core.rows import ProcessRow, RunRow
from outflow_core.slices import rows_among
from outflow_core.states import State
from outflow_core.tables import process, run

SOME = 20
"""How many ids a statement that is made once asks for."""
_RUN = [
    run.c.id,
    told(run.c.uuid),
    as_text(run.c.command_name),
    plain(run.c.state),
    as_text(run.c.start_time),
    as_text(run.c.end_time),
    as_text(run.c.hostname),
    func.coalesce(Whole(run.c.configuration_id), -1),
]
# made once: to make a statement costs more than to run it
_RUNS_FROM = select(*_RUN).where(run.c.id >= bindparam("first"), run.c.id >= 0).order_by(run.c.id)
_RUNS_BETWEEN = _RUNS_FROM.where(run.c.id <= bindparam("last"))
_RUNS_NEWEST = select(*_RUN).where(run.c.id >= 0).order_by(run.c.id.desc()).limit(bindparam("count"))
_RUNS_BELOW = _RUNS_NEWEST.where(run.c.id < bindparam("below"))
_RUNS_BY_ID = select(*_RUN).where(run.c.id.in_([bindparam(f"id{place}") for place in range(SOME)]))

RunValues = tuple[Any, ...]
"""A run as the database gives it: to compare it costs nothing, to make a row of it something."""


def runs(
    reads: Reads, *, count: int, below: int | None = None, state: State | None = None, command: str | None = None
) -> tuple[RunRow, ...]:
    """At most `count` runs (0: all), newest first, with ids under `below`; Outflow's placeholders are left out."""
    query = select(*_RUN).where(run.c.id >= 0).order_by(run.c.id.desc())
    if below is not None:
        query = query.where(run.c.id < below)
    if state is not None:
        query = query.where(run.c.state == state)
    if command is not None:
        query = query.where(run.c.command_name == command)
    return tuple(map(run_row, reads.rows(query.limit(count) if count else query)))


def runs_by_id(reads: Reads, ids: Collection[int]) -> tuple[RunRow, ...]:
    """The runs of these ids that exist, in no order."""
    return tuple(map(run_row, rows_among(reads, select(*_RUN), run.c.id, ids)))


def runs_by_uuid(reads: Reads, prefix: str, *, count: int) -> tuple[RunRow, ...]:
    """At most `count` runs whose uuid begins so, newest first."""
    matches = run.c.uuid.startswith(prefix, autoescape=True)
    query = select(*_RUN).where(run.c.id >= 0, matches).order_by(run.c.id.desc()).limit(count)
    return tuple(map(run_row, reads.rows(query)))


def run_row(values: Sequence[Any]) -> RunRow:
    """The row of a run from what the database gives."""
    number, uuid, command, state, start, end, hostname, configuration_id = values
    known = state_of(state, f"outflow_run {number}")
    times = as_time(start), as_time(end)
    return RunRow(number, bounded(uuid), masked(command), known, *times, bounded(hostname), configuration_id)


def run_values_from(reads: Reads, first: int) -> Sequence[RunValues]:
    """The runs with ids from `first` on, oldest first."""
    return reads.rows(_RUNS_FROM, {"first": first})


def run_values_between(reads: Reads, first: int, last: int) -> Sequence[RunValues]:
    """The runs with ids from `first` to `last`, oldest first."""
    return reads.rows(_RUNS_BETWEEN, {"first": first, "last": last})


def run_values_below(reads: Reads, below: int | None, count: int) -> Sequence[RunValues]:
    """At most `count` runs with ids under `below`, newest first."""
    if below is None:
        return reads.rows(_RUNS_NEWEST, {"count": count})
    return reads.rows(_RUNS_BELOW, {"below": below, "count": count})


def run_values_by_id(reads: Reads, ids: Collection[int]) -> list[RunValues]:
    """The runs of these ids that exist, in no order."""
    ordered, found = sorted(ids), list[RunValues]()
    for start in range(0, len(ordered), SOME):
        some = ordered[start : start + SOME]
        some += some[-1:] * (SOME - len(some))
        found += reads.rows(_RUNS_BY_ID, {f"id{place}": number for place, number in enumerate(some)})
    return found


def processes(reads: Reads, run_ids: Collection[int], *, ended: bool = False) -> dict[int, tuple[ProcessRow, ...]]:
    """The processes that record each of these runs, with `ended` also those that are over; only if there is a table."""
    c = process.c
    pid, start_ticks = func.coalesce(Whole(c.pid), 0), Whole(c.start_ticks)
    names = (c.id, c.run_id, as_text(c.hostname), pid, as_text(c.pid_space), start_ticks)
    jobs = map(as_text, (c.slurm_job_id, c.slurm_array_job_id, c.slurm_array_task_id))
    times = (as_text(c.started_at), as_text(c.last_seen_at), as_text(c.ended_at))
    beats = func.coalesce(cast(c.beat_seconds, Float), 0.0)
    query = select(*names, *jobs, *times, beats, SecondsSince(c.last_seen_at)).order_by(c.id)
    query = query if ended else query.where(c.ended_at.is_(None))
    found: dict[int, tuple[ProcessRow, ...]] = {}
    for row in rows_among(reads, query, c.run_id, run_ids):
        process_row = ProcessRow(*map(bounded, row[:9]), *map(as_time, row[9:12]), *row[12:])
        found[row[1]] = (*found.get(row[1], ()), process_row)
    return found
