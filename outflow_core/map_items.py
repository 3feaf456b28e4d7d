"""Which blocks belong to which item of a map that Outflow ran; pure.

A map makes the blocks of all its items at once, item by item, the same tasks for each; a block
learns its parent when it starts. So the blocks of the k-th item are the k-th part of a stretch of
equal parts: the map's own blocks, and among them blocks without a parent that have not started.
Where more than one such stretch can be seen, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from outflow_core.rows import BlockRow
from outflow_core.states import State

Item = tuple[BlockRow, ...]
PLACES = 2_000
"""How many stretches are tried: blocks that wait elsewhere in the run can be many."""

_FIRST = (State.FAILED, State.RUNNING, State.PENDING, State.SUCCESS, State.SKIPPED)


def state_of(blocks: Iterable[BlockRow]) -> State:
    """The state of an item: failed, running or pending when one of its blocks is, success when it has one that is."""
    states = {block.state for block in blocks}
    return next((state for state in _FIRST if state in states), State.PENDING)


def items_of(around: BlockRow, size: int, blocks: Sequence[BlockRow]) -> tuple[Item, ...] | None:
    """The blocks of each of the `size` items of a map, among those of its run by id; None when they cannot be told.

    A map of which nothing has started has items without blocks.
    """
    if all(block.parent_id != around.id for block in blocks):
        return ((),) * size
    near = [block for block in blocks if block.id > around.id and _may_belong(block, around)]
    kinds = [(block.type, block.name) for block in near]
    places = [place for place, block in enumerate(near) if block.parent_id == around.id]
    if not places or any(block.parent_id == around.id and block.id < around.id for block in blocks):
        return None
    found = _stretches(kinds, size, places[0], places[-1])
    if found is None:
        return None
    start, length = found
    return tuple(tuple(near[start + length * k : start + length * (k + 1)]) for k in range(size))


def _may_belong(block: BlockRow, around: BlockRow) -> bool:
    return block.parent_id == around.id or (block.parent_id is None and not block.is_top_level)


def _stretches(kinds: Sequence[object], size: int, first: int, last: int) -> tuple[int, int] | None:
    """Where the one stretch of `size` equal parts around two places begins, and how long a part is."""
    found: tuple[int, int] | None = None
    tried = 0
    for length in range(-(-(last - first + 1) // size), len(kinds) // size + 1):
        for start in range(max(0, last + 1 - size * length), min(first, len(kinds) - size * length) + 1):
            tried += 1
            end = start + size * length
            if kinds[start : end - length] == kinds[start + length : end]:
                if found is not None:
                    return None
                found = (start, length)
            if tried > PLACES:
                return None
    return found


class Inside:
    """What stands inside of what, among the blocks of one run."""

    def __init__(self, blocks: Iterable[BlockRow]) -> None:
        self._by_id = {block.id: block for block in blocks}
        self._children: dict[int, list[BlockRow]] = {}
        for block in self._by_id.values():
            if block.parent_id is not None:
                self._children.setdefault(block.parent_id, []).append(block)

    def block(self, block_id: int | None) -> BlockRow | None:
        """The block of this id, if it is one of them."""
        return None if block_id is None else self._by_id.get(block_id)

    def children(self, block: BlockRow) -> Sequence[BlockRow]:
        """The blocks directly inside a workflow."""
        return self._children.get(block.id, ())

    def with_all_below(self, blocks: Iterable[BlockRow]) -> Item:
        """These blocks and everything inside them."""
        found: dict[int, BlockRow] = {}
        todo = list(blocks)
        while todo:
            block = todo.pop()
            if block.id not in found:
                found[block.id] = block
                todo += self.children(block)
        return tuple(found[block_id] for block_id in sorted(found))

    def is_outflows(self, block: BlockRow) -> bool:
        """Whether Outflow ran this block: it puts a workflow of its own around all others."""
        seen: set[int] = set()
        while (parent := self.block(block.parent_id)) is not None and parent.id not in seen:
            seen.add(parent.id)
            block = parent
        return block.is_top_level
