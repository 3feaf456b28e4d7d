"""Reads of the blocks of one run: rows, shapes and inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, case, func, not_, select

from outflow_core import run_shape
from outflow_core.clock import SecondsBetween
from outflow_core.json_length import JsonLength
from outflow_core.json_text import as_json
from outflow_core.masking import mask_inputs
from outflow_core.odd_values import Whole, as_text, plain, told
from outflow_core.read_values import LONGEST, STATES, TYPES, as_time, bounded, shown_name, unknown_state, unknown_type
from outflow_core.reader import Reads
from outflow_core.rows import BlockRow
from outflow_core.run_page import Page, ShapeRow
from outflow_core.slices import LARGEST, rows_among
from outflow_core.states import BlockType
from outflow_core.tables import block
from outflow_core.task_inputs import task_inputs

LONG_INPUTS = 200_000
"""Inputs with more characters are not read to be counted."""
_BLOCK = [
    block.c.id,
    plain(block.c.type),
    told(block.c.name),
    plain(block.c.state),
    as_text(block.c.start_time),
    as_text(block.c.end_time),
    as_text(block.c.hostname),
    Whole(block.c.parent_id),
]
_SHAPE = [
    block.c.id,
    Whole(block.c.parent_id),
    plain(block.c.type),
    plain(block.c.state),
    told(block.c.name),
    as_text(block.c.hostname),
    SecondsBetween(block.c.start_time, block.c.end_time),
]
# made once: to make a statement costs more than to run it
_IN_STRETCH = block.c.id >= bindparam("first"), block.c.id <= bindparam("last"), block.c.run_id == bindparam("run")
_SHAPES = select(*_SHAPE).where(*_IN_STRETCH).order_by(block.c.id)
_WINDOW = (
    select(*_BLOCK)
    .where(block.c.run_id == bindparam("run"), block.c.id > bindparam("after"))
    .order_by(block.c.id)
    .limit(bindparam("count"))
)
_BETWEEN = select(*_BLOCK).where(*_IN_STRETCH).order_by(block.c.id)


def blocks_of(reads: Reads, run_id: int, *, after: int | None = None, count: int | None = None) -> tuple[BlockRow, ...]:
    """At most `count` blocks of one run, oldest first, from the first whose id is above `after`."""
    after, count = -LARGEST if after is None else after, LARGEST if count is None else count
    return _blocks(reads.rows(_WINDOW, {"run": run_id, "after": after, "count": count}))


def blocks_between(reads: Reads, run_id: int, first: int, last: int) -> tuple[BlockRow, ...]:
    """The blocks of one run with ids from `first` to `last`, oldest first."""
    return _blocks(reads.rows(_BETWEEN, {"first": first, "last": last, "run": run_id}))


def blocks_by_id(reads: Reads, run_id: int, ids: Collection[int]) -> tuple[BlockRow, ...]:
    """The blocks of these ids that exist and belong to the run, in no order."""
    return _blocks(rows_among(reads, select(*_BLOCK).where(block.c.run_id == run_id), block.c.id, ids))


def _blocks(found: Iterable[Any]) -> tuple[BlockRow, ...]:
    return tuple(
        BlockRow(
            number,
            TYPES.get(kind) or unknown_type(kind, number),
            shown_name(name),
            STATES.get(state) or unknown_state(state, number),
            as_time(start),
            as_time(end),
            bounded(hostname),
            parent,
        )
        for number, kind, name, state, start, end, hostname, parent in found
    )


def page_of(reads: Reads, run_id: int, number: int, size: int, *, most: int | None = None) -> Page | None:
    """What is kept of the blocks of one run whose ids lie in a page, of the first `most` only; None for no blocks."""
    begin, end = number * size, (number + 1) * size
    stretches = ((first, min(first + run_shape.SOME, end) - 1) for first in range(begin, end, run_shape.SOME))
    found = (reads.rows(_SHAPES, {"run": run_id, "first": first, "last": last}) for first, last in stretches)
    return run_shape.page_of(begin, islice((row for rows in found for row in _shapes(rows)), most))


def shapes_by_id(reads: Reads, run_id: int, ids: Collection[int]) -> dict[int, ShapeRow]:
    """The same of the blocks of these ids that exist and belong to the run."""
    found = rows_among(reads, select(*_SHAPE).where(block.c.run_id == run_id), block.c.id, ids)
    return {row[0]: row for row in _shapes(found)}


def _shapes(found: Iterable[Any]) -> list[ShapeRow]:
    rows = [
        tuple(row)
        if "://" not in row[4] and len(row[4]) <= LONGEST and len(row[5] or "") <= LONGEST
        else (*row[:4], shown_name(row[4]), bounded(row[5]), row[6])
        for row in found
    ]
    for kind, state, number in {(row[2], row[3]): (row[2], row[3], row[0]) for row in rows}.values():
        _ = TYPES.get(kind) or unknown_type(kind, number)
        _ = STATES.get(state) or unknown_state(state, number)
    return rows


def first_block(reads: Reads, run_id: int) -> int | None:
    """The id of the first block of a run, if it has any."""
    found = reads.rows(select(block.c.id).where(block.c.run_id == run_id).order_by(block.c.id).limit(1))
    return found[0][0] if found else None


def inputs_of(reads: Reads, block_ids: Collection[int]) -> Iterator[tuple[int, Any]]:
    """The inputs of each of these blocks as they are stored."""
    query = select(block.c.id, as_text(block.c.input_values))
    return ((row[0], as_json(row[1])) for row in rows_among(reads, query, block.c.id, block_ids))


def inputs_of_tasks(reads: Reads, blocks: Sequence[BlockRow], wanted: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """What these tasks were given, where it is known, secrets masked; `blocks` are all of their run, by id."""
    if not wanted:
        return {}
    ids = {row.id for row in blocks if row.type is BlockType.WORKFLOW} | set(wanted)
    return task_inputs(wanted, blocks, {number: mask_inputs(values) for number, values in inputs_of(reads, ids)})


def map_sizes(reads: Reads, workflow_ids: Collection[int]) -> dict[int, int]:
    """How many items each workflow maps over, for those that do: the length of its list of inputs."""
    text = as_text(block.c.input_values)
    is_short = func.length(text) <= LONG_INPUTS
    query = select(block.c.id, case((is_short, text)), case((not_(is_short), JsonLength(block.c.input_values))))
    sizes = {}
    for block_id, short, length in rows_among(reads, query, block.c.id, workflow_ids):
        values = as_json(short)
        if isinstance(values, list) or length is not None:
            sizes[block_id] = len(values) if isinstance(values, list) else length
    return sizes
