"""The blocks of a run become the lines of a tree: what is folded, counted, failed; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from outflow_core.rows import BlockRow, TaskCounts
from outflow_core.states import BlockType, State
from outflow_core.tries import Try, mended
from outflow_tui.snapshot import RunView

TaskKey = int | str
"""A block's id, or `waiting NAME` for the heap of tasks whose place is not recorded yet."""

HEAP = 4
"""From how many equal waiting tasks on they are shown as one heap."""


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One line of the tree; `counts` are the tasks inside a workflow or a heap."""

    key: TaskKey
    depth: int
    name: str
    state: State
    row: BlockRow | None
    is_open: bool | None = None
    """Whether what is inside is shown; None when there is nothing inside."""
    counts: TaskCounts | None = None
    expected: int = 0
    """How many items a map has in all, where the books say so."""
    tried: Try | None = None
    """Which try it is, of a task that was tried more than once."""
    mended: int = 0
    """How many of the failed tasks inside succeeded on a later try."""


class TaskForest:
    """All blocks of one run by their place: what is inside what, as the books tell it.

    A block has no parent until it starts, so the waiting items of a map are told by their name
    only; they stand at the end, many of one name in one heap. The tries of a task stand together.
    """

    def __init__(self, view: RunView) -> None:
        self._view = view
        self.rows = {row.id: row for row in view.blocks}
        hidden = {row.id for row in view.blocks if row.is_top_level and row.state is not State.FAILED}
        self.inside: dict[TaskKey | None, list[TaskKey]] = defaultdict(list)
        self._parents: dict[TaskKey, TaskKey | None] = {}
        self.mended = mended(view.tries)
        homeless: dict[str, list[BlockRow]] = defaultdict(list)
        for row in self._together(view.blocks):
            if row.id in hidden:
                continue
            if row.parent_id is None and row.state is State.PENDING and row.type is BlockType.TASK:
                homeless[row.name].append(row)
            else:
                known = row.parent_id in self.rows and row.parent_id not in hidden
                self._place(row.id, row.parent_id if known else None)
        for name, rows in homeless.items():
            self._place_waiting(name, rows)
        self._counts: dict[TaskKey, TaskCounts] = {}
        failed = (row.id for row in view.blocks if row.state is State.FAILED)
        self._around_failed = {outer for block_id in failed for outer in self.around(block_id)}
        self._mended_inside = Counter(outer for task in self.mended for outer in self.around(task))
        self._ordinals: dict[TaskKey, dict[TaskKey, int]] = {}

    def _together(self, blocks: Sequence[BlockRow]) -> Iterable[BlockRow]:
        """The blocks in their order, but later tries right behind the first one."""
        tries = self._view.tries
        if not tries:
            return blocks
        first = {row.id: tries[row.id].blocks[0] if row.id in tries else row.id for row in blocks}
        return sorted(blocks, key=lambda row: (first[row.id], row.id))

    def _place(self, key: TaskKey, parent: TaskKey | None) -> None:
        self.inside[parent].append(key)
        self._parents[key] = parent

    def _place_waiting(self, name: str, rows: list[BlockRow]) -> None:
        heap: TaskKey | None = None
        if len(rows) >= HEAP:
            heap = f"waiting {name}"
            self._place(heap, None)
        for row in rows:
            self._place(row.id, heap)

    def counts(self, key: TaskKey) -> TaskCounts:
        """The tasks inside a workflow or a heap, at any depth."""
        if key not in self._counts:
            numbers = dict.fromkeys((state.value for state in State), 0)
            stack = list(self.inside.get(key, ()))
            while stack:
                child = stack.pop()
                row = self.rows.get(child) if isinstance(child, int) else None
                if row is not None and row.type is BlockType.TASK:
                    numbers[row.state.value] += 1
                stack.extend(self.inside.get(child, ()))
            self._counts[key] = TaskCounts(**numbers)
        return self._counts[key]

    def around(self, key: TaskKey) -> list[TaskKey]:
        """The keys of what is around a block, from the innermost outwards."""
        found: list[TaskKey] = []
        parent = self._parents.get(key)
        while parent is not None and parent not in found:
            found.append(parent)
            parent = self._parents.get(parent)
        return found

    def failures(self) -> list[int]:
        """The ids of the failed tasks in the order of the tree, and of workflows that failed by themselves.

        A workflow around another failed block only saw that one's failure.
        """
        failed: list[int] = []
        stack = list(reversed(self.inside.get(None, ())))
        while stack:
            key = stack.pop()
            row = self.rows.get(key) if isinstance(key, int) else None
            if row is not None and row.state is State.FAILED and row.id not in self._around_failed:
                failed.append(row.id)
            stack.extend(reversed(self.inside.get(key, ())))
        return failed

    def first_failure(self) -> int | None:
        """The first failure that no other try came after; if there is none, the first."""
        failed, tries = self.failures(), self._view.tries
        lasting = (task for task in failed if task not in tries or tries[task].is_last)
        return next(lasting, failed[0] if failed else None)

    def running(self) -> list[int]:
        """The ids of the tasks that say they are running."""
        return [row.id for row in self.rows.values() if row.state is State.RUNNING and row.type is BlockType.TASK]

    def is_open(self, key: TaskKey, chosen: Mapping[TaskKey, bool]) -> bool:
        """Whether a workflow is unfolded: as the user chose, else when something in it failed."""
        return chosen.get(key, key in self._around_failed)

    def lines(self, chosen: Mapping[TaskKey, bool]) -> tuple[TaskLine, ...]:
        """The lines to be seen, with workflows folded or not as the user chose."""
        lines = []
        stack: list[tuple[TaskKey, int]] = [(key, 0) for key in reversed(self.inside.get(None, ()))]
        while stack:
            key, depth = stack.pop()
            children = self.inside.get(key, ())
            is_open = self.is_open(key, chosen) if children else None
            lines.append(self._line(key, depth, is_open))
            if is_open:
                stack.extend((child, depth + 1) for child in reversed(children))
        return tuple(lines)

    def flat(self, ids: Collection[int]) -> tuple[TaskLine, ...]:
        """These blocks by themselves, in this order; those that the tree does not show are left out."""
        return tuple(self._line(block_id, 0, None) for block_id in ids if block_id in self._parents)

    def label(self, row: BlockRow) -> str:
        """The name of a task, with its number where several of one workflow have that name."""
        number = self._ordinal(row.id)
        return f"{row.name} {number}" if number else row.name

    def _line(self, key: TaskKey, depth: int, is_open: bool | None) -> TaskLine:
        counts = self.counts(key) if is_open is not None else None
        if isinstance(key, str):
            return TaskLine(key, depth, key, State.PENDING, None, is_open, counts)
        row = self.rows[key]
        expected = self._view.map_sizes.get(key, 0)
        tried = self._view.tries.get(key)
        mended_inside = self._mended_inside[key]
        return TaskLine(key, depth, self.label(row), row.state, row, is_open, counts, expected, tried, mended_inside)

    def _ordinal(self, key: TaskKey) -> int:
        """Which one it is among the tasks of its name in one workflow; 0 when it is the only one."""
        parent = self._parents.get(key)
        if not isinstance(parent, int):
            return 0
        if parent not in self._ordinals:
            self._ordinals[parent] = self._numbered(self.inside[parent])
        return self._ordinals[parent].get(key, 0)

    def _numbered(self, keys: list[TaskKey]) -> dict[TaskKey, int]:
        tries = self._view.tries
        later = {key for key in keys if isinstance(key, int) and key in tries and tries[key].number > 1}
        names = Counter(self.rows[key].name for key in keys if isinstance(key, int) and key not in later)
        seen: Counter[str] = Counter()
        numbers: dict[TaskKey, int] = {}
        for key in keys:
            name = self.rows[key].name if isinstance(key, int) else ""
            seen[name] += key not in later
            if names[name] > 1:
                numbers[key] = seen[name]
        return numbers
