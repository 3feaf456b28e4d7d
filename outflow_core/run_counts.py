"""What belongs to runs, counted or gathered by a walk over a whole table, in slices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select

from outflow_core.odd_values import as_text, plain
from outflow_core.read_values import STATES, as_time
from outflow_core.reader import Reads
from outflow_core.rows import TaskCounts
from outflow_core.slices import CHUNK, rows_in_slices
from outflow_core.states import BlockType, State
from outflow_core.tables import block, runtime_exception


def task_counts(reads: Reads, run_ids: Collection[int] | None) -> dict[int, TaskCounts]:
    """The tasks by state of each of these runs (None: all); a run without tasks is not in it.

    There may be no index: the table is gone over in slices, so that no writer waits long.
    """
    query = select(block.c.run_id, plain(block.c.state), func.count()).where(block.c.type == BlockType.TASK)
    query = query.group_by(block.c.run_id, block.c.state)
    if run_ids is not None and len(run_ids) <= CHUNK:
        query = query.where(block.c.run_id.in_(run_ids))
    found: dict[int, dict[str, int]] = {}
    for run_id, state, number in rows_in_slices(reads, query, block.c.id):
        if run_ids is None or run_id in run_ids:
            numbers = found.setdefault(run_id, {})
            name = state if state in STATES else "unknown"
            numbers[name] = numbers.get(name, 0) + number
    return {run_id: TaskCounts(**numbers) for run_id, numbers in found.items()}


def last_signs(reads: Reads, run_ids: Collection[int]) -> dict[int, datetime]:
    """The latest start or end of any block of each of these runs: their last sign of life."""
    c = block.c
    query = select(c.run_id, as_text(func.max(c.start_time)), as_text(func.max(c.end_time))).group_by(c.run_id)
    query = query.where(c.run_id.in_(run_ids))
    found: dict[int, datetime] = {}
    for run_id, *texts in rows_in_slices(reads, query, c.id) if run_ids else ():
        times = [time for time in (found.get(run_id), *map(as_time, texts)) if time is not None]
        found |= {run_id: max(times)} if times else {}
    return found


def exception_counts(reads: Reads, run_ids: Collection[int] | None) -> dict[int, int]:
    """How many exceptions are recorded for the blocks of each run; a run without any is not in it."""
    query = (
        select(block.c.run_id, func.count())
        .join_from(runtime_exception, block, runtime_exception.c.block_id == block.c.id)
        .group_by(block.c.run_id)
    )
    found: Counter[int] = Counter()
    for run_id, number in rows_in_slices(reads, query, runtime_exception.c.id):
        found[run_id] += number
    return {run_id: number for run_id, number in found.items() if run_ids is None or run_id in run_ids}


def failed_tasks(reads: Reads, run_ids: Collection[int]) -> dict[int, list[int]]:
    """The ids of the failed tasks of each of these runs, by one walk over the table."""
    c = block.c
    query = select(c.run_id, c.id).where(c.type == BlockType.TASK, c.state == State.FAILED, c.run_id.in_(run_ids))
    found: dict[int, list[int]] = {run_id: [] for run_id in run_ids}
    for run_id, block_id in rows_in_slices(reads, query, c.id) if run_ids else ():
        found[run_id].append(block_id)
    return found
