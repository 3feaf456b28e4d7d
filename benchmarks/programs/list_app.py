"""A bare list of many rows by `render_line`: a cursor, one line and one page at a time."""

import sys

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

ROWS = int(sys.argv[1])
CURSOR = Style(reverse=True)


class Rows(ScrollView, can_focus=True):
    """The list."""

    BINDINGS = [("j", "move(1)"), ("k", "move(-1)"), ("pagedown", "page(1)"), ("pageup", "page(-1)")]
    cursor = 0

    def on_mount(self) -> None:
        """So many rows."""
        self.virtual_size = Size(self.app.size.width, ROWS)
        self.focus()

    def render_line(self, y: int) -> Strip:
        """One row."""
        row = self.scroll_offset.y + y
        words = f"    o reduce_frame {row}".ljust(self.size.width)[: self.size.width]
        return Strip([Segment(words, CURSOR if row == self.cursor else None)], self.size.width)

    def action_move(self, rows: int) -> None:
        """Move the cursor, and show what it left and where it is."""
        for _ in range(2):
            self.refresh(Region(0, self.cursor - self.scroll_offset.y, self.size.width, 1))
            self.cursor, rows = min(max(self.cursor + rows, 0), ROWS - 1), 0
        if not 0 <= self.cursor - self.scroll_offset.y < self.size.height:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)

    def action_page(self, pages: int) -> None:
        """Move cursor and window by pages."""
        self.cursor = min(max(self.cursor + pages * self.size.height, 0), ROWS - 1)
        self.scroll_to(y=self.cursor, animate=False, immediate=True)
        self.refresh()


class ListApp(App[None]):
    """Only the list."""

    def compose(self) -> ComposeResult:
        """The list."""
        yield Rows()


ListApp().run()
