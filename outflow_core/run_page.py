"""A page of the blocks of one run, in some bytes each; pure.

It is never changed: what follows from a page alone is found out once.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from typing import NamedTuple

from outflow_core.packed_columns import Column
from outflow_core.rows import TOP_LEVEL
from outflow_core.states import BlockType, State

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
UNTOLD = float("-inf")
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
        took = None if seconds == UNTOLD else seconds
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
    def failed_inside(self) -> Mapping[int | None, array[int]]:
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


def shortest(indices: array[int]) -> Indices:
    """The same indices, as a range where they are one."""
    is_range = indices[-1] - indices[0] == len(indices) - 1
    return range(indices[0], indices[-1] + 1) if is_range else indices


def _joined(parts: Sequence[range]) -> Indices:
    """The indices of these ranges, which are in order."""
    return parts[0] if len(parts) == 1 else shortest(array("H", chain.from_iterable(parts)))


def _all_of(codes: bytes, code: int) -> Iterator[int]:
    index = codes.find(code)
    while index >= 0:
        yield index
        index = codes.find(code, index + 1)


def code_of(kind: str, state: str, name: str) -> int:
    """The byte that stands for a block's type and state."""
    code = _CODES[kind, state]
    return code | _TOP if code & _WORKFLOW and name == TOP_LEVEL else code
