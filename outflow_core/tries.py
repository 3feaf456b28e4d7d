"""Which tasks of a run are tries of the same work: run again, under the same name and with the same inputs; pure.

The items of a map have one name too, but inputs of their own. Tasks whose inputs are not recorded
cannot be told apart, and two that ran side by side are no tries: of them nothing is said.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Any

from outflow_core.masking import MASK
from outflow_core.rows import BlockRow
from outflow_core.run_page import Place
from outflow_core.run_shape import RunShape
from outflow_core.states import BlockType, State

Sign = bytes
"""What equal inputs have in common; b'' when it cannot be said what the inputs are."""

_Work = tuple[int | None, str, Sign]
"""A parent, a name and the inputs: what tries have in common."""


@dataclass(frozen=True, slots=True)
class Try:
    """One of several tries of a task; the numbers are those of its blocks, the first try first."""

    blocks: tuple[int, ...]
    number: int
    """Which one it is, from 1 on."""
    outcome: State
    """What became of the last try."""

    @property
    def is_last(self) -> bool:
        """Whether no later try is recorded."""
        return self.number == len(self.blocks)

    @property
    def is_mended(self) -> bool:
        """Whether it failed, and a later try succeeded."""
        return not self.is_last and self.outcome is State.SUCCESS


def sign_of(inputs: Any) -> Sign:
    """The sign of the inputs of a task; inputs of which a part was masked before it was stored have none.

    >>> sign_of({"a": "1", "b": "2"}) == sign_of({"b": "2", "a": "1"}) != sign_of({"a": "1"})
    True
    >>> sign_of({}), sign_of(None), sign_of({"a": '"******"'})
    (b'', b'', b'')
    """
    words = json.dumps(inputs, sort_keys=True, default=repr)
    is_known = bool(inputs) and isinstance(inputs, dict) and MASK not in words
    return hashlib.blake2b(words.encode("utf-8", "backslashreplace"), digest_size=12).digest() if is_known else b""


def signs_of(inputs: Any) -> tuple[Sign, ...]:
    """The signs of the items of a map, or the one of a task."""
    return tuple(map(sign_of, inputs)) if isinstance(inputs, list) else (sign_of(inputs),)


def undecided(blocks: Collection[BlockRow]) -> set[int]:
    """The blocks whose inputs decide about tries: tasks of a name of which one failed before another began.

    The workflows around them are among these: a map says whether several of its items have the same inputs.
    """
    found: set[int] = set()
    if all(block.state is not State.FAILED for block in blocks):
        return found
    for (parent, _), tasks in _by_place(blocks).items():
        ends = [task.id for task in tasks if task.state is State.FAILED]
        if ends and tasks[-1].id > ends[0]:
            found.update(task.id for task in tasks)
            found.update([parent] if parent is not None else [])
    return found


def undecided_in(shape: RunShape, most: int, map_sizes: Mapping[int, int], *, in_all: int | None = None) -> set[int]:
    """The same, of the blocks of a run of which only the shape is known; where there are more than `most`: none.

    Of a very large run only the newest places are asked about, with at most `in_all` tasks together.
    """
    if not any(page.failed for page in shape.pages):
        return set()
    places: dict[Place, tuple[int, int | None, int]] = {}
    for page in shape.pages:
        for place, (more, failed, last) in page.begun.items():
            count, before, _ = places.get(place, (0, None, 0))
            places[place] = count + more, failed if before is None else before, last
    wanted = {
        place
        for place, (count, failed, last) in places.items()
        if failed is not None and last > failed and max(count, map_sizes.get(place[0] or 0, 0)) <= most
    }
    if in_all is not None and sum(places[place][0] for place in wanted) > in_all:
        newest = sorted(wanted, key=lambda place: places[place][2], reverse=True)
        together = accumulate(places[place][0] for place in newest)
        wanted = {place for place, count in zip(newest, together, strict=True) if count <= in_all}
    found = {parent for parent, _ in wanted if parent is not None}
    for page in shape.pages:
        if not wanted.isdisjoint(page.begun):
            found.update(page.begun_at(wanted))
    return found


class Tries:
    """The tries of a run, told block by block: where one is another only those of the same work are gone over."""

    def __init__(self, signs: Mapping[int, Sequence[Sign]]) -> None:
        self.told: Mapping[int, Try] = MappingProxyType({})
        """The tries by block, of those tasks that were tried more than once; another one when `tell` finds others."""
        self._signs = signs
        """Those of the undecided blocks, by their ids; they are known before a block is put, and those of a map
        before anything is told."""
        self._same: dict[_Work, dict[int, BlockRow]] = {}
        self._works: dict[int, _Work] = {}
        self._touched: set[_Work] = set()

    def put(self, block: BlockRow) -> None:
        """Know a block as it is now."""
        self.drop(block.id)
        sign = next(iter(self._signs.get(block.id, ())), b"")
        if sign and _has_begun(block):
            work = self._works[block.id] = block.parent_id, block.name, sign
            self._same.setdefault(work, {})[block.id] = block
            self._touched.add(work)

    def drop(self, block_id: int) -> None:
        """Forget a block."""
        work = self._works.pop(block_id, None)
        if work is not None:
            del self._same[work][block_id]
            self._touched.add(work)

    def tell(self) -> Mapping[int, Try]:
        """The tries by block as they are now; the very same as before when none is another."""
        if not self._touched:
            return self.told
        items = {parent: Counter(self._signs.get(parent, ())) for parent, _, _ in self._touched if parent is not None}
        news: dict[int, Try] = {}
        for parent, name, sign in self._touched:
            if parent is None or items[parent][sign] <= 1:
                news |= _numbered([block for _, block in sorted(self._same[parent, name, sign].items())])
        kept = {number: one for number, one in self.told.items() if self._works.get(number) not in self._touched}
        found = {number: one for number, one in kept.items() if number in self._works} | news
        self._touched = set()
        if found != self.told:
            self.told = MappingProxyType(found)
        return self.told


def tries_of(blocks: Iterable[BlockRow], signs: Mapping[int, Sequence[Sign]]) -> Mapping[int, Try]:
    """The tries by block, of those tasks that were tried more than once; `signs` are of the undecided blocks."""
    tries = Tries(signs)
    for block in blocks:
        tries.put(block)
    return tries.tell()


def mended(tries: Mapping[int, Try]) -> set[int]:
    """The tasks that failed, and succeeded when they were tried again."""
    return {block_id for block_id, one in tries.items() if one.is_mended}


def _by_place(blocks: Iterable[BlockRow]) -> dict[Place, list[BlockRow]]:
    """The tasks that have begun, in their order, by where they stand and what they are called."""
    places: dict[Place, list[BlockRow]] = {}
    for block in blocks:
        if _has_begun(block):
            places.setdefault((block.parent_id, block.name), []).append(block)
    return places


def _has_begun(block: BlockRow) -> bool:
    return block.type is BlockType.TASK and block.start_time is not None and block.state is not State.PENDING


def _numbered(tasks: Sequence[BlockRow]) -> dict[int, Try]:
    found: dict[int, Try] = {}
    for row in _rows(tasks):
        if len(row) > 1:
            ids = tuple(task.id for task in row)
            found |= {block_id: Try(ids, number, row[-1].state) for number, block_id in enumerate(ids, 1)}
    return found


def _rows(tasks: Sequence[BlockRow]) -> Iterator[list[BlockRow]]:
    """The tasks in rows in which each but the last one failed before the next began."""
    row: list[BlockRow] = []
    for task in tasks:
        if row and not _follows(task, row[-1]):
            yield row
            row = []
        row.append(task)
    if row:
        yield row


def _follows(task: BlockRow, before: BlockRow) -> bool:
    is_later = before.end_time is None or task.start_time is None or before.end_time <= task.start_time
    return before.state is State.FAILED and is_later and task.state is not State.SKIPPED
