"""The timeline of one run: when each task ran, how many at once, which failed and which were slow."""

from __future__ import annotations

from typing import Protocol

from textual import events
from textual.app import ComposeResult

from outflow_core.rows import BlockRow
from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import keys, status, text
from outflow_tui import timeline_bars as bars
from outflow_tui import timeline_lines as lines
from outflow_tui.format import Glyphs
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.snapshot import Focus, RunLine
from outflow_tui.spans import Span
from outflow_tui.timeline import Timeline
from outflow_tui.timeline_lines import Order, Period
from outflow_tui.widgets.key_bar import KeyBar
from outflow_tui.widgets.line_view import LineView
from outflow_tui.widgets.timeline_list import Frame, TimelineList
from outflow_tui.widgets.title import Notice, Title, Words


class Below(Protocol):
    """The screen of the run: it knows the tasks by their labels, and keeps the order that was chosen."""

    order: Order

    @property
    def block_id(self) -> int | None:
        """The task that is selected there."""

    def label_of(self, row: BlockRow) -> str:
        """The name of a task as the tree shows it."""


class TimelineScreen(BooksScreen):
    """One line for each task that has begun; closed with the task that was chosen."""

    BINDINGS = keys.TIMELINE
    HELP = "Timeline"
    OF_WHAT_COMES = frozenset({"open", "failure", "sort"})

    def __init__(self, glyphs: Glyphs, below: Below, place: int, run_id: int) -> None:
        super().__init__()
        self._below = below
        self._place = place
        self._run_id = run_id
        self._list = TimelineList(glyphs, below.label_of)
        self._period: Period | None = None
        self._is_new = self._awaits = True
        self._order: Order | None = None

    def compose(self) -> ComposeResult:
        yield Title()
        yield Notice()
        yield Words(id="summary")
        yield Notice(id="clocks")
        yield Words(id="axis")
        yield Words(id="at-once")
        yield Words(id="marks")
        yield self._list
        yield Words(id="selected")
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_focus(self._list, scroll_visible=False)
        super().on_mount()

    def wants(self, place: int) -> Focus:
        """The timeline of this run, and the task under the cursor."""
        if place != self._place:
            return Focus()
        selected = self._span.key if self._span else self._below.block_id
        return Focus(self._run_id, selected, timeline=True)

    def awaits(self) -> bool:
        """Whether the tasks have not come yet."""
        return self._awaits

    @property
    def _span(self) -> Span | None:
        item = self._list.cursor_item
        return item if isinstance(item, Span) else None

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return f"run-{self._run_id}-timeline"

    def show_seen(self) -> None:
        """What ran when, over the width that there is."""
        snapshot = self.seen[self._place]
        line, timeline = snapshot.line(self._run_id), snapshot.timeline
        self.headline(f"{self.source_words(self._place)}run {self._run_id}  timeline  {self._about(line)}")
        if line is None or timeline is None or timeline.run_id != self._run_id or not self._list.size.width:
            if timeline is None and snapshot.is_reading:
                self._say("summary", "Reading the tasks ...")
            return
        self._awaits = False
        self._period = lines.period_of(line, timeline, self.desk.clock())
        if self._period is None or not timeline.spans:
            self._say("summary", f"No task has begun yet.  {lines.summary(timeline, 0, self.desk.glyphs)}")
            self._list.show_rows((), Frame())
        else:
            self._show_tasks(timeline, self._period)
        self._say_selected()
        self.refresh_bindings()

    def _about(self, line: RunLine | None) -> str:
        if line is None:
            return "is not in the books any more"
        now = self.desk.clock()
        took = status.took_words(line, now)
        return "  ".join([line.row.command or "", status.state_words(line, now, self.desk.glyphs), took])

    def _show_tasks(self, timeline: Timeline, period: Period) -> None:
        listed, glyphs, until = self._list, self.desk.glyphs, period.end
        listed.widest = timeline.widest
        scale = lines.scale_of(timeline, period, listed.bar_width(listed.size.width))
        slow = lines.slow_ones(timeline, until)
        self._say("summary", lines.summary(timeline, len(slow), glyphs))
        self.query_one("#clocks", Notice).say(lines.clock_words(timeline, period))
        self._say("axis", self._below.order.value, bars.axis(scale, self.desk.clock(), glyphs))
        most = f"at most {timeline.at_once.most} at once"
        self._say("at-once", most, bars.levels(timeline.at_once, scale, until, glyphs))
        self._say_marks(bars.marks(timeline, scale, slow, until, glyphs))
        order = self._below.order
        follow = period.goes_on and order is Order.START and order is self._order
        self._order = order
        rows = lines.arrange(timeline, order, until)
        listed.show_rows(rows, Frame(scale, until, timeline.usual), follow=follow)
        if self._is_new:
            self._is_new = False
            if self._below.block_id is None or not listed.go_to_key(self._below.block_id):
                listed.go_to_failure(0)

    def _say(self, name: str, left: str, right: str = "") -> None:
        """Words of ours on a line above the tasks, and what stands over their bars."""
        said = f" {left}"
        if right:
            width = self._list.left_width(self._list.size.width)
            said = text.fit(said, width, ellipsis=self.desk.glyphs.ellipsis) + right
        self.query_one(f"#{name}", Words).say(said.rstrip())

    def _say_marks(self, marks: str) -> None:
        failed = self.desk.glyphs.states[State.FAILED]
        signs = [
            f"{sign} {name}" for sign, name in ((failed, "failed"), (self.desk.glyphs.slow, "slow")) if sign in marks
        ]
        self._say("marks", "  ".join(signs), marks.rstrip())
        self.query_one("#marks").set_class(bool(signs), "-shown")

    def _say_selected(self) -> None:
        """The task under the cursor in full: its times, its host, what it failed of, what is usual."""
        span = self._span
        said = self._selected_words(span) if span is not None and self._period is not None else ""
        width = self._list.size.width
        self.query_one("#selected", Words).say(text.fit(f" {said}", width, ellipsis=self.desk.glyphs.ellipsis).rstrip())

    def _selected_words(self, span: Span) -> str:
        row, now, slow = span.row, self.desk.clock(), self._list.slow(span)
        begin, end = (words.moment(moment, now) for moment in (row.start_time, row.end_time))
        times = f"{begin} {self.desk.glyphs.arrow} {end or row.state.value}  {self._list.took(span)}"
        parts = [self._below.label_of(row), times, f"on {row.hostname}" if row.hostname else "", self._reason(row)]
        if slow is not None:
            where = f" in run {slow.run_id}" if slow.run_id is not None else " in this run"
            parts.insert(2, bars.slow_words(slow) + where)
        return text.clean("  ".join(filter(None, parts)))

    def _reason(self, row: BlockRow) -> str:
        """What a failed task failed of, once it has been read."""
        detail = self.seen[self._place].detail
        if row.state is not State.FAILED or detail is None or detail.block.id != row.id:
            return ""
        return detail.exception.message if detail.exception else "no exception recorded"

    def on_line_view_moved(self, moved: LineView.Moved) -> None:
        """Another task is selected: say more about it."""
        self._say_selected()
        self.refocus_soon()
        self.refresh_bindings()

    def on_line_view_chosen(self, chosen: LineView.Chosen) -> None:
        """A click on the line that the cursor is on goes to the task."""
        self.action_open()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the time over the new width."""
        self.call_after_refresh(self.show_again)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is greyed."""
        timeline = self.seen[self._place].timeline if self.seen else None
        if action == "open":
            return True if self._span else None
        if action == "failure":
            return True if timeline is not None and timeline.failed else None
        if action == "sort":
            return True if timeline is not None and timeline.spans else None
        return True

    def action_open(self) -> None:
        """Back to the run, with this task selected."""
        if self._span is not None:
            self.dismiss(self._span.key)

    def action_failure(self, step: int) -> None:
        """To the next or previous failed task."""
        self._list.go_to_failure(step)

    def action_sort(self) -> None:
        """Put the tasks in the next order."""
        self._below.order = self._below.order.following
        self.show_seen()
        if self._below.order is Order.LONGEST:
            self._list.go_to(0)
        if self._list.cursor < self._list.size.height:
            self._list.scroll_lines_to(0)

    def action_failures(self) -> None:
        """The failed tasks by cause, instead."""
        self.switch_to("failures")

    def action_wait_for(self) -> None:
        """Have it told when this run ends."""
        self.wait_for(self._place, self._run_id)

    def action_configuration(self) -> None:
        """The configuration of this run."""
        self.desk.open_configuration(self._place, self._run_id)
