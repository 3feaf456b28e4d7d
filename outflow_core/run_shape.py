"""The blocks of one run in some bytes each: what is inside what, its name, state and how long it took; pure.

They stand in pages by their ids. A page is never changed: where a block is another, its page is
another one, and all the others stay the very same. What follows from a page alone is found out once.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, groupby, islice
from operator import is_
from typing import NamedTuple

from outflow_core.packed_columns import Column, Gathered
from outflow_core.rows import TOP_LEVEL
from outflow_core.states import BlockType, State

SOME = 1024
"""So many rows are made into a page at once."""
SIZE = 8192
"""How many ids a page covers; at most 65,536."""
STATES = tuple(State)
_WORKFLOW, _TOP = 8, 16
_CODES = {
    (kind.value, state.value): index + (_WORKFLOW if kind is BlockType.WORKFLOW else 0)
    for kind in BlockType
    for index, state in enumerate(STATES)
}
_PENDING, _RUNNING, _FAILED = (STATES.index(state) for state in (State.PENDING, State.RUNNING, State.FAILED))
_BEGUN = bytes(index for index, state in enumerate(STATES) if state is not State.PENDING)
"""Tasks that do not wait."""
_UNTOLD = float("-inf")
"""Stands for the seconds of a block of which the books do not tell how long it took."""

Place = tuple[int | None, str]
"""A parent and a name: where a task stands, and what it is called."""
Indices = Sequence[int]
"""Which blocks of a page, by their order in it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is kept of one block."""

    id: int
    parent_id: int | None
    type: BlockType
    state: State
    name: str
    hostname: str | None
    seconds: float | None
    """How long it took."""


ShapeRow = tuple[int, int | None, str, str, str, str | None, float | None]
"""The same as a database gives it, with type and state as text."""


class _Stretch(NamedTuple):
    """Blocks beside each other that are alike but for their states."""

    begin: int
    end: int
    parent: int | None
    name: str
    is_homeless: bool = False
    is_hidden: bool = False

    @property
    def indices(self) -> range:
        """The blocks."""
        return range(self.begin, self.end)

    @property
    def place(self) -> Place:
        """Where they stand, and what they are called."""
        return self.parent, self.name


@dataclass(frozen=True)
class Page:
    """The blocks of a run whose ids lie in one stretch, in order of their ids; at least one."""

    first: int
    """The id that the first place stands for."""
    places: Sequence[int]
    codes: bytes
    parents: Column[int | None]
    names: Column[str]
    hosts: Column[str | None]
    seconds: array[float]

    def __len__(self) -> int:
        return len(self.codes)

    def id(self, index: int) -> int:
        """The id of a block."""
        return self.first + self.places[index]

    def index(self, block_id: int) -> int | None:
        """Where a block is; None when it is not here."""
        place = block_id - self.first
        found = bisect_left(self.places, place)
        return found if found < len(self.places) and self.places[found] == place else None

    def shape(self, index: int) -> Shape:
        """What is kept of a block."""
        code, seconds = self.codes[index], self.seconds[index]
        kind = BlockType.WORKFLOW if code & _WORKFLOW else BlockType.TASK
        took = None if seconds == _UNTOLD else seconds
        return Shape(
            self.id(index), self.parents[index], kind, STATES[code & 7], self.names[index], self.hosts[index], took
        )

    def is_hidden(self, index: int) -> bool:
        """Whether it is the workflow around a run that Outflow never starts: nobody made it."""
        return bool(self.codes[index] & _TOP) and self.codes[index] & 7 != _FAILED

    def is_homeless(self, index: int) -> bool:
        """Whether it is a task that waits, and its place is not recorded yet."""
        return self.codes[index] == _PENDING and self.parents[index] is None

    @cached_property
    def _stretches(self) -> list[_Stretch]:
        """The blocks in stretches with one parent and one name, all of which are shown, or homeless, or hidden."""
        found, begin = list[_Stretch](), 0
        for end in sorted({*self.parents.ends_in(len(self)), *self.names.ends_in(len(self))}):
            parent, name = self.parents[begin], self.names[begin]
            waiting = self.codes[begin:end].count(_PENDING) if parent is None else 0
            if name != TOP_LEVEL and waiting in (0, end - begin):
                found.append(_Stretch(begin, end, parent, name, is_homeless=waiting > 0))
            else:
                for kind, some in groupby(range(begin, end), self._kind):
                    first, *others = some
                    found.append(_Stretch(first, first + len(others) + 1, parent, name, *kind))
            begin = end
        return found

    def _kind(self, index: int) -> tuple[bool, bool]:
        return self.is_homeless(index), self.is_hidden(index)

    @cached_property
    def _parted(self) -> tuple[Mapping[int | None, Indices], Mapping[str, Indices]]:
        """The blocks that are shown: by their parent, and those without a place yet by their name."""
        inside: dict[int | None, list[range]] = {}
        homeless: dict[str, list[range]] = {}
        for one in self._stretches:
            if one.is_homeless:
                homeless.setdefault(one.name, []).append(one.indices)
            elif not one.is_hidden:
                inside.setdefault(one.parent, []).append(one.indices)
        joined = {parent: _joined(parts) for parent, parts in inside.items()}
        return joined, {name: _joined(parts) for name, parts in homeless.items()}

    @property
    def inside(self) -> Mapping[int | None, Indices]:
        """The blocks by the id of their parent, without those that are hidden or homeless."""
        return self._parted[0]

    @property
    def homeless(self) -> Mapping[str, Indices]:
        """The tasks by name that wait, and whose place is not recorded yet."""
        return self._parted[1]

    @cached_property
    def _counts(self) -> dict[int | None, tuple[int, ...]]:
        return {}

    def counts(self, parent: int | None) -> tuple[int, ...]:
        """How many tasks right inside a parent are in each state."""
        found = self._counts.get(parent)
        if found is None:
            codes = self._codes_of(self.inside.get(parent, ()))
            found = self._counts[parent] = tuple(codes.count(code) for code in range(len(STATES)))
        return found

    def _codes_of(self, indices: Indices) -> bytes:
        if isinstance(indices, range):
            return self.codes[indices.start : indices.stop]
        return bytes(map(self.codes.__getitem__, indices))

    @cached_property
    def failed(self) -> Indices:
        """The blocks that failed, workflows too."""
        return array("H", sorted(index for code in _FAILED_CODES for index in _all_of(self.codes, code)))

    @cached_property
    def failed_inside(self) -> Mapping[int | None, Sequence[int]]:
        """The ids of the blocks that failed by their parents."""
        found: dict[int | None, array[int]] = {}
        for index in self.failed:
            found.setdefault(self.parents[index], array("q")).append(self.id(index))
        return found

    def failed_tasks(self) -> Iterator[int]:
        """The tasks that failed."""
        return (index for index in self.failed if self.codes[index] == _FAILED)

    @cached_property
    def running(self) -> tuple[int, ...]:
        """The ids of the blocks that say they are running, workflows too."""
        codes = (_RUNNING, _RUNNING | _WORKFLOW, _RUNNING | _WORKFLOW | _TOP)
        return tuple(sorted(self.id(index) for code in codes for index in _all_of(self.codes, code)))

    def first_running(self) -> int | None:
        """The id of the first task that says it is running."""
        index = self.codes.find(_RUNNING)
        return self.id(index) if index >= 0 else None

    @cached_property
    def workflows(self) -> tuple[int, ...]:
        """The ids of the workflows."""
        if max(self.codes) < _WORKFLOW:
            return ()
        return tuple(self.id(index) for index, code in enumerate(self.codes) if code & _WORKFLOW)

    @cached_property
    def _ranks(self) -> tuple[Mapping[Place, int], Sequence[int], Sequence[int]]:
        """How many of a name are right inside a parent; where stretches begin, and which one is first in each."""
        seen: Counter[Place] = Counter()
        begins, ranks = array("H"), array("H")
        for one in self._stretches:
            begins.append(one.begin)
            ranks.append(seen[one.place])
            seen[one.place] += 0 if one.is_homeless or one.is_hidden else one.end - one.begin
        return seen, begins, ranks

    def number_of(self, place: Place) -> int:
        """How many blocks of a name are right inside a parent."""
        return self._ranks[0].get(place, 0)

    def rank(self, index: int) -> int:
        """Which one a block is in this page among those of its name and parent, from 0 on."""
        _, begins, ranks = self._ranks
        number = bisect_right(begins, index) - 1
        return ranks[number] + index - begins[number]

    @cached_property
    def begun(self) -> Mapping[Place, tuple[int, int | None, int]]:
        """The tasks that do not wait, by their places: how many, the first id that failed, and the last id."""
        found: dict[Place, tuple[int, int | None, int]] = {}
        for one in self._stretches:
            codes = self.codes[one.begin : one.end]
            more = len(codes) - len(codes.translate(None, _BEGUN))
            if more:
                count, failed, _ = found.get(one.place, (0, None, 0))
                at = codes.find(_FAILED) if failed is None else -1
                last = max(map(codes.rfind, _BEGUN))
                found[one.place] = (
                    count + more,
                    self.id(one.begin + at) if at >= 0 else failed,
                    self.id(one.begin + last),
                )
        return found

    def begun_at(self, places: Collection[Place]) -> Iterator[int]:
        """The ids of the tasks at these places that do not wait."""
        for one in self._stretches:
            if one.place in places:
                for index in one.indices:
                    if self.codes[index] in _BEGUN:
                        yield self.id(index)

    def row(self, index: int) -> ShapeRow:
        """A block as a database gives it."""
        shape = self.shape(index)
        kind, state = shape.type.value, shape.state.value
        return shape.id, shape.parent_id, kind, state, shape.name, shape.hostname, shape.seconds


_FAILED_CODES = (_FAILED, _FAILED | _WORKFLOW, _FAILED | _WORKFLOW | _TOP)


def _shortest(indices: array[int]) -> Indices:
    """The same indices, as a range where they are one."""
    is_range = indices[-1] - indices[0] == len(indices) - 1
    return range(indices[0], indices[-1] + 1) if is_range else indices


def _joined(parts: Sequence[range]) -> Indices:
    """The indices of these ranges, which are in order."""
    return parts[0] if len(parts) == 1 else _shortest(array("H", chain.from_iterable(parts)))


def _all_of(codes: bytes, code: int) -> Iterator[int]:
    index = codes.find(code)
    while index >= 0:
        yield index
        index = codes.find(code, index + 1)


def page_of(first: int, rows: Iterable[ShapeRow]) -> Page | None:
    """The page that begins at an id and holds these blocks, which are in order; None for no blocks.

    The rows are taken some at a time: many of them at once would be most of the memory that a run needs.
    """
    places, codes, took = array("H"), bytearray(), array("f")
    parents, names, hosts = Gathered[int | None](), Gathered[str](), Gathered[str | None]()
    rows = iter(rows)
    while some := list(islice(rows, SOME)):
        ids, some_parents, kinds, states, some_names, some_hosts, seconds = zip(*some, strict=True)
        places.extend([number - first for number in ids])
        codes += bytes(map(_code, kinds, states, some_names))
        took.extend([_UNTOLD if one is None else one for one in seconds])
        parents.add(some_parents)
        names.add(some_names)
        hosts.add(some_hosts)
    if not codes:
        return None
    return Page(first, _shortest(places), bytes(codes), parents.column(), names.column(), hosts.column(), took)


def _code(kind: str, state: str, name: str) -> int:
    code = _CODES[kind, state]
    return code | _TOP if code & _WORKFLOW and name == TOP_LEVEL else code


def patched(page: Page, changed: Mapping[int, ShapeRow | None]) -> Page | None:
    """The page with these blocks as they are now, by their ids; None for one that is gone.

    It is the very same page when nothing is different.
    """
    news: dict[int, ShapeRow] = {}
    others = False
    for block_id, row in changed.items():
        index = page.index(block_id)
        if row is None or index is None:
            others = others or row is not None or index is not None
        elif page.row(index) != _as_kept(row):
            news[index] = row
    if others:
        return _laid_out_anew(page, changed)
    return _with_rows(page, news) if news else page


def _with_rows(page: Page, news: Mapping[int, ShapeRow]) -> Page:
    """The page with other values for some of its blocks, by their order in it."""
    codes, seconds = bytearray(page.codes), page.seconds[:]
    for index, row in news.items():
        codes[index] = _code(row[2], row[3], row[4])
        seconds[index] = _UNTOLD if row[6] is None else row[6]
    parents = page.parents.changed({index: row[1] for index, row in news.items()}, len(page))
    names = page.names.changed({index: row[4] for index, row in news.items()}, len(page))
    hosts = page.hosts.changed({index: row[5] for index, row in news.items()}, len(page))
    return Page(page.first, page.places, bytes(codes), parents, names, hosts, seconds)


def _laid_out_anew(page: Page, changed: Mapping[int, ShapeRow | None]) -> Page | None:
    """The page with other blocks than before."""
    rows: dict[int, ShapeRow | None] = {row[0]: row for row in map(page.row, range(len(page)))}
    kept = rows | dict(changed)
    return page_of(page.first, [row for _, row in sorted(kept.items()) if row is not None])


def _as_kept(row: ShapeRow) -> ShapeRow:
    """A row with its seconds as exact as they are kept."""
    return row if row[6] is None else (*row[:6], array("f", [row[6]])[0])


@dataclass(frozen=True)
class RunShape:
    """All blocks of one run, as far as they have been read, in pages of `size` ids."""

    pages: tuple[Page, ...] = ()
    size: int = SIZE

    @cached_property
    def _by_number(self) -> dict[int, Page]:
        return {page.first // self.size: page for page in self.pages}

    def __len__(self) -> int:
        return sum(map(len, self.pages))

    def page(self, block_id: int) -> Page | None:
        """The page in which a block stands, if it is there."""
        return self._by_number.get(block_id // self.size)

    def find(self, block_id: int | None) -> tuple[Page, int] | None:
        """The page of a block and where it is in it; None when it is not there."""
        page = self.page(block_id) if block_id is not None else None
        index = page.index(block_id) if page is not None and block_id is not None else None
        return (page, index) if page is not None and index is not None else None

    def get(self, block_id: int | None) -> Shape | None:
        """What is kept of a block; None when it is not there."""
        found = self.find(block_id)
        return found[0].shape(found[1]) if found else None

    def shapes(self) -> Iterator[Shape]:
        """Every block."""
        return (page.shape(index) for page in self.pages for index in range(len(page)))

    def with_pages(self, changed: Mapping[int, Page | None]) -> RunShape:
        """The run with these pages, by their numbers; the very same when they are the same."""
        kept = {**self._by_number, **changed}
        pages = tuple(page for _, page in sorted(kept.items()) if page is not None)
        is_same = len(pages) == len(self.pages) and all(map(is_, pages, self.pages))
        return self if is_same else replace(self, pages=pages)


def shape_of(rows: Iterable[ShapeRow], size: int = SIZE) -> RunShape:
    """The shape of a run with these blocks."""
    pages: dict[int, list[ShapeRow]] = {}
    for row in sorted(rows, key=lambda row: row[0]):
        pages.setdefault(row[0] // size, []).append(row)
    return RunShape(size=size).with_pages({number: page_of(number * size, rows) for number, rows in pages.items()})
