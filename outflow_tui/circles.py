"""Blocks that are said to be inside each other, in a circle, are inside nothing: the first of them is taken out; pure.

No recorder writes that, but a tree that is told from its roots on would lose all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from outflow_core.run_page import Page, ShapeRow
from outflow_core.run_shape import RunShape, patched


def without_circles(shape: RunShape) -> RunShape:
    """The blocks of a run with the first of each circle inside nothing; the very same where there is none."""
    changed: dict[int, Page | None] = {}
    for block_id, page, index in _firsts(shape):
        number, row = page.first // shape.size, page.row(index)
        inside_nothing: ShapeRow = (block_id, None, *row[2:])
        changed[number] = patched(changed.get(number) or page, {block_id: inside_nothing})
    return shape.with_pages(changed) if changed else shape


def _firsts(shape: RunShape) -> Iterator[tuple[int, Page, int]]:
    """Of each circle the block with the least id, and where it is."""
    seen: set[int] = set()
    for begin in _maybe_in_circles(shape):
        way: dict[int, tuple[Page, int]] = {}
        block_id: int | None = begin
        while block_id is not None and block_id not in seen and (found := shape.find(block_id)) is not None:
            page, index = found
            if page.is_hidden(index):
                break
            seen.add(block_id)
            way[block_id] = found
            block_id = page.parents[index]
        if block_id in way:
            circle = list(way)[list(way).index(block_id) :]
            yield min(circle), *way[min(circle)]


def _maybe_in_circles(shape: RunShape) -> Iterator[int]:
    """The parents of blocks that are not older than they; in every circle there is one, and in most runs none."""
    for page in shape.pages:
        for parent, indices in page.inside.items():
            if parent is not None and page.id(indices[0]) <= parent:
                yield parent
