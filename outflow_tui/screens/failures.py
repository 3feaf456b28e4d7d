"""The failed tasks of one run grouped by cause: one cause, or many?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import events
from textual.app import ComposeResult

from outflow_core.failures import Cause
from outflow_tui import keys, reports
from outflow_tui.cause_words import cause_lines
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.snapshot import Focus
from outflow_tui.widgets.cause_list import CauseItem, CauseList
from outflow_tui.widgets.key_bar import KeyBar
from outflow_tui.widgets.line_view import LineView
from outflow_tui.widgets.title import Notice, Paragraph, Title, Words


class FailuresScreen(BooksScreen):
    """One line for each cause; closed with the first task of the one that was chosen."""

    BINDINGS = keys.FAILURES
    HELP = "Failures"
    OF_WHAT_COMES = frozenset({"open"})

    def __init__(self, place: int, run_id: int) -> None:
        super().__init__()
        self._place = place
        self._run_id = run_id

    def compose(self) -> ComposeResult:
        yield Title()
        yield Notice()
        yield Words(id="summary")
        yield CauseList(self.desk.glyphs)
        yield Paragraph(id="cause")
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_focus(self.query_one(CauseList), scroll_visible=False)
        super().on_mount()

    def wants(self, place: int) -> Focus:
        """The causes of this run's failures."""
        return Focus(self._run_id, causes=True) if place == self._place else Focus()

    def awaits(self) -> bool:
        """Whether no cause is known yet."""
        return not self._causes and (self._causes is None or self.seen[self._place].is_reading)

    @property
    def _causes(self) -> Sequence[Cause] | None:
        """The causes, once those of this run have been read."""
        snapshot = self.seen[self._place]
        return snapshot.causes if snapshot.focus.run_id == self._run_id else None

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return f"run-{self._run_id}-failures"

    def plain_value(self) -> Any:
        """The causes."""
        return [reports.cause_object(cause) for cause in self.seen[self._place].causes or ()]

    def show_seen(self) -> None:
        """The causes and how many tasks they took."""
        self.headline(f"run {self._run_id}  failures by cause")
        causes = self._causes
        if causes is None:
            return
        listed = self.query_one(CauseList)
        listed.now = self.desk.clock()
        is_on_top = listed.cursor == 0 and self.seen[self._place].is_reading
        listed.show(tuple(CauseItem(cause) for cause in causes))
        if is_on_top:
            listed.go_to(0)  # while more is read the order changes: who has not moved sees the most frequent one
        self.query_one("#summary", Words).say(f" {self._summary(causes)}")
        self._tell_cause()
        self.refresh_bindings()

    def _summary(self, causes: Sequence[Cause]) -> str:
        """How many tasks and causes, and what is still being read."""
        snapshot = self.seen[self._place]
        tasks = sum(len(cause.tasks) for cause in causes)
        line = snapshot.line(self._run_id)
        found = f"{len(causes)} cause{'s' if len(causes) != 1 else ''}"
        if snapshot.is_reading and line is not None and tasks < line.tasks.failed:
            return f"{tasks} of {line.tasks.failed} failed tasks read, {found} so far"
        if not tasks and not snapshot.is_reading:
            return "No task of this run failed."
        looking = ", looking at earlier runs" if snapshot.is_reading and tasks else ""
        return f"{tasks} failed task{'s' if tasks != 1 else ''}, {found}{looking}"

    def _tell_cause(self) -> None:
        """The cause under the cursor, in full."""
        item, desk = self.query_one(CauseList).cursor_item, self.desk
        width = self.size.width - 2
        lines = cause_lines(item.cause, width, desk.clock(), desk.glyphs) if item is not None else ()
        self.query_one(Paragraph).say("\n".join(lines))

    def on_line_view_moved(self, moved: LineView.Moved) -> None:
        """Tell of another cause."""
        self._tell_cause()

    def on_resize(self, event: events.Resize) -> None:
        """Cut the words for another window."""
        self.call_after_refresh(self._tell_cause)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is greyed."""
        if action == "open":
            return True if self.query(CauseList) and self.query_one(CauseList).cursor_item else None
        return True

    def on_line_view_chosen(self, chosen: LineView.Chosen) -> None:
        """A click on the line that the cursor is on goes to the task."""
        self.action_open()

    def action_configuration(self) -> None:
        """The configuration of this run."""
        self.desk.open_configuration(self._place, self._run_id)

    def action_timeline(self) -> None:
        """When the tasks ran, instead."""
        self.switch_to("timeline")

    def action_open(self) -> None:
        """Go to the first task that failed of this cause, and did not succeed later."""
        item = self.query_one(CauseList).cursor_item
        if item is not None:
            self.dismiss(item.task)
