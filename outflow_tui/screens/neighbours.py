"""The blocks before or after one, where there are several to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from textual.app import ComposeResult

from outflow_tui import keys
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.snapshot import Focus
from outflow_tui.task_lines import TaskLine
from outflow_tui.widgets.key_bar import KeyBar
from outflow_tui.widgets.line_view import LineView
from outflow_tui.widgets.neighbour_list import NeighbourList
from outflow_tui.widgets.title import Notice, Title


class Crossing(Protocol):
    """Where the ways part: the screen of the run, on its selected block."""

    def neighbours(self, step: int) -> Sequence[TaskLine]:
        """The blocks before (-1) or after (1) the selected one."""

    def crossing_words(self, step: int) -> str:
        """Which of them, and of what run and block."""

    def wants(self, place: int) -> Focus:
        """What has to be looked at for it."""


class NeighboursScreen(BooksScreen):
    """One line for each; closed with the id of the one that was chosen."""

    BINDINGS = keys.NEIGHBOURS
    HELP = "Upstream, downstream"

    def __init__(self, crossing: Crossing, step: int) -> None:
        super().__init__()
        self._crossing = crossing
        self._step = step

    def compose(self) -> ComposeResult:
        yield Title()
        yield Notice()
        yield NeighbourList(self.desk.glyphs)
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_focus(self.query_one(NeighbourList), scroll_visible=False)
        super().on_mount()

    def wants(self, place: int) -> Focus:
        """The same as the run below."""
        return self._crossing.wants(place)

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return "upstream" if self._step < 0 else "downstream"

    def show_seen(self) -> None:
        """The blocks, as far as they have come by now."""
        self.headline(self._crossing.crossing_words(self._step))
        listed = self._crossing.neighbours(self._step)
        if listed:
            self.query_one(NeighbourList).show(listed)

    def on_line_view_chosen(self, chosen: LineView.Chosen) -> None:
        """A click on the line that the cursor is on goes there."""
        self.action_open()

    def action_open(self) -> None:
        """Go to the block under the cursor."""
        key = self.query_one(NeighbourList).cursor_key
        if isinstance(key, int):
            self.dismiss(key)
