"""Lines of text that somebody else has laid out: details, tracebacks, configurations, differences."""

from __future__ import annotations

from outflow_tui import keys
from outflow_tui.lines import Line, Piece
from outflow_tui.widgets.line_view import LineView


class TextLines(LineView[Line]):
    """Lines to read; long ones can be looked at further right, unless they were laid out to fit."""

    BINDINGS = keys.SIDEWAYS

    def __init__(self, *, id: str, fits: bool = False) -> None:
        super().__init__(id=id)
        self._fits = fits

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What fits is not moved sideways."""
        return action != "shift" or not self._fits

    def draw(self, item: Line, width: int) -> list[Piece]:
        """The line as it is."""
        return list(item.pieces)
