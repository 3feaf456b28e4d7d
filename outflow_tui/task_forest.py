"""All blocks of one run by their place: what is inside what, what failed in it, in which order; pure.

A block has no parent until it starts, so the waiting items of a map are told by their name
only; they stand at the end, many of one name in one heap. The tries of a task stand together.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate

from outflow_core.rows import TaskCounts
from outflow_core.run_page import STATES, Indices, Page, Place
from outflow_core.tries import mended
from outflow_tui.circles import without_circles
from outflow_tui.long_lists import Chain, Ids, Listed, Together
from outflow_tui.snapshot import RunView

TaskKey = int | str
"""A block's id, or `waiting NAME` for the heap of tasks whose place is not recorded yet."""

HEAP = 4
"""From how many equal waiting tasks on they are shown as one heap."""

_Part = tuple[Page, Indices]
_NONE = array("q")


class TaskForest:
    """The blocks of one view; what is asked for is found out then, and kept.

    Its cost depends on the number of pages and of parents, not on that of the blocks.
    """

    def __init__(self, view: RunView) -> None:
        self.view = view
        self.shape = without_circles(view.shape)
        self.mended = mended(view.tries)
        self._pages: dict[int | None, list[Page]] = defaultdict(list)
        self._waiting: dict[str, list[_Part]] = defaultdict(list)
        for page in self.shape.pages:
            for parent in page.inside:
                self._pages[parent].append(page)
            for name, indices in page.homeless.items():
                self._waiting[name].append((page, indices))
        self._children: dict[TaskKey | None, Ids | Together | Chain] = {}
        self._counts: dict[TaskKey, TaskCounts] = {}
        self._before: dict[Place, list[int]] = {}

    def name_of(self, block_id: int) -> str:
        """The name of a block, '' when it is not there."""
        found = self.shape.get(block_id)
        return found.name if found else ""

    def has(self, block_id: int) -> bool:
        """Whether the tree shows a block, folded or not."""
        found = self.shape.find(block_id)
        return found is not None and not found[0].is_hidden(found[1])

    def parent(self, key: TaskKey) -> TaskKey | None:
        """What is around a block; None when nothing is."""
        found = self.shape.find(key) if isinstance(key, int) else None
        if found is None or found[0].is_hidden(found[1]):
            return None
        page, index = found
        if page.is_homeless(index):
            heap = f"waiting {page.names[index]}"
            return heap if heap in self._heaps else None
        parent = page.parents[index]
        return parent if parent is not None and self.has(parent) else None

    def around(self, key: TaskKey) -> list[TaskKey]:
        """The keys of what is around a block, from the innermost outwards."""
        found: list[TaskKey] = []
        parent = self.parent(key)
        while parent is not None and parent not in found:
            found.append(parent)
            parent = self.parent(parent)
        return found

    @cached_property
    def _heaps(self) -> dict[str, list[_Part]]:
        numbers = {name: sum(len(indices) for _, indices in parts) for name, parts in self._waiting.items()}
        return {f"waiting {name}": parts for name, parts in self._waiting.items() if numbers[name] >= HEAP}

    @cached_property
    def _at_the_end(self) -> Listed[TaskKey]:
        """The heaps, and the waiting tasks that make none."""
        keys: list[TaskKey] = []
        for name, parts in self._waiting.items():
            heap = f"waiting {name}"
            keys += [heap] if heap in self._heaps else [page.id(index) for page, indices in parts for index in indices]
        return Listed(keys)

    def has_inside(self, key: TaskKey) -> bool:
        """Whether there is anything inside."""
        return key in self._heaps if isinstance(key, str) else key in self._pages

    def inside(self, key: TaskKey | None) -> Ids | Together | Chain:
        """What is right inside a workflow or a heap (None: inside nothing), in the order of the tree."""
        if key not in self._children:
            self._children[key] = self._find_inside(key)
        return self._children[key]

    def _find_inside(self, key: TaskKey | None) -> Ids | Together | Chain:
        if isinstance(key, str):
            return Ids(self._heaps.get(key, []))
        parts = self._roots() if key is None else [(page, page.inside[key]) for page in self._pages.get(key, ())]
        rows = self._rows.get(key)
        ids = Together(Ids(parts), rows) if rows else Ids(parts)
        return Chain(ids, self._at_the_end) if key is None else ids

    def _roots(self) -> list[_Part]:
        """What is inside nothing that the tree shows, but for what waits."""
        found: dict[int, list[_Part]] = {}
        for parent, pages in self._pages.items():
            if parent is None or not self.has(parent):
                for page in pages:
                    found.setdefault(page.first, []).append((page, page.inside[parent]))
        return [
            (parts[0][0], parts[0][1] if len(parts) == 1 else sorted(index for _, some in parts for index in some))
            for _, parts in sorted(found.items())
        ]

    @cached_property
    def _rows(self) -> Mapping[TaskKey | None, list[tuple[int, ...]]]:
        """The tries of the tasks inside a workflow, those of each task in a row."""
        found: dict[TaskKey | None, list[tuple[int, ...]]] = defaultdict(list)
        for block_id, one in self.view.tries.items():
            if one.number == 1:
                found[self.parent(block_id)].append(one.blocks)
        return found

    @cached_property
    def _nested(self) -> Mapping[TaskKey | None, list[TaskKey]]:
        """By what is around them: the keys that have something inside, in the order of the tree."""
        found: dict[TaskKey | None, list[TaskKey]] = defaultdict(list)
        found[None] += self._heaps
        for key in self._pages:
            if key is not None and self.has(key):
                found[self.parent(key)].append(key)
        return {around: sorted(keys, key=self._position(around)) for around, keys in found.items()}

    def _position(self, around: TaskKey | None) -> Callable[[TaskKey], int]:
        inside = self.inside(around)
        return lambda key: inside.place_of(key) or 0

    def nested(self, key: TaskKey | None) -> Sequence[TaskKey]:
        """What is right inside and has something inside itself, in the order of the tree."""
        return self._nested.get(key, ())

    def counts(self, key: TaskKey) -> TaskCounts:
        """The tasks inside a workflow or a heap, at any depth."""
        if key not in self._counts:
            numbers = [0] * len(STATES)
            stack: list[TaskKey] = [key]
            while stack:
                one = stack.pop()
                for some in self._direct(one):
                    numbers = [number + more for number, more in zip(numbers, some, strict=True)]
                stack.extend(self.nested(one))
            self._counts[key] = TaskCounts(**dict(zip((state.value for state in STATES), numbers, strict=True)))
        return self._counts[key]

    def _direct(self, key: TaskKey) -> Iterator[tuple[int, ...]]:
        if isinstance(key, str):
            yield (len(self.inside(key)), 0, 0, 0, 0)
        else:
            yield from (page.counts(key) for page in self._pages.get(key, ()))

    @cached_property
    def around_failed(self) -> set[TaskKey]:
        """What has something inside that failed, at any depth."""
        found: set[TaskKey] = set()
        for parent in {parent for page in self.shape.pages for parent in page.failed_inside}:
            key: TaskKey | None = parent if parent is not None and self.has(parent) else None
            while key is not None and key not in found:
                found.add(key)
                key = self.parent(key)
        return found

    @cached_property
    def mended_inside(self) -> Counter[TaskKey]:
        """How many of the failed tasks inside succeeded on a later try."""
        return Counter(outer for task in self.mended for outer in self.around(task))

    @cached_property
    def failures(self) -> Sequence[int]:
        """The ids of the failed tasks in the order of the tree, and of workflows that failed by themselves.

        A workflow around another failed block only saw that one's failure.
        """
        found = array("q")
        stack: list[TaskKey | array[int] | None] = [None]
        while stack:
            key = stack.pop()
            if isinstance(key, array):
                found.extend(key)
            else:
                stack.extend(reversed(list(self._failed_inside(key))))
        return found

    def _failed_inside(self, key: TaskKey | None) -> Iterator[TaskKey | array[int]]:
        """In the order of the tree: ids that failed by themselves, and keys with such ones inside."""
        failed, place_of = self._failed_right_inside(key), self.inside(key).place_of
        begin = 0
        for nested in self.nested(key):
            if nested in self.around_failed:
                end = bisect_left(failed, place_of(nested) or 0, lo=begin, key=lambda one: place_of(one) or 0)
                yield failed[begin:end]
                yield nested
                begin = end + (nested in failed[end : end + 1])
        yield failed[begin:]

    def _failed_right_inside(self, key: TaskKey | None) -> array[int]:
        """The ids of the blocks that failed right inside, in the order of the tree."""
        found = array("q")
        if isinstance(key, str):
            return found
        parents = [key] if key is not None else [one for one in self._pages if one is None or not self.has(one)]
        for parent in parents:
            for page in self._pages.get(parent, ()):
                found += page.failed_inside.get(parent, _NONE)
        if len(parents) > 1:
            found = array("q", sorted(found))
        if self._rows.get(key):
            found = array("q", sorted(found, key=lambda one: self.inside(key).place_of(one) or 0))
        return found

    def failure_beyond(self, key: TaskKey | None, step: int) -> int | None:
        """The next (1) or previous (-1) failure from a key on, round and round; None when there is none."""
        if not self.failures:
            return None
        here = self._order(key) if key is not None else ()
        if step > 0:
            return self.failures[bisect_right(self.failures, here, key=self._order) % len(self.failures)]
        return self.failures[bisect_left(self.failures, here, key=self._order) - 1]

    def _order(self, key: TaskKey) -> tuple[int, ...]:
        """What puts keys into the order of the tree: their places, from the outermost inwards."""
        path = [key, *self.around(key)]
        outer = [*path[1:], None]
        places = (self.inside(around).place_of(one) for one, around in zip(path, outer, strict=True))
        return tuple(place or 0 for place in places)[::-1]

    def first_failure(self) -> int | None:
        """The first failure that no other try came after; if there is none, the first."""
        failed, tries = self.failures, self.view.tries
        lasting = (task for task in failed if task not in tries or tries[task].is_last)
        return next(lasting, failed[0] if failed else None)

    def first_running(self) -> int | None:
        """The id of the first task that says it is running."""
        return next((found for page in self.shape.pages if (found := page.first_running()) is not None), None)

    def is_open(self, key: TaskKey, chosen: Mapping[TaskKey, bool]) -> bool:
        """Whether a workflow is unfolded: as the user chose, else when something in it failed."""
        return chosen.get(key, key in self.around_failed)

    def label(self, block_id: int, name: str) -> str:
        """The name of a task, with its number where several of one workflow have that name."""
        number = self._ordinal(block_id)
        return f"{name} {number}" if number else name

    def _ordinal(self, block_id: int) -> int:
        """Which one it is among the tasks of its name in one workflow; 0 when it is the only one."""
        tried = self.view.tries.get(block_id)
        found = self.shape.find(tried.blocks[0] if tried and self.shape.find(tried.blocks[0]) else block_id)
        parent = self.parent(block_id)
        if found is None or not isinstance(parent, int):
            return 0
        page, index = found
        place, later = (parent, page.names[index]), self._later.get((parent, page.names[index]), [])
        if place not in self._before:
            self._before[place] = [0, *accumulate(some.number_of(place) for some in self._pages[parent])]
        before, pages = self._before[place], self._pages[parent]
        if before[-1] - len(later) < 2:
            return 0
        number = bisect_left(pages, page.first, key=lambda some: some.first)
        return before[number] + page.rank(index) + 1 - bisect_left(later, page.id(index))

    @cached_property
    def _later(self) -> Mapping[Place, list[int]]:
        """The tasks by their places that are later tries of others: they have no numbers of their own."""
        found: dict[Place, list[int]] = defaultdict(list)
        for block_id, one in sorted(self.view.tries.items()):
            shape = self.shape.get(block_id) if one.number > 1 else None
            if shape is not None:
                found[shape.parent_id, shape.name].append(block_id)
        return found
