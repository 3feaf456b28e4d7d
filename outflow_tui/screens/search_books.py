"""A search over all runs of all sources: what holds the words, and whether an input was processed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Input

from outflow_core.findings import ORDER, Found, Kind
from outflow_tui import keys
from outflow_tui.finding_words import answer_words, progress
from outflow_tui.format import Glyphs
from outflow_tui.reports.search import found_object
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.snapshot import Focus
from outflow_tui.spans import seconds_at
from outflow_tui.widgets.finding_list import FindingItem, FindingList
from outflow_tui.widgets.key_bar import KeyBar
from outflow_tui.widgets.line_view import LineView
from outflow_tui.widgets.title import Notice, Title, Words

PAUSE = 0.15
"""Seconds without a key after which what was typed is looked for."""


class WordsInput(Input):
    """What is sought; its cursor does not blink, for that would be written for ever."""

    cursor_blink = False

    def on_key(self, event: events.Key) -> None:
        """Down goes to what was found."""
        if event.key in ("down", "pagedown"):
            event.stop()
            event.prevent_default()
            self.screen.focus_next()


class SearchBooksScreen(BooksScreen):
    """A line to type in, and below it what was found."""

    BINDINGS = keys.SEARCH_ALL
    HELP = "Search all runs"

    def __init__(self, glyphs: Glyphs, *, several: bool) -> None:
        super().__init__()
        self._list = FindingList(glyphs, several=several)
        self._words = ""
        self._turn = 0
        self._timer: Timer | None = None
        self._found: dict[int, Found] = {}

    def compose(self) -> ComposeResult:
        yield Title()
        yield Notice()
        yield WordsInput(placeholder="a file, an input, a name, an error, a value", compact=True, select_on_focus=False)
        yield Notice(id="answer")
        yield Words(id="summary")
        yield self._list
        yield Words(id="nothing")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#answer").add_class("-calm")
        self.action_type()
        super().on_mount()

    def wants(self, place: int) -> Focus:
        """The words; with a number, so that the same ones typed again are looked for again."""
        return Focus(search=(self._words, self._turn)) if self._words else Focus()

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return "search"

    def plain_value(self) -> Any:
        """What was found."""
        return [{"source": self.seen[place].source, **found_object(found)} for place, found in self._found.items()]

    def show_seen(self) -> None:
        """What was found by now; while another screen is looked at it stays."""
        for place, snapshot in enumerate(self.seen):
            if snapshot.search is not None and snapshot.focus == self.wants(place):
                self._found[place] = snapshot.search
        self._list.now = self.desk.clock()
        self._list.show(tuple(sorted(self._items(), key=_order)))
        self.headline("search all runs")
        self._say()
        self.refresh_bindings()

    def _items(self) -> list[FindingItem]:
        return [
            FindingItem(place, self.seen[place].source, finding)
            for place, found in self._found.items()
            for finding in found.findings
        ]

    def _say(self) -> None:
        found = list(self._found.values())
        has_all = len(found) == len(self.seen)
        answers = [
            self.source_words(place) + answer_words(one.answer, is_over=one.is_over)
            for place, one in self._found.items()
            if one.answer is not None and one.answer.inputs
        ]
        self.query_one("#answer", Notice).say("\n".join(answers))
        self.query_one("#summary", Words).say(f" {self._progress(found)}")
        is_over = has_all and all(one.is_over for one in found)
        nothing = "" if self._list.items else self._why_nothing(is_over)
        self.query_one("#nothing", Words).say(nothing)
        self.query_one("#nothing").display = bool(nothing)
        self._list.display = not nothing

    def _progress(self, found: list[Found]) -> str:
        if not self._words:
            return ""
        return progress(found, ellipsis=self.desk.glyphs.ellipsis) if found else "searching"

    def _why_nothing(self, is_over: bool) -> str:
        if not self._words:
            return (
                "Type the name of a file to see whether it was processed with the configuration in force; "
                "or any part of an input, a command, a task, a host, an error, or a value of a configuration."
            )
        if any(snapshot.error for snapshot in self.seen):
            return "Nothing to show yet."
        return "Nothing in the books holds these words; type fewer of them, or esc goes back." if is_over else ""

    def on_input_changed(self, changed: Input.Changed) -> None:
        """Look for it as soon as the fingers rest."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._seek)

    def _seek(self) -> None:
        """Look for what is typed by now."""
        typed = self.query_one(WordsInput).value.strip()
        if typed != self._words:
            self._words = typed
            self._turn += 1
            self._found = {}
            self.desk.refocus()
            self.show_seen()

    def on_input_submitted(self) -> None:
        """Open what the cursor is on."""
        self.app.call_later(self.action_open)

    def on_line_view_chosen(self, chosen: LineView.Chosen) -> None:
        """A click on the line that the cursor is on goes there."""
        self.app.call_later(self.action_open)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is greyed."""
        return True if action != "open" or self._list.cursor_item is not None else None

    def action_open(self) -> None:
        """Go to the place: a block of a run, or a path of its configuration."""
        item = self._list.cursor_item
        if item is None:
            return
        one = item.finding
        if one.kind in (Kind.CONFIGURATION, Kind.SETTINGS):
            self.desk.open_configuration(item.place, one.run_id, (one.kind.value, one.where))
        else:
            self.desk.open_run(item.place, one.run_id, one.block_id)

    def action_type(self) -> None:
        """Back to the line in which is typed."""
        self.set_focus(self.query_one(WordsInput), scroll_visible=False)


def _order(item: FindingItem) -> tuple[int, float, int]:
    """By kind; what began last first."""
    one = item.finding
    return ORDER[one.kind], -seconds_at(one.time or datetime.min), -one.run_id
