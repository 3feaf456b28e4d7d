"""The selected block of a run, and what can be done with it: copy, edit, report, follow its edges."""

from __future__ import annotations

from collections.abc import Sequence

from outflow_core.rows import BlockDetail
from outflow_core.states import State
from outflow_core.tracebacks import Frame
from outflow_core.tries import Try
from outflow_tui.detail_lines import place_of
from outflow_tui.failure_report import compared, failure_of, failure_report
from outflow_tui.format import Glyphs
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.screens.neighbours import NeighboursScreen
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.task_lines import TaskLine
from outflow_tui.widgets.block_pane import BlockPane
from outflow_tui.widgets.task_tree import TaskTree


class SelectedBlockScreen(BooksScreen):
    """A tree of blocks, of which one is selected and shown beside it; a subclass lays them out."""

    def __init__(self, glyphs: Glyphs, place: int, run_id: int) -> None:
        super().__init__()
        self._place = place
        self._run_id = run_id
        self._tree = TaskTree(glyphs)
        self._details = BlockPane(id="details")
        self._report_to = ""

    def wants(self, place: int) -> Focus:
        """The run and the selected block."""
        if place != self._place:
            return Focus()
        if self._report_to and self.snapshot is not None:
            return Focus(self._run_id, self._tree.block_id, configurations_of=compared(self.snapshot, self._run_id))
        return Focus(self._run_id, self._tree.block_id)

    @property
    def snapshot(self) -> Snapshot | None:
        """What was seen of this run's source."""
        return self.seen[self._place] if self._place < len(self.seen) else None

    @property
    def detail(self) -> BlockDetail | None:
        """The selected block, once it has been read."""
        snapshot = self.snapshot
        detail = snapshot.detail if snapshot else None
        return detail if detail is not None and detail.block.id == self._tree.block_id else None

    @property
    def tried(self) -> Try | None:
        """Which try the selected block is, of a task that was tried more than once."""
        run = self.snapshot.run if self.snapshot else None
        return run.tries.get(self._tree.block_id or 0) if run and run.run_id == self._run_id else None

    def name_of(self, block_id: int) -> str:
        """The name of a block of this run."""
        return self._tree.name_of(block_id)

    @property
    def place_in_code(self) -> Frame | None:
        """Where the selected block failed."""
        exception = self.detail.exception if self.detail else None
        return place_of(exception) if exception else None

    def neighbours(self, step: int) -> Sequence[TaskLine]:
        """The blocks before (-1) or after (1) the selected one, along its edges."""
        detail = self.detail
        return self._tree.blocks(detail.upstream if step < 0 else detail.downstream) if detail else ()

    def crossing_words(self, step: int) -> str:
        """Which of them, and of what run and block."""
        number, where = len(self.neighbours(step)), "upstream" if step < 0 else "downstream"
        name = self.detail.block.name if self.detail else ""
        return f"{self.source_words(self._place)}run {self._run_id}  {number} {where} of {name}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is greyed."""
        if action == "neighbour":
            return True if self.neighbours(-1 if parameters == (-1,) else 1) else None
        if action == "report":
            return True if self.detail is not None and self.detail.block.state is State.FAILED else None
        if action == "edit":
            return True if self.place_in_code else None
        if action == "copy":
            return True if self.detail is not None else None
        if action == "libraries":
            return True if self.detail is not None and self.detail.exception else None
        return True

    def action_neighbour(self, step: int) -> None:
        """Upstream (-1) or downstream (1) along the edges; of several one is chosen from a list."""
        listed = self.neighbours(step)
        if len(listed) == 1 and isinstance(listed[0].key, int):
            self._tree.reveal_block(listed[0].key)
        elif listed:
            self.desk.show(NeighboursScreen(self, step), self._go_to)

    def action_edit(self) -> None:
        """Open the frame under the cursor, or else the one where it failed, in the user's editor."""
        frame = (self._details.frame if self._details.lines.has_focus else None) or self.place_in_code
        if frame is not None:
            self.desk.edit(frame)

    def action_copy(self) -> None:
        """Copy the traceback of the selected block."""
        self.copy_detail(self.detail)

    def action_report(self, to: str) -> None:
        """Make a failure report, to paste (`copy`) or as a file (`save`), once the configurations have been read."""
        self._report_to = to
        self.desk.refocus()
        self.report_when_read()

    def report_when_read(self) -> None:
        """Make the report that is wanted; where nothing more will be read now, of what is known."""
        snapshot, detail = self.snapshot, self.detail
        if not self._report_to or snapshot is None or detail is None:
            return
        is_waiting = snapshot.focus != self.wants(self._place) and not snapshot.error and not self.desk.is_paused
        failed = failure_of(snapshot, self._run_id, detail, self._tree.names_around(detail.block.id))
        if is_waiting or failed is None:
            return
        to, self._report_to = self._report_to, ""
        self.desk.refocus()
        if to == "save":
            self.write_file(f"run-{self._run_id}-failure-{detail.block.id}", "md", failure_report(failed))
        else:
            self.copy(failure_report(failed))

    def _go_to(self, block_id: int | None) -> None:
        if block_id is not None:
            self.show_seen()
            self._tree.reveal_block(block_id)
