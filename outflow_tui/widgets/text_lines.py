"""Lines of text that somebody else has laid out: details, tracebacks, configurations, differences."""

from __future__ import annotations

from outflow_tui import keys
from outflow_tui.lines import Line, Piece
from outflow_tui.widgets.line_view import LineView


class TextLines(LineView[Line]):
    """Lines to read; long ones can be looked at further right."""

    BINDINGS = keys.SIDEWAYS

    def draw(self, item: Line, width: int) -> list[Piece]:
        """The line as it is."""
        return list(item.pieces)
