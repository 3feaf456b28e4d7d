"""Reads of exceptions, of blocks or by their own ids; secrets masked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import select

from outflow_core.masking import mask_text
from outflow_core.odd_values import as_text
from outflow_core.read_values import as_time, bounded, text_of
from outflow_core.reader import Reads
from outflow_core.rows import ExceptionRow
from outflow_core.slices import rows_among, rows_in_slices
from outflow_core.tables import runtime_exception

_EXCEPTION = select(
    *(runtime_exception.c[name] for name in ("id", "block_id", "exception_type", "exception_msg", "traceback")),
    as_text(runtime_exception.c.time),
).order_by(runtime_exception.c.id)


def exceptions_of(
    reads: Reads, block_ids: Collection[int], exception_ids: Collection[int] | None = None
) -> dict[int, tuple[ExceptionRow, ...]]:
    """The exceptions of each of these blocks, oldest first; a block without any is not in it.

    Where it is not known which they are it takes a scan, in slices: Outflow makes no index on the block.
    """
    rows: Iterable[ExceptionRow] = ()
    if exception_ids is not None:
        rows = exceptions_by_id(reads, exception_ids)
    elif block_ids:
        rows = exceptions_by_id(reads, _exception_ids(reads, block_ids))
    found: dict[int, tuple[ExceptionRow, ...]] = {}
    for row in rows:
        if row.block_id is not None:
            found[row.block_id] = (*found.get(row.block_id, ()), row)
    return found


def exceptions_by_id(reads: Reads, ids: Collection[int]) -> tuple[ExceptionRow, ...]:
    """The exceptions of these ids, oldest first."""
    return tuple(_exceptions(rows_among(reads, _EXCEPTION, runtime_exception.c.id, ids)))


def _exceptions(found: Iterable[Any]) -> Iterator[ExceptionRow]:
    for row in found:
        message, traceback = (mask_text(text_of(value)) for value in row[3:5])
        yield ExceptionRow(row[0], row[1], bounded(text_of(row[2])), message, traceback, as_time(row[5]))


def _exception_ids(reads: Reads, block_ids: Collection[int]) -> list[int]:
    """The ids of the exceptions of some blocks; without an index on the block a statement goes over all it may."""
    c, wanted = runtime_exception.c, set(block_ids)
    among = select(c.id, c.block_id).where(c.block_id.between(min(wanted), max(wanted)))
    return [row[0] for row in rows_in_slices(reads, among, c.id) if row[1] in wanted]
