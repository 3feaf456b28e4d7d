"""Lines of nested text, to be folded and unfolded."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from outflow_tui import keys
from outflow_tui.folds import Folds
from outflow_tui.format import Glyphs
from outflow_tui.lines import Line
from outflow_tui.widgets.text_lines import TextLines


class FoldedLines(TextLines):
    """What is deeper than a line can be folded into it; what is sought is found there too."""

    BINDINGS = keys.FOLDS

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._folds = Folds((), glyphs)
        self._folded: set[Hashable] = set()

    @property
    def everything(self) -> Sequence[Line]:
        """All lines, unfolded."""
        return self._folds.lines

    def show(self, items: Sequence[Line]) -> None:
        """Show these lines; what was folded stays so."""
        if items != self._folds.source:
            self._folds = Folds(items, self._glyphs)
            self._show_lines()

    def _show_lines(self) -> None:
        super().show(self._folds.shown(self._folded))

    def reveal_line(self, key: Hashable, place: int) -> None:
        """Unfold what is around a line and put the cursor on it."""
        around = self._folded.intersection(self._folds.around(key))
        if around:
            self._folded -= around
            self._show_lines()
        self.go_to_key(key)

    def _fold(self, is_folded: bool) -> None:
        key = self.cursor_key
        if self._folds.number_inside(key):
            (self._folded.add if is_folded else self._folded.discard)(key)
            self._show_lines()

    def action_unfold(self) -> None:
        """Unfold the line under the cursor."""
        self._fold(False)

    def action_fold(self) -> None:
        """Fold the line under the cursor, or go to the one around it."""
        key = self.cursor_key
        if self._folds.number_inside(key) and key not in self._folded:
            self._fold(True)
        elif outer := self._folds.around(key):
            self.go_to_key(outer[0])

    def action_fold_or_unfold(self) -> None:
        """Fold or unfold the line under the cursor."""
        self._fold(self.cursor_key not in self._folded)

    def action_fold_all(self, is_folded: bool) -> None:
        """Fold everything, or unfold everything."""
        outer = self._folds.around(self.cursor_key)
        if is_folded and outer:
            self.go_to_key(outer[-1])
        self._folded = set(self._folds.heads()) if is_folded else set()
        self._show_lines()
