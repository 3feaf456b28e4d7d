"""The runs of all sources: home."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.widgets import Input

from outflow_tui import keys, status, text
from outflow_tui.format import Glyphs
from outflow_tui.remaining import remaining
from outflow_tui.run_listing import Entry, KnownRuns, RunItems
from outflow_tui.run_order import RunOrder, in_order
from outflow_tui.screens.books_screen import PAPER, BooksScreen
from outflow_tui.snapshot import Focus, RunKey
from outflow_tui.widgets.key_bar import KeyBar
from outflow_tui.widgets.line_view import LineView
from outflow_tui.widgets.run_list import RunHeading, RunItem, RunList, run_item
from outflow_tui.widgets.title import Notice, Title, Words
from outflow_tui.widgets.typing_line import TypingLine

if TYPE_CHECKING:  # the first frame waits for none of them
    from outflow_tui.documents import Document


EXAMPLES = "words, an id, state:failed, host:nid001, command:fit, since:2d"
"""What stands in the line in which a filter is typed."""


class RunsScreen(BooksScreen):
    """All runs, newest first or in another order, with a filter and marks."""

    BINDINGS = keys.RUNS
    HELP = "Runs"
    OF_WHAT_COMES = frozenset({"open", "mark", "diff", "configuration", "worked", "wait_for"})

    def __init__(self, glyphs: Glyphs, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names
        self._list = RunList(glyphs, several=len(names) > 1)
        self._marked: list[RunKey] = []
        self._only_failed = False
        self._field: TypingLine | None = None
        """Made when it is first wanted: no other widget costs the first frame as much."""
        self._tally: list[str] = []
        self._known = KnownRuns()

    def compose(self) -> ComposeResult:
        yield Title()
        yield Notice()
        yield Words(id="tally")
        yield RunHeading(self._list)
        yield self._list
        yield Words(id="nothing")
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_focus(self._list, scroll_visible=False)

    def wants(self, place: int) -> Focus:
        """Only the runs."""
        return Focus()

    def awaits(self) -> bool:
        """Whether no run is known yet."""
        return not self._known.newest and not all(snapshot.is_read for snapshot in self.seen)

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return "runs"

    def plain_value(self) -> Any:
        """The runs that are shown."""
        from outflow_tui.reports import line_object

        return [{"source": item.source, **line_object(item.line)} for item in self._list.items]

    def document(self) -> Document:
        """The runs under their titles."""
        document = super().document()
        titles = "".join(text.fit(self._list.title(column), size) + " " for column, size in self._list.columns(PAPER))
        return document._replace(lines=(titles.rstrip(), *document.lines))

    def show_seen(self) -> None:
        """The runs that fit the filter, in the order that was asked for."""
        now = self._list.now = self.desk.clock()
        self._known = self._known.now([snapshot.runs for snapshot in self.seen])
        shown = self._chosen(now)
        self._list.show(RunItems(shown, self._maker(now)))
        self.headline(f"outflow   {'   '.join(self._names)}")
        self._show_tally(shown)

    def _chosen(self, now: datetime) -> Sequence[Entry]:
        entries = in_order(self._known.newest, self._list.order, now, is_reversed=self._list.is_reversed)
        if self._only_failed:
            entries = [entry for entry in entries if entry.line.has_failure]
        if self._typed:
            from outflow_tui.run_filter import run_filter

            fits = run_filter(self._typed, now)
            entries = [entry for entry in entries if fits(entry.line, self._names[entry.place])]
        return entries

    def _maker(self, now: datetime) -> Callable[[Entry], RunItem]:
        """Makes a run a line of the list, as things are now."""
        places, marked = {entry.place for entry in self._known.running}, frozenset(self._marked)
        left = {place: remaining(self.seen[place].runs, now) for place in places}

        def make(entry: Entry) -> RunItem:
            place, line = entry
            seconds = left.get(place, {}).get(line.row.id)
            return run_item(place, self._names[place], line, entry.key in marked, now, seconds)

        return make

    def _show_tally(self, shown: Sequence[Entry]) -> None:
        number = len(self._known.newest)
        parts = [self._known.tally(self._list.now)]
        if self._typed or self._only_failed:
            from outflow_tui.run_filter import unclear_words

            chosen = " ".join(filter(None, ["failed only" if self._only_failed else "", self._typed]))
            parts.insert(0, f"{len(shown)} of {number} shown")
            parts.append(f"[{chosen}]")
            unclear = unclear_words(self._typed)
            parts[:0] = [f"not understood: {' '.join(unclear)}"] if unclear else []
        if self._marked:
            parts.append(f"{len(self._marked)} marked")
        parts += [self._order_words()] if self._order_words() else []
        self._tally = parts
        self._say_tally()
        self.query_one("#nothing", Words).say(self._why_nothing(number) if not shown else "")
        self._show_list(bool(shown))

    def _show_list(self, shown: bool) -> None:
        """The list, or the words on why there is none; with the list comes and goes what most keys need."""
        nothing, heading = self.query_one("#nothing"), self.query_one(RunHeading)
        if {not nothing.display, heading.display, self._list.display} != {shown}:
            nothing.display, heading.display, self._list.display = not shown, shown, shown
            self.refresh_bindings()

    def _say_tally(self) -> None:
        self.query_one("#tally", Words).say(" " + "   ".join(filter(None, [*self._tally, self._under_cursor()])))

    def _order_words(self) -> str:
        """In which order the runs stand, unless it is the usual one."""
        order, is_reversed = self._list.order, self._list.is_reversed
        if order is RunOrder.NEWEST:
            return "oldest first" if is_reversed else ""
        return f"{order.value}{', reversed' if is_reversed else ''}"

    def _under_cursor(self) -> str:
        """What there is to say of the run under the cursor: why it is taken for gone, what a success left undone."""
        item = self._list.cursor_item
        if item is None:
            return ""
        said = status.reason(item.line, self._list.now) if item.line.lost else status.unfinished(item.line)
        return f"{item.line.row.id}: {said}" if said else ""

    def _why_nothing(self, number: int) -> str:
        if number:
            return f"None of the {number} runs fits; esc takes the filter away."
        if any(snapshot.error for snapshot in self.seen):
            return "Nothing to show yet."
        if not all(snapshot.is_read for snapshot in self.seen):
            return "Reading the books ..."
        return "No run is recorded here yet. One appears as soon as the pipeline starts."

    def on_line_view_moved(self, moved: LineView.Moved) -> None:
        """What is known of the run under the cursor."""
        self._say_tally()

    def on_line_view_chosen(self, chosen: LineView.Chosen) -> None:
        """A click on the line that the cursor is on opens it."""
        self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is greyed."""
        if action in ("open", "mark", "configuration", "worked", "wait_for"):
            return True if self._list.cursor_item is not None else None
        if action == "clear":
            return True if self._is_filter_open or self._typed or self._only_failed or self._marked else None
        return True

    def action_open(self) -> None:
        """Open the run under the cursor."""
        item = self._list.cursor_item
        if item is not None:
            self.desk.open_run(*item.key)

    def action_configuration(self) -> None:
        """Show the configuration of the run under the cursor."""
        item = self._list.cursor_item
        if item is not None:
            self.desk.open_configuration(*item.key)

    def action_worked(self) -> None:
        """What differs from the last successful run of the same command."""
        item = self._list.cursor_item
        if item is not None:
            self.open_what_changed(*item.key)

    def action_wait_for(self) -> None:
        """Have it told when the run under the cursor ends."""
        item = self._list.cursor_item
        if item is not None:
            self.wait_for(*item.key)

    def action_failed(self) -> None:
        """Only runs with failures, or all again."""
        self._only_failed = not self._only_failed
        self.show_seen()

    def action_sort(self) -> None:
        """Put the runs in the next order."""
        self._list.order, self._list.is_reversed = self._list.order.following, False
        self._show_sorted()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._list.is_reversed = not self._list.is_reversed
        self._show_sorted()

    def _show_sorted(self) -> None:
        self.query_one(RunHeading).refresh()
        self.show_seen()

    def on_run_list_widened(self, widened: RunList.Widened) -> None:
        """Put the titles over their columns."""
        self.query_one(RunHeading).refresh()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away; then one line down."""
        item = self._list.cursor_item
        if item is None:
            return
        if item.key in self._marked:
            self._marked.remove(item.key)
        else:
            self._marked.append(item.key)
        self.show_seen()
        self._list.action_move(1)
        self.refresh_bindings()

    def _pair(self) -> tuple[RunKey, RunKey] | None:
        """The two runs to compare: those that are marked, or the mark and the cursor; the older one first."""
        item = self._list.cursor_item
        chosen = list(self._marked)
        if len(chosen) == 1 and item is not None and item.key != chosen[0]:
            chosen = [*chosen, item.key]
        if len(chosen) != 2:
            return None
        old, new = sorted(chosen, key=lambda key: key[1])
        return old, new

    def action_diff(self) -> None:
        """Compare the configurations of the marked runs: of two what differs, of more a table, oldest first."""
        pair = self._pair()
        if pair:
            self.desk.open_diff(*pair)
        elif len(self._marked) > 2:
            self.desk.open_table(sorted(self._marked, key=lambda key: key[1]))
        else:
            self.notify("Mark a run by the space bar, go to another one, then press d.", timeout=3)

    @property
    def _typed(self) -> str:
        """The filter, as it stands in its line by now."""
        return self._field.value.strip() if self._field is not None else ""

    @property
    def _is_filter_open(self) -> bool:
        """Whether there is a line in which a filter is typed."""
        return self._field is not None and self._field.display

    async def action_filter(self) -> None:
        """Begin to type a filter."""
        field = self._field
        if field is None:
            field = self._field = TypingLine(EXAMPLES)
            await self.mount(field, before=self.query_one(KeyBar))
        field.display = True
        field.begin(self._typed)

    def on_input_changed(self) -> None:
        """Filter as it is typed."""
        self.show_seen()

    def on_input_submitted(self) -> None:
        """Keep the filter and go back to the list."""
        self._close_filter()

    def _close_filter(self) -> None:
        if self._field is not None:
            self._field.display = False
        self._list.display = True
        self.set_focus(self._list, scroll_visible=False)
        self.show_seen()

    def action_clear(self) -> None:
        """Close the filter line, then take the filter away, then the marks."""
        if self._typed or self._only_failed:
            self._only_failed = False
            if self._field is not None:
                with self.prevent(Input.Changed):
                    self._field.value = ""
        elif not self._is_filter_open:
            self._marked.clear()
        self._close_filter()
        self.refresh_bindings()
