"""Looking for a text in lines: found in one pass over them, then counted and walked through; pure."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from outflow_core.sought import folded
from outflow_tui import text
from outflow_tui.lines import Line, Piece, plain

Span = tuple[int, int, str]
"""From where to where in a line's text, and the look of it."""


def is_exact(wanted: str) -> bool:
    """Whether small and capital letters are told apart: only when there are capitals in what is wanted."""
    return any(letter.isupper() for letter in wanted)


class Haystack:
    """Lines as one text. A line that was cut for the window's width is whole again in it."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.starts: list[int] = []
        self.ends: list[int] = []
        parts: list[str] = []
        place = 0
        for line in lines:
            joint, words = "\n" if line.joint is None else line.joint, plain(line.pieces)
            self.starts.append(place + len(joint))
            place += len(joint) + len(words)
            self.ends.append(place)
            parts += (joint, words)
        self._text = "".join(parts)

    @property
    def words(self) -> str:
        """The text itself, without the end of a line that stands before the first one."""
        return self._text[1:]

    @cached_property
    def _folded(self) -> str:
        return folded(self._text)

    @cached_property
    def places(self) -> dict[Hashable, int]:
        """Which line has which key."""
        return {line.key: place for place, line in enumerate(self.lines)}

    def find(self, wanted: str) -> tuple[int, ...]:
        """Where the text stands, from the first to the last; what overlaps counts once."""
        if not wanted:
            return ()
        whole, sought = (self._text, wanted) if is_exact(wanted) else (self._folded, folded(wanted))
        return tuple(found.start() for found in re.finditer(re.escape(sought), whole))

    def seen(self, line: int, first_cell: int, last_cell: int) -> tuple[int, int]:
        """Between which places of the text some cells of a line lie: a letter may take two, and four may share one."""
        start, end = self.starts[line], self.ends[line]
        if not self._text[start:end].isascii():
            first_cell, last_cell = first_cell // 2, 4 * last_cell
        return start + first_cell, min(start + last_cell, end)

    def line_at(self, place: int) -> int:
        """The line in which a place of the text is seen."""
        line = max(bisect_right(self.starts, place) - 1, 0)
        return line + 1 if place >= self.ends[line] and line + 1 < len(self.lines) else line


@dataclass(frozen=True, slots=True)
class Search:
    """A search under way: what is wanted, where it was found, and at which match one stands."""

    wanted: str
    haystack: Haystack
    found: tuple[int, ...]
    at: int = 0
    """Below 0: at none of them."""
    turned: str = ""
    """The end at which the last step began anew, in words; '' when it did not."""

    @property
    def line(self) -> int | None:
        """The line of the match at which one stands."""
        return self.haystack.line_at(self.found[self.at]) if self.found and self.at >= 0 else None

    @property
    def column(self) -> tuple[int, int]:
        """From where to where the match is in its line."""
        start = self.found[self.at] - self.haystack.starts[self.line or 0]
        return max(start, 0), start + len(self.wanted)

    def words(self) -> str:
        """Where one stands, in words."""
        if not self.found:
            return "no match"
        if self.at < 0:
            return f"{len(self.found):,} match{'es' if len(self.found) > 1 else ''}"
        return f"{self.at + 1:,} of {len(self.found):,}{self.turned and f', {self.turned} again'}"

    def spans(self, key: Hashable, first_cell: int = 0, last_cell: int | None = None) -> list[Span]:
        """What of the line of this key is to be marked, where only some of its cells are seen."""
        line = self.haystack.places.get(key)
        if line is None or not self.found:
            return []
        start, end, length = self.haystack.starts[line], self.haystack.ends[line], len(self.wanted)
        first, last = self.haystack.seen(line, first_cell, end - start if last_cell is None else last_cell)
        numbers = range(bisect_right(self.found, first - length), bisect_left(self.found, last))
        return [(max(self.found[number] - start, 0), min(self.found[number] - start + length, end - start),
                 "here" if number == self.at else "match") for number in numbers]  # fmt: skip

    def from_line(self, line: int) -> Search:
        """The search at the first match from the beginning of a line on, or from the top."""
        if not self.found or line >= len(self.haystack.starts):
            return replace(self, at=0)
        number = bisect_left(self.found, self.haystack.starts[line])
        return replace(self, at=number % len(self.found), turned="from the top" if number == len(self.found) else "")

    def on_line(self, line: int) -> Search:
        """The search at the first match of a line, or at none."""
        nearest = self.from_line(line)
        return nearest if nearest.line == line else replace(self, at=-1)

    def step(self, step: int, line: int) -> Search:
        """The search at the next match, or the one before, as seen from a line; round at the ends."""
        if not self.found:
            return self
        if line == self.line:
            number = self.at + step
        else:
            number = bisect_left(self.found, self.haystack.starts[line]) - (1 if step < 0 else 0)
        turned = "from the top" if number >= len(self.found) else "from the end" if number < 0 else ""
        return replace(self, at=number % len(self.found), turned=turned)


def search(wanted: str, haystack: Haystack) -> Search:
    """A search for a text, at its first match."""
    return Search(wanted, haystack, haystack.find(wanted))


def marked(pieces: Iterable[Piece], spans: Sequence[Span]) -> list[Piece]:
    """The pieces with some stretches of their text in a look of their own besides the one they have.

    >>> marked([("gain = ", ""), ("header", "dim")], [(5, 9, "match")])
    [('gain ', ''), ('= ', 'match'), ('he', 'dim match'), ('ader', 'dim')]
    """
    if not spans:
        return list(pieces)
    cuts = sorted({edge for start, end, _ in spans for edge in (start, end)})
    starts = [start for start, _, _ in spans]
    made: list[Piece] = []
    place = 0
    for piece, look in pieces:
        shown = text.clean(piece)
        inside = cuts[bisect_right(cuts, place) : bisect_left(cuts, place + len(shown))]
        edges = [0, *(cut - place for cut in inside), len(shown)]
        for start, end in zip(edges, edges[1:], strict=False):
            _, last, mark = spans[max(bisect_right(starts, place + start) - 1, 0)]
            over = mark if starts[0] <= place + start < last else ""
            made.append((shown[start:end], f"{look} {over}".strip()))
        place += len(shown)
    return [piece for piece in made if piece[0]]
