"""Everything about some blocks of one run: their values, what comes before and after them, their exceptions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select

from outflow_core.block_queries import blocks_by_id
from outflow_core.edge_queries import neighbours
from outflow_core.errors import NotFoundError
from outflow_core.exception_queries import exceptions_of
from outflow_core.json_text import as_json
from outflow_core.masking import mask_inputs, mask_secrets
from outflow_core.odd_values import as_text, told
from outflow_core.read_values import bounded, shown_name
from outflow_core.reader import Reads
from outflow_core.rows import BlockDetail, BlockRow
from outflow_core.slices import rows_among
from outflow_core.tables import block


def block_details(
    reads: Reads,
    blocks: Sequence[BlockRow],
    run_id: int,
    exception_ids: Collection[int] | None = None,
    upstream_ids: Collection[int] | None = None,
) -> tuple[BlockDetail, ...]:
    """Everything about these blocks of one run, in their order.

    The ids of their exceptions may be known; and those of the blocks above them, or in which range these are.
    """
    ids = [row.id for row in blocks]
    values = _values(reads, ids)
    upstream, downstream = neighbours(reads, ids, upstream_ids)
    exceptions = exceptions_of(reads, ids, exception_ids)
    return tuple(
        BlockDetail(
            row,
            run_id,
            *values[row.id],
            upstream=tuple(upstream[row.id]),
            downstream=tuple(downstream[row.id]),
            exceptions=exceptions.get(row.id, ()),
        )
        for row in blocks
        if row.id in values
    )


def block_detail(
    reads: Reads,
    run_id: int,
    block_id: int,
    exception_ids: Collection[int] | None = None,
    upstream_ids: Collection[int] | None = None,
) -> BlockDetail:
    """Everything about one block; NotFoundError when it is not there (any more)."""
    found = block_details(reads, blocks_by_id(reads, run_id, [block_id]), run_id, exception_ids, upstream_ids)
    if not found:
        raise NotFoundError(f"block {block_id} is not in the books any more.")
    return found[0]


def _values(reads: Reads, ids: Collection[int]) -> dict[int, tuple[str, str | None, Any, Any, Any]]:
    c = block.c
    texts = (told(c.uuid), as_text(c.plugin))
    query = select(c.id, *texts, as_text(c.input_targets), as_text(c.output_targets), as_text(c.input_values))
    return {
        row[0]: (
            bounded(row[1]),
            shown_name(row[2]),
            mask_secrets(as_json(row[3])),
            mask_secrets(as_json(row[4])),
            mask_inputs(as_json(row[5])),
        )
        for row in rows_among(reads, query, c.id, ids)
    }
