"""A screen that is one text to read, under the title line."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult

from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.widgets.key_bar import KeyBar
from outflow_tui.widgets.reading_pane import ReadingPane
from outflow_tui.widgets.text_lines import TextLines
from outflow_tui.widgets.title import Notice, Title


class ReadingScreen(BooksScreen):
    """One text; a subclass says in `show_seen` what stands in it, laid out for the window's width."""

    OF_WHAT_COMES = frozenset({"search"})

    def __init__(self, text: ReadingPane | None = None) -> None:
        super().__init__()
        self.text = text or ReadingPane(TextLines(id="lines"), id="text")

    def compose(self) -> ComposeResult:
        yield Title()
        yield Notice()
        yield self.text
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_focus(self.text.lines, scroll_visible=False)
        super().on_mount()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the text out anew."""
        self.call_after_refresh(self.show_again)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, the key that begins to type is a letter."""
        return not self.text.is_typing if action == "search" else True

    def awaits(self) -> bool:
        """Whether there is no text yet."""
        return not self.text.lines.everything

    def action_search(self) -> None:
        """Begin to look for something in the text."""
        self.text.begin_search()
