"""The keys, made from the one table of keys."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.widgets import Footer

from outflow_tui import keys
from outflow_tui.lines import Line
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.widgets.text_lines import TextLines
from outflow_tui.widgets.title import Notice, Title


class HelpScreen(BooksScreen):
    """The keys of the screen below first, then those of the others."""

    BINDINGS = keys.HELP

    def __init__(self, first: str) -> None:
        super().__init__()
        self._first = first
        self._lines = TextLines(id="help")

    def compose(self) -> ComposeResult:
        yield Title()
        yield Notice()
        yield self._lines
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._lines.focus()
        self._lines.show(tuple(help_lines(self._first)))
        super().on_mount()

    def show_seen(self) -> None:
        """Only the title: keys do not change."""
        self.headline("keys")


def help_lines(first: str) -> Iterator[Line]:
    """All tables of keys, one of them first."""
    names = [first, "Everywhere", *(name for name in keys.SCREENS if name not in (first, "Everywhere"))]
    for name in names:
        yield Line((name,), ((name, "strong"),))
        for table in keys.SCREENS[name]:
            for pressed, what in keys.described(table):
                yield Line((name, pressed), ((f"  {pressed:<26}", "changed"), (what, "")))
        yield Line((name, "end"), ())
