"""The lines of the tree of a run, each made when it is drawn; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass

from outflow_core.rows import TaskCounts
from outflow_core.states import State
from outflow_core.tries import Try
from outflow_tui.long_lists import LongList
from outflow_tui.task_forest import TaskForest, TaskKey


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One line of the tree; `counts` are the tasks inside a workflow or a heap."""

    key: TaskKey
    depth: int
    name: str
    state: State
    seconds: float | None = None
    """How long it took."""
    hostname: str | None = None
    is_open: bool | None = None
    """Whether what is inside is shown; None when there is nothing inside."""
    counts: TaskCounts | None = None
    expected: int = 0
    """How many items a map has in all, where the books say so."""
    tried: Try | None = None
    """Which try it is, of a task that was tried more than once."""
    mended: int = 0
    """How many of the failed tasks inside succeeded on a later try."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Lines of one depth, one after the other: what is inside a key, from a place on."""

    start: int
    around: TaskKey | None
    depth: int
    first: int


class TaskLines(LongList[TaskLine]):
    """The lines to be seen, with workflows folded or not as the user chose."""

    def __init__(self, forest: TaskForest, chosen: Mapping[TaskKey, bool]) -> None:
        self._forest = forest
        self._chosen = dict(chosen)
        self._stretches: list[_Stretch] = []
        self._of: dict[TaskKey | None, list[_Stretch]] = {}
        self._length = 0
        self._lay_out()
        self._starts = [stretch.start for stretch in self._stretches]

    def _lay_out(self) -> None:
        """Part the lines into stretches: each ends where something deeper begins, or its depth ends."""
        stack = [self._stretches_in(None, 0)]
        while stack:
            deeper = next(stack[-1], None)
            if deeper is None:
                stack.pop()
            else:
                stack.append(self._stretches_in(*deeper))

    def _stretches_in(self, around: TaskKey | None, depth: int) -> Iterator[tuple[TaskKey, int]]:
        inside, begin = self._forest.inside(around), 0
        for key in self._forest.nested(around):
            place = inside.place_of(key) if self._forest.is_open(key, self._chosen) else None
            if place is not None:
                self._add(around, depth, begin, place + 1)
                begin = place + 1
                yield key, depth + 1
        self._add(around, depth, begin, len(inside))

    def _add(self, around: TaskKey | None, depth: int, begin: int, end: int) -> None:
        stretch = _Stretch(self._length, around, depth, begin)
        self._stretches.append(stretch)
        self._of.setdefault(around, []).append(stretch)
        self._length += end - begin

    def __len__(self) -> int:
        return self._length

    def at(self, place: int) -> TaskLine:
        """The line at a place."""
        stretch = self._stretches[bisect_right(self._starts, place) - 1]
        key = self._forest.inside(stretch.around).at(stretch.first + place - stretch.start)
        is_open = self._forest.is_open(key, self._chosen) if self._forest.has_inside(key) else None
        return line_of(self._forest, key, stretch.depth, is_open)

    def place_of(self, key: Hashable) -> int | None:
        """Where the line of a key is; None when it is folded away, or not there."""
        if not isinstance(key, int | str):
            return None
        around = self._forest.parent(key)
        place = self._forest.inside(around).place_of(key) if around in self._of else None
        if place is None:
            return None
        stretches = self._of[around]
        stretch = stretches[bisect_right(stretches, place, key=lambda one: one.first) - 1]
        return stretch.start + place - stretch.first


def line_of(forest: TaskForest, key: TaskKey, depth: int, is_open: bool | None) -> TaskLine:
    """The line of a block, or of a heap."""
    counts = forest.counts(key) if is_open is not None else None
    shape = forest.shape.get(key) if isinstance(key, int) else None
    if shape is None:
        return TaskLine(key, depth, str(key), State.PENDING, is_open=is_open, counts=counts)
    return TaskLine(
        key,
        depth,
        forest.label(shape.id, shape.name),
        shape.state,
        shape.seconds,
        shape.hostname,
        is_open,
        counts,
        forest.view.map_sizes.get(shape.id, 0),
        forest.view.tries.get(shape.id),
        forest.mended_inside[shape.id] if is_open is not None else 0,
    )


def flat(forest: TaskForest, ids: Collection[int]) -> tuple[TaskLine, ...]:
    """These blocks by themselves, in this order; those that the tree does not show are left out."""
    return tuple(line_of(forest, block_id, 0, None) for block_id in ids if forest.has(block_id))
