"""Nested lines of which some are folded away: each line's depth says what is inside what; pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

from outflow_tui.format import Glyphs
from outflow_tui.lines import Line, Piece


class Folds:
    """Lines that can be folded into the one above them that is less deep."""

    def __init__(self, lines: Sequence[Line], glyphs: Glyphs) -> None:
        self.source = lines
        self._glyphs = glyphs
        self._ends = [0] * len(lines)
        self._outer: list[int | None] = []
        open_lines: list[int] = []
        for place, line in enumerate(lines):
            while open_lines and lines[open_lines[-1]].depth >= line.depth:
                self._ends[open_lines.pop()] = place
            self._outer.append(open_lines[-1] if open_lines else None)
            open_lines.append(place)
        for place in open_lines:
            self._ends[place] = len(lines)
        self.lines = tuple(self._dressed(place, is_open=True) for place in range(len(lines)))
        self._places = {line.key: place for place, line in enumerate(lines)}

    def number_inside(self, key: Hashable) -> int:
        """How many lines can be folded into the line of this key."""
        place = self._places.get(key)
        return 0 if place is None else self._ends[place] - place - 1

    def heads(self) -> list[Hashable]:
        """The keys of all lines that have others inside."""
        return [line.key for place, line in enumerate(self.source) if self._ends[place] > place + 1]

    def around(self, key: Hashable) -> list[Hashable]:
        """The keys of the lines around one, from the innermost outwards."""
        found: list[Hashable] = []
        outer = self._outer[self._places[key]] if key in self._places else None
        while outer is not None:
            found.append(self.source[outer].key)
            outer = self._outer[outer]
        return found

    def shown(self, folded: Collection[Hashable]) -> tuple[Line, ...]:
        """The lines that are to be seen when these are folded."""
        if not folded:
            return self.lines
        seen: list[Line] = []
        place = 0
        while place < len(self.source):
            is_folded = self._ends[place] > place + 1 and self.source[place].key in folded
            seen.append(self._dressed(place, is_open=False) if is_folded else self.lines[place])
            place = self._ends[place] if is_folded else place + 1
        return tuple(seen)

    def _dressed(self, place: int, *, is_open: bool) -> Line:
        """A line with its fold mark, and when it is folded with what is inside."""
        line, inside = self.source[place], self._ends[place] - place - 1
        if not line.pieces:
            return line
        (first, look), *rest = line.pieces
        mark = " " if not inside else self._glyphs.opened if is_open else self._glyphs.closed
        number = f"  {self._glyphs.ellipsis} {inside} line{'s' if inside > 1 else ''}"
        folded: list[Piece] = [] if is_open else [(number, "dim")]
        head: list[Piece] = [("  " * line.depth + mark + " ", "dim"), (first[2 * line.depth :], look)]
        return line._replace(pieces=(*head, *rest, *folded))
