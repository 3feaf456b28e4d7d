"""LineView: a list of lines of which only the visible ones are drawn; the only code that draws lines.

Its cost depends on the size of the window, not on the number of lines. The cursor stays on its
record: lines have keys, and when the lines change the cursor follows its key.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from outflow_tui import keys, text
from outflow_tui.lines import Piece, plain
from outflow_tui.long_lists import LongList
from outflow_tui.widgets.looks import look_of

MOST_SAID = 20_000
"""How many lines are written at most where all of them are wanted."""
SIGNS_A_CELL = 50
"""So many characters may share one cell; what is more of them is cut off where nobody looks."""
MOST_STRIPS = 2_000
"""How many drawn lines are kept."""


class HasKey(Protocol):
    """A line's record; equal records look the same."""

    @property
    def key(self) -> Hashable:
        """What tells this record from all others of the list."""


Item = TypeVar("Item", bound=HasKey)


class LineView(ScrollView, Generic[Item], can_focus=True):
    """Lines of text with a cursor; a subclass says how one record is drawn."""

    BINDINGS = keys.LINES
    shift: var[int] = var(0)

    @dataclass
    class Moved(Message):
        """The cursor is on another record now."""

        view: LineView[Any]
        key: Hashable

    @dataclass
    class Chosen(Message):
        """The user clicked the record that the cursor is on."""

        view: LineView[Any]
        key: Hashable

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.items: Sequence[Item] = ()
        self.cursor = 0
        self._strips: dict[int, Strip] = {}
        self._records: dict[int, Item] = {}
        """Those of the lines that were looked at: to make one of a long list costs more than to draw it."""
        self._styles: dict[tuple[str, bool], Style] = {}

    def draw(self, item: Item, width: int) -> list[Piece]:
        """The pieces of one line, for a window of `width` cells."""
        raise NotImplementedError

    def said(self, width: int) -> list[str]:
        """The lines as text, in a window of at least this width; of very many the first ones."""
        count = len(self.items)
        some = self.items if count <= MOST_SAID else islice(self.items, MOST_SAID)
        said = [plain(self.draw(item, max(width, self.size.width))).rstrip() for item in some]
        return [*said, f"({count - MOST_SAID} more lines are left out)"] if count > MOST_SAID else said

    @property
    def cursor_item(self) -> Item | None:
        """The record under the cursor."""
        return self._record(self.cursor)

    @property
    def cursor_key(self) -> Hashable:
        """The key of the record under the cursor."""
        item = self.cursor_item
        return item.key if item is not None else None

    def _record(self, line: int) -> Item | None:
        """The record of a line; None where there is none."""
        if line not in self._records and 0 <= line < len(self.items):
            self._records[line] = self.items[line]
        return self._records.get(line)

    def show(self, items: Sequence[Item]) -> None:
        """Show these records; the cursor stays on its own, and only lines that differ are drawn again."""
        key, offset = self.cursor_key, self.cursor - self.scroll_offset.y
        if items is self.items or items == self.items:
            return
        before, self._records = self._records, {}
        self.items = items
        self._strips.clear()
        self._tell_length()
        moved = self._follow(key)
        if moved != self.cursor:
            self.cursor = moved
            self.scroll_lines_to(moved - offset)
            self.refresh()
        else:
            self._refresh_changed(before)
        if self.cursor_key != key:
            self.post_message(self.Moved(self, self.cursor_key))

    def _tell_length(self) -> None:
        """Tell the scrollbar how many lines there are.

        Its room is always kept, so that a layout would change nothing, and send the whole screen.
        """
        length = Size(self.size.width, len(self.items))
        if length == self.virtual_size:
            return
        self.set_reactive(LineView.virtual_size, length)
        if self.is_mounted:
            self._scroll_update(length)

    def show_anew(self, items: Sequence[Item]) -> None:
        """Show these records where more than they decides the look: what is drawn as before costs nothing."""
        drawn, top = dict(self._strips), self.scroll_offset.y
        self._strips.clear()
        self.show(items)
        if self.scroll_offset.y != top:
            self.refresh()
            return
        for line in range(top, min(top + self.size.height, len(self.items))):
            if self.render_line(line - top) != drawn.get(line):
                self._refresh_line(line)

    def _follow(self, key: Hashable) -> int:
        """Where the record of this key is now: looked for near the cursor first; gone: the same line."""
        count = len(self.items)
        if isinstance(self.items, LongList):
            place = self.items.place_of(key)
            if place is not None:
                return place
        elif key is not None:
            for distance in range(count):
                for place in {self.cursor + distance, self.cursor - distance}:
                    if 0 <= place < count and self.items[place].key == key:
                        return place
        return max(min(self.cursor, count - 1), 0)

    def _refresh_changed(self, before: Mapping[int, Item]) -> None:
        top, height = self.scroll_offset.y, self.size.height
        for line in range(top, top + height):
            if before.get(line) != self._record(line):
                self._refresh_line(line)

    def _refresh_line(self, line: int) -> None:
        self._strips.pop(line, None)
        self.refresh(Region(0, line - self.scroll_offset.y, self.size.width, 1))

    def go_to(self, place: int) -> None:
        """Put the cursor on a line and bring it into view."""
        place = max(min(place, len(self.items) - 1), 0)
        if place != self.cursor:
            before, self.cursor = self.cursor, place
            self._refresh_line(before)
            self._refresh_line(place)
            self.post_message(self.Moved(self, self.cursor_key))
        self._reveal(place)

    def _reveal(self, line: int) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if height and not top <= line < top + height:
            target = line if line < top else line - height + 1
            if abs(line - top) > 2 * height:
                target = line - height // 2
            self.scroll_lines_to(target)

    def scroll_lines_to(self, line: int) -> None:
        """Let the window begin at a line; forced, for whether there is room to scroll is only known after a layout."""
        self.scroll_to(y=max(line, 0), animate=False, immediate=True, force=True)

    def go_to_key(self, key: Hashable) -> bool:
        """Put the cursor on the record of a key; whether it is there."""
        if isinstance(self.items, LongList):
            place = self.items.place_of(key)
        else:
            place = next((place for place, item in enumerate(self.items) if item.key == key), None)
        if place is not None:
            self.go_to(place)
        return place is not None

    def redraw(self) -> None:
        """Draw everything again, for when what decides the look of records has changed."""
        self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        line = self.scroll_offset.y + y
        record = self._record(line)
        if record is None:
            return Strip.blank(self.size.width, self._style(""))
        strip = self._strips.get(line)
        if strip is None:
            if len(self._strips) > MOST_STRIPS:
                self._strips.clear()
                self._records.clear()
            strip = self._strips[line] = self._make_strip(record, is_cursor=line == self.cursor)
        return strip

    def _make_strip(self, record: Item, *, is_cursor: bool) -> Strip:
        width = self.size.width
        pieces = self.draw(record, width)
        seen = _beginning(pieces, SIGNS_A_CELL * (self.shift + width))
        segments = [Segment(text.clean(piece), self._style(look, is_cursor)) for piece, look in seen]
        strip = Strip(segments)
        if self.shift:
            strip = strip.crop(self.shift, self.shift + width)
        return strip.adjust_cell_length(width, self._style("", is_cursor))

    def _style(self, look: str, is_cursor: bool = False) -> Style:
        style = self._styles.get((look, is_cursor))
        if style is None:
            mark = "cursor" if is_cursor and self.has_focus else "place" if is_cursor else ""
            looks = _under_cursor(look) if mark == "cursor" else [*look.split(), mark]
            styles = [look_of(self, f"line--{name}").partial_rich_style for name in looks if name]
            style = self._styles[look, is_cursor] = Style.combine([self.rich_style, *styles])
        return style

    def notify_style_update(self) -> None:
        """Forget what was drawn in the old look."""
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def watch_shift(self) -> None:
        self.redraw()

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self._styles.clear()
        self._refresh_line(self.cursor)

    def on_resize(self, event: events.Resize) -> None:
        self._strips.clear()
        self.virtual_size = Size(event.size.width, len(self.items))
        self._reveal(self.cursor)

    def on_click(self, event: events.Click) -> None:
        line = self.scroll_offset.y + event.y
        if line >= len(self.items):
            return
        was_there = line == self.cursor
        self.go_to(line)
        if was_there:
            self.post_message(self.Chosen(self, self.cursor_key))

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        self.go_to(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by windows."""
        self.go_to(self.cursor + pages * max(self.size.height - 1, 1))

    def action_jump(self, to_end: int) -> None:
        """Move the cursor to the first or the last line."""
        self.go_to(len(self.items) - 1 if to_end else 0)

    def action_shift(self, cells: int) -> None:
        """Look further right or left in long lines."""
        self.shift = max(self.shift + cells, 0)


def _under_cursor(look: str) -> list[str]:
    """The looks of a piece under the cursor: one colour for the whole line, but what was found stays marked."""
    names = look.split()
    found = ["match"] if "match" in names else ["here-cursor"] if "here" in names else []
    return ["cursor", *found]


def _beginning(pieces: Iterable[Piece], length: int) -> Iterator[Piece]:
    """The pieces up to so many characters: a line may have millions, of which nobody sees more than a window holds."""
    for piece, look in pieces:
        if piece[:length]:
            yield piece[:length], look
        length = max(length - len(piece), 0)
