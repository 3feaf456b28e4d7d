"""A table of words, as aligned text or as Markdown; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from outflow_core.read_values import bounded
from outflow_tui import markdown, text
from outflow_tui.lines import Piece
from outflow_tui.lines import plain as words_of


@dataclass(frozen=True, slots=True)
class Table:
    """Titles and rows; the words may be foreign, and of any length: they are cleaned and bounded here."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def as_text(self) -> str:
        """Aligned columns under their titles; the last column is as long as it is."""
        cells = [self.titles, *(tuple(text.clean(bounded(cell)) for cell in row) for row in self.rows)]
        widths = [max(map(text.width, column)) for column in zip(*cells, strict=True)]
        lines = ("  ".join(text.fit(cell, width) for cell, width in zip(row, widths, strict=True)) for row in cells)
        return "\n".join(line.rstrip() for line in lines)

    def as_markdown(self) -> str:
        """The same as a table of Markdown."""
        return markdown.table(self.titles, self.rows)


def plain(pieces: Iterable[Piece]) -> str:
    """A line of the screen without its looks and the blanks at its end."""
    return words_of(pieces).rstrip()


def shortened(words: str, width: int) -> str:
    """Foreign words in at most `width` cells."""
    cleaned = text.clean(words)
    return cleaned if text.width(cleaned) <= width else text.fit(cleaned, width)
