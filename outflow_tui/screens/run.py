"""One run: its tasks as a tree, and beside it the selected one with its traceback."""

from __future__ import annotations

from itertools import islice
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from outflow_core.rows import TOP_LEVEL, BlockRow
from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import keys, reports, status
from outflow_tui.format import Glyphs
from outflow_tui.lines import Line
from outflow_tui.remaining import left_words, remaining
from outflow_tui.screens.failures import FailuresScreen
from outflow_tui.screens.selected_block import SelectedBlockScreen
from outflow_tui.screens.timeline import TimelineScreen
from outflow_tui.screens.traceback import TracebackScreen
from outflow_tui.snapshot import RunLine
from outflow_tui.timeline_lines import Order
from outflow_tui.widgets.key_bar import KeyBar
from outflow_tui.widgets.line_view import MOST_SAID, LineView
from outflow_tui.widgets.reading_pane import ReadingPane
from outflow_tui.widgets.title import Notice, Title


class RunScreen(SelectedBlockScreen):
    """The tasks of one run and the details of one of them."""

    BINDINGS = keys.RUN
    HELP = "Run"
    OF_WHAT_COMES = frozenset({"failure", "traceback"})

    def __init__(self, glyphs: Glyphs, place: int, run_id: int, block_id: int | None = None) -> None:
        super().__init__(glyphs, place, run_id)
        self._first_block = block_id
        self._searched_from_tree = self._has_selected = False
        self.order = Order.START

    def compose(self) -> ComposeResult:
        yield Title()
        yield Notice()
        yield Notice(id="life")
        with Horizontal():
            yield self._tree
            yield self._details
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_focus(self._tree, scroll_visible=False)
        super().on_mount()

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return f"run-{self._run_id}"

    def plain_value(self) -> Any:
        """The run, its blocks (of very many the first ones), and the selected one with all that is known of it."""
        snapshot, detail = self.snapshot, self.detail
        line = snapshot.line(self._run_id) if snapshot else None
        blocks = list(islice(snapshot.run.shape.shapes(), MOST_SAID)) if snapshot and snapshot.run else []
        number = len(snapshot.run.shape) if snapshot and snapshot.run else 0
        return {
            "run": reports.line_object(line) if line else None,
            "blocks": [reports.shape_object(shape) for shape in blocks],
            "blocks_left_out": number - len(blocks),
            "selected": reports.block_object(detail) if detail else None,
        }

    def label_of(self, row: BlockRow) -> str:
        """The name of a block of this run as the tree shows it."""
        if self.snapshot is not None and self.snapshot.run is not None and self.snapshot.run.run_id == self._run_id:
            self._tree.learn(self.snapshot.run)
        return self._tree.label_of(row)

    @property
    def block_id(self) -> int | None:
        """The selected block."""
        return self._tree.block_id

    def show_seen(self) -> None:
        """The run's line, its tree, and the selected block."""
        snapshot = self.snapshot
        if snapshot is None:
            return
        line = snapshot.line(self._run_id)
        self.headline(
            self.source_words(self._place) + self._describe(line)
            if line
            else f"run {self._run_id} is not in the books any more"
        )
        self._show_life(line)
        if snapshot.run is not None and snapshot.run.run_id == self._run_id:
            self._tree.show_run(snapshot.run)
            if self._first_block is not None and self._tree.may_reveal(self._first_block):
                self._tree.reveal_block(self._first_block)
                self._first_block = None
            if not self._tree.items and snapshot.run.is_whole:
                self._details.show(_why_nothing(len(snapshot.run.shape)))
                self.refresh_bindings()
        self._show_detail()
        self.report_when_read()

    def awaits(self) -> bool:
        """Whether the first tasks have not come yet, or the one that is to be shown."""
        run = self.snapshot.run if self.snapshot else None
        is_there = self._tree.items or (run is not None and run.run_id == self._run_id and run.is_whole)
        return not is_there or self._first_block is not None

    def _show_life(self, line: RunLine | None) -> None:
        """Why the run is taken for dead, or for alive though nothing happens; which tasks of a success did not end."""
        notice = self.query_one("#life", Notice)
        notice.set_class(line is not None and line.life is not None and line.life.latest is None, "-calm")
        notice.say(self._doubt(line) if line is not None else "")

    def _doubt(self, line: RunLine) -> str:
        undone = status.unfinished(line)
        if undone and line.row.state is State.SUCCESS:
            return f"A success, but {undone}."
        return status.reason(line, self.desk.clock()) or undone

    def _describe(self, line: RunLine) -> str:
        row, now, glyphs = line.row, self.desk.clock(), self.desk.glyphs
        started = words.moment(row.start_time, now)
        times = f"{started} {glyphs.arrow} {words.moment(row.end_time, now)}" if row.end_time else started
        took = status.took_words(line, now)
        left = self._left(line)
        run = self.snapshot.run if self.snapshot else None
        is_coming = run is not None and run.run_id == row.id and not run.is_whole
        share = min(100 * len(run.shape) // max(line.tasks.total, 1), 99) if run is not None else 0
        coming = f"{share} % read" if is_coming else ""
        parts = [coming, f"run {row.id}", row.command or "", status.state_words(line, now, glyphs), times, took, left]
        return "  ".join(filter(None, [*parts, words.progress(line.tasks, glyphs), row.hostname, line.config_hash[:6]]))

    def _left(self, line: RunLine) -> str:
        """How long the run will probably go on."""
        if line.row.state is not State.RUNNING or self.snapshot is None:
            return ""
        left = left_words(remaining(self.snapshot.runs, self.desk.clock()).get(line.row.id))
        return f"{left} left" if left else ""

    def _show_detail(self) -> None:
        desk, detail = self.desk, self.detail
        if detail is not None:
            self._details.show_block(
                detail,
                desk.glyphs,
                libraries=desk.libraries,
                now=desk.clock(),
                name_of=self.name_of,
                tried=self.tried,
            )

    def on_line_view_moved(self, moved: LineView.Moved) -> None:
        """Another block is selected: the first is read at once, others soon, not at the next tick."""
        if moved.view is self._tree:
            self.refocus_soon() if self._has_selected else self.desk.refocus()
            self._has_selected = True
            self._show_detail()

    def on_line_view_chosen(self, chosen: LineView.Chosen) -> None:
        """A click on the selected block shows it whole."""
        if chosen.view is self._tree:
            self.action_traceback()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the details out anew."""
        self.call_after_refresh(self._show_detail)

    def action_failure(self, step: int) -> None:
        """To the next or previous failed task, among those too that failed while another screen lay on top."""
        self.show_seen()
        run = self.snapshot.run if self.snapshot else None
        if not self._tree.go_to_failure(step):
            is_known = run is not None and run.run_id == self._run_id and run.is_whole
            self.notify(f"Nothing failed in {'this run' if is_known else 'what was read of this run'}.", timeout=2)

    def action_other_side(self) -> None:
        """Between the tree and the details."""
        self.set_focus(self._details.lines if self._tree.has_focus else self._tree, scroll_visible=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is greyed; while something is typed, the key that begins to type is a letter."""
        if action == "search":
            return not self._details.is_typing
        if action == "traceback":
            return True if self._tree.cursor_item is not None else None
        return super().check_action(action, parameters)

    def action_search(self) -> None:
        """Begin to look for something in the details."""
        self._searched_from_tree = self._tree.has_focus
        self._details.begin_search()

    def on_reading_pane_ended(self, ended: ReadingPane.Ended) -> None:
        """Back to where the search began."""
        if self._searched_from_tree:
            self.set_focus(self._tree, scroll_visible=False)

    def action_traceback(self) -> None:
        """The selected block on the whole screen; on a heap of waiting tasks: fold or unfold it."""
        if self._tree.block_id is not None:
            self.desk.show(TracebackScreen(self))
        else:
            self._tree.action_fold_or_unfold()

    def action_wait_for(self) -> None:
        """Have it told when this run ends."""
        self.wait_for(self._place, self._run_id)

    def action_configuration(self) -> None:
        """The configuration of this run."""
        self.desk.open_configuration(self._place, self._run_id)

    def action_worked(self) -> None:
        """What differs from the last successful run of the same command."""
        self.open_what_changed(self._place, self._run_id)

    def action_failures(self) -> None:
        """The failed tasks by cause."""
        self.desk.show(FailuresScreen(self._place, self._run_id), self._go_to)

    def action_timeline(self) -> None:
        """When the tasks ran; closed with a task, that one is selected here."""
        self.desk.show(TimelineScreen(self.desk.glyphs, self, self._place, self._run_id), self._go_to)


def _why_nothing(blocks: int) -> tuple[Line, ...]:
    """Why the tree of a run with so many blocks is empty: what is around a run is not shown in it."""
    why = "it did not come to its first." if blocks < 2 else f"all of its {blocks} blocks are called {TOP_LEVEL}."
    return tuple(Line(said, ((said, "dim"),)) for said in ("No task is recorded in this run:", why))
