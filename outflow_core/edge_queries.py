"""What comes before and what comes after some blocks.

The key of the table begins with the block above: what is below some blocks is found by it, what is above
them by a walk over all edges, or over those of their run.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from outflow_core.odd_values import Whole
from outflow_core.reader import Reads
from outflow_core.slices import CHUNK, LARGEST, SLICE, rows_among
from outflow_core.tables import edge

QUICK_SECONDS = 0.001
"""A stretch that took less is followed by one four times as long: most blocks have few edges, or none."""

_ABOVE, _BELOW = edge.c.upstream_block_id, edge.c.downstream_block_id
_ENDS = select(*(Whole(end(_ABOVE)) for end in (func.min, func.max))).where(_ABOVE.between(-LARGEST, LARGEST))

Neighbours = dict[int, list[int]]
"""The blocks on one side of each block, in order."""


def neighbours(reads: Reads, ids: Collection[int], among: Collection[int] | None) -> tuple[Neighbours, Neighbours]:
    """What comes before and what comes after each block: (upstream, downstream).

    Of many blocks, which are most of a run, the edges between the first and the last are read; of few, what is
    above them is looked for `among` these ids: all, if it is not known; in a range, or the blocks themselves.
    """
    upstream: Neighbours = {number: [] for number in ids}
    downstream: Neighbours = {number: [] for number in ids}
    pairs = _pairs(reads, upstream.keys(), among) if ids else ()
    for first, second in sorted({(one, other) for one, other in pairs if one is not None and other is not None}):
        if second in upstream:
            upstream[second].append(first)
        if first in downstream:
            downstream[first].append(second)
    return upstream, downstream


def _pairs(reads: Reads, ids: Collection[int], among: Collection[int] | None) -> Iterator[Any]:
    columns: list[ColumnElement[Any]] = [Whole(_ABOVE), Whole(_BELOW)]
    query = select(*columns)
    if len(ids) > CHUNK:
        yield from _in_stretches(reads, query, range(min(ids), max(ids) + 1))
        return
    yield from reads.rows(query.where(_ABOVE.in_(ids)))
    at_these = query.where(_BELOW.in_(ids))
    if among is None:
        first, last = reads.rows(_ENDS, {})[0]
        among = range(first, last + 1) if first is not None and last is not None else ()
    if isinstance(among, range):
        yield from _in_stretches(reads, at_these, among)
    else:
        yield from rows_among(reads, at_these, _ABOVE, among)


def _in_stretches(reads: Reads, query: Select[Any], among: range) -> Iterator[Any]:
    """The rows of a statement with the upper block in a range: by stretches, so that no writer waits long."""
    first, size = among.start, SLICE
    while first < among.stop:
        last, began = min(first + size, among.stop) - 1, time.perf_counter()
        yield from reads.rows(query.where(_ABOVE.between(first, last)))
        size = 4 * size if time.perf_counter() - began < QUICK_SECONDS else max(SLICE, size // 4)
        first = last + 1
