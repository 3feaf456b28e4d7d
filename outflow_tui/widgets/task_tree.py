"""The tasks of a run, nested in their workflows."""

from __future__ import annotations

from collections.abc import Sequence

from outflow_core.rows import BlockRow
from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import keys, text
from outflow_tui.format import Glyphs
from outflow_tui.lines import Piece
from outflow_tui.snapshot import RunView
from outflow_tui.task_forest import TaskForest, TaskKey
from outflow_tui.task_lines import TaskLine, TaskLines, flat
from outflow_tui.try_words import try_words
from outflow_tui.widgets.line_view import LineView

NAME = 12
"""How many cells of a name are worth more than the words beside it."""


class TaskTree(LineView[TaskLine]):
    """The tree of one run; it opens on the first failure."""

    BINDINGS = keys.TASK_TREE

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="tasks")
        self.glyphs = glyphs
        self._view: RunView | None = None
        self._learned: RunView | None = None
        self._forest: TaskForest | None = None
        self._chosen: dict[TaskKey, bool] = {}
        self._at_first_failure = False
        self._is_coming = True

    def show_run(self, view: RunView) -> None:
        """Show the blocks of a run; the cursor goes to the first failure when there is one to see first."""
        if view is self._view:
            return
        is_first, self._view = self._view is None, view
        forest = self.learn(view)
        self._show_lines()
        if (is_first or not self._at_first_failure) and self.cursor == 0:
            self._at_first_failure = self.go_to_failure(0)
        if self._is_coming and not self._at_first_failure and self.cursor == 0:
            running = forest.first_running()
            if running is not None:
                self.reveal_block(running)
        self._is_coming = self._is_coming and not view.is_whole
        if is_first:
            self.post_message(self.Moved(self, self.cursor_key))

    def learn(self, view: RunView) -> TaskForest:
        """Know the blocks of a run without showing them yet."""
        if self._forest is None or self._learned is not view:
            self._learned, self._forest = view, TaskForest(view)
        return self._forest

    def _show_lines(self) -> None:
        if self._forest is not None:
            self.show(TaskLines(self._forest, self._chosen))

    @property
    def block_id(self) -> int | None:
        """The block under the cursor, when it is one."""
        key = self.cursor_key
        return key if isinstance(key, int) else None

    def name_of(self, block_id: int) -> str:
        """The name of a block of this run, '' when it is not there."""
        return self._forest.name_of(block_id) if self._forest else ""

    def names_around(self, block_id: int) -> tuple[str, ...]:
        """The names of the workflows around a block, from the outermost on."""
        around = self._forest.around(block_id) if self._forest else ()
        return tuple(self.name_of(key) for key in reversed(around) if isinstance(key, int))

    def blocks(self, ids: Sequence[int]) -> Sequence[TaskLine]:
        """Some blocks of this run by themselves."""
        return flat(self._forest, ids) if self._forest else ()

    def label_of(self, row: BlockRow) -> str:
        """The name of a block of this run as the tree shows it."""
        return self._forest.label(row.id, row.name) if self._forest else row.name

    def go_to_failure(self, step: int) -> bool:
        """To the next (1) or previous (-1) failed task from the cursor on, or (0) the first; whether there is one."""
        if self._forest is None:
            return False
        key = self.cursor_item.key if self.cursor_item is not None else None
        target = self._forest.failure_beyond(key, step) if step else self._forest.first_failure()
        if target is not None:
            self.reveal_block(target)
        return target is not None

    def may_reveal(self, block_id: int) -> bool:
        """Whether a block is there, or will not come any more."""
        forest = self._forest
        return forest is not None and (forest.has(block_id) or forest.view.is_whole)

    def reveal_block(self, block_id: int) -> None:
        """Unfold what is around a block and put the cursor on it."""
        if self._forest is None:
            return
        folded = [key for key in self._forest.around(block_id) if not self._forest.is_open(key, self._chosen)]
        self._chosen |= dict.fromkeys(folded, True)
        if folded:
            self._show_lines()
        self.go_to_key(block_id)

    def action_unfold(self) -> None:
        """Unfold the workflow under the cursor."""
        self._fold(True)

    def action_fold(self) -> None:
        """Fold the workflow under the cursor, or go to the one around it."""
        line = self.cursor_item
        if line is None or self._forest is None:
            return
        if line.is_open:
            self._fold(False)
        elif outer := self._forest.around(line.key):
            self.go_to_key(outer[0])

    def action_fold_or_unfold(self) -> None:
        """Fold or unfold the workflow under the cursor."""
        if self.cursor_item is not None:
            self._fold(not self.cursor_item.is_open)

    def _fold(self, is_open: bool) -> None:
        line = self.cursor_item
        if line is not None and line.is_open is not None:
            self._chosen[line.key] = is_open
            self._show_lines()

    def draw(self, item: TaskLine, width: int) -> list[Piece]:
        """Indentation, fold mark, state, name; counts or duration at the right."""
        fold = " " if item.is_open is None else self.glyphs.opened if item.is_open else self.glyphs.closed
        indent = "  " * min(item.depth, 8) + fold + " "
        glyph = self.glyphs.states[item.state] + " "
        right = self._right(item, width - len(indent) - len(glyph) - 2 - min(len(item.name), NAME))
        room = max(width - len(indent) - len(glyph) - len(right) - 2, 4)
        name = text.fit(text.clean(item.name), room, ellipsis=self.glyphs.ellipsis)
        look = "" if item.tried and item.tried.is_mended else item.state.value
        failed_inside = item.counts is not None and item.counts.failed > item.mended
        return [(indent, "dim"), (glyph, look), (name, look if look in ("failed", "pending", "skipped") else ""),
                (f" {right} ", "failed" if failed_inside else "dim")]  # fmt: skip

    def _right(self, item: TaskLine, room: int) -> str:
        """What stands at the right, with as many words as there is room for."""
        if item.counts is not None:
            total = max(item.expected, item.counts.total)
            failed = f" {item.counts.failed}{self.glyphs.states[State.FAILED]}" if item.counts.failed else ""
            mended = f", {item.mended} mended" if item.mended else ""
            return _longest(
                [f"{item.counts.done}/{total}{failed}{mended}", f"{item.counts.done}/{total}{failed}"], room
            )
        is_over = item.state not in (State.PENDING, State.SKIPPED, State.RUNNING)
        right = words.duration(item.seconds) if is_over else item.state.value
        if item.tried is None:
            return right
        short, long = try_words(item.tried)
        return _longest([f"{long}  {right}", long, f"{short}  {right}", short], room)


def _longest(words: Sequence[str], room: int) -> str:
    """The first of these that fits, else the last."""
    return next((some for some in words if len(some) <= room), words[-1])
