"""Lines of text that somebody else has laid out: details, tracebacks, configurations, differences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from outflow_tui import keys, text
from outflow_tui.lines import Line, Piece, plain
from outflow_tui.search import Haystack, Search, marked
from outflow_tui.widgets.line_view import LineView

MARGIN = 8
"""How many cells are left free beside a match that is brought into view."""


class TextLines(LineView[Line]):
    """Lines to read, with what is sought marked; long ones can be looked at further right, unless laid out to fit."""

    BINDINGS = keys.SIDEWAYS

    def __init__(self, *, id: str, fits: bool = False) -> None:
        super().__init__(id=id)
        self._fits = fits
        self.search: Search | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What fits is not moved sideways."""
        return action != "shift" or not self._fits

    def said(self, width: int) -> list[str]:
        """All lines as text; one that was cut for the window is whole again."""
        return Haystack(self.items).words.split("\n")

    def draw(self, item: Line, width: int) -> list[Piece]:
        """The line as it is, but for what is marked."""
        spans = self.search.spans(item.key, self.shift, self.shift + width) if self.search else ()
        return marked(item.pieces, spans)

    @property
    def everything(self) -> Sequence[Line]:
        """All lines that can be looked through, those too that are folded away."""
        return self.items

    def mark(self, found: Search | None) -> None:
        """Mark what was found, or nothing any more."""
        self.search = found
        self.redraw()

    def reveal_match(self) -> None:
        """Bring the match at which the search stands into view, downwards and sideways."""
        line = self.search.line if self.search else None
        if self.search is not None and line is not None:
            self.reveal_line(self.everything[line].key, line)
            self._reveal_columns(plain(self.everything[line].pieces), *self.search.column)

    def reveal_line(self, key: Hashable, place: int) -> None:
        """Put the cursor on a line, of which the key and the place in `everything` are known."""
        self.go_to(place)

    def _reveal_columns(self, words: str, start: int, end: int) -> None:
        first, last = text.width(words[:start]), text.width(words[:end])
        if last <= self.size.width:
            self.shift = 0
        elif not self.shift <= first <= last <= self.shift + self.size.width:
            self.shift = max(first - MARGIN, last - self.size.width + MARGIN, 0)
