"""What stands on the terminal, cell by cell, and the shortest way from there to what should stand there; pure.

Textual sends a widget's line from its beginning on when one cell of it changed, and every piece with
all of its colours. Frames are understood as they are written: moves, colours and text. Whatever else
comes is for its sender to pass on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

_TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|\n|[^\x00-\x1f\x7f-\x9f]+")
GAP = 8
"""Up to so many equal cells between two that differ are written once more: a move is not shorter."""

_Piece = tuple[int, int, list[str], str]
"""A line and a column, both from 0 on, the cells from there on and their look: the parameters of SGR."""


class Row:
    """The cells of one line: a character each ('' behind a wide one) and its look."""

    __slots__ = ("chars", "looks")

    def __init__(self, chars: list[str], looks: list[str]) -> None:
        self.chars, self.looks = chars, looks

    def copy(self) -> Row:
        """Another row of the same cells."""
        return Row(self.chars[:], self.looks[:])

    def put(self, x: int, cells: list[str], look: str) -> None:
        """Write cells of one look over those from a column on."""
        missing = x - len(self.chars)
        if missing > 0:
            self.chars += [" "] * missing
            self.looks += [""] * missing
        end = x + len(cells)
        if "" in self.chars:  # half of a wide character is none
            self.chars[x - 1 : x] = [" "] if x and self.chars[x : x + 1] == [""] else self.chars[x - 1 : x]
            self.chars[end : end + 1] = [char or " " for char in self.chars[end : end + 1]]
        self.chars[x:end] = cells
        self.looks[x:end] = [look] * len(cells)

    @property
    def is_simple(self) -> bool:
        """Whether every character takes one cell: of others terminals have their own opinions."""
        return "" not in self.chars and len("".join(self.chars)) == len(self.chars)

    def changed(self, before: Row) -> Iterator[tuple[int, int]]:
        """From where to where cells are others than before."""
        if len(self.chars) != len(before.chars) or not (self.is_simple and before.is_simple):
            yield 0, len(self.chars)
            return
        pairs = zip(self.chars, before.chars, self.looks, before.looks, strict=True)
        places = [place for place, (char, old, look, worn) in enumerate(pairs) if char != old or look != worn]
        begin = end = places[0]
        for place in places[1:]:
            if place - end > GAP or any(look != self.looks[end] for look in self.looks[end:place]):
                yield begin, end + 1
                begin = place
            end = place
        yield begin, end + 1


class TerminalCells:
    """Frames go in; out comes what changes the terminal from what it shows to the last of them."""

    def __init__(self) -> None:
        self.forget()

    @property
    def is_behind(self) -> bool:
        """Whether the terminal does not show the last frame."""
        return bool(self._touched) or self._cursor != self._cursor_shown

    def forget(self) -> None:
        """Nothing is known of what the terminal shows: no frame is understood before the next whole one."""
        self._wanted: list[Row] = []
        self._shown: list[Row | None] = []
        self._touched: set[int] = set()
        self._cursor = self._cursor_shown = ""

    def take(self, frame: str, size: tuple[int, int]) -> bool:
        """Take a frame for a terminal of so many columns and lines; whether it was understood, and all is known."""
        understood = _pieces(frame)
        if understood is None:
            return False
        pieces, cursor = understood
        lines = {piece[0] for piece in pieces}
        if _is_whole(pieces, *size):
            self._wanted = [Row([], []) for _ in range(size[1])]
            self._shown = [None] * size[1]
            self._touched.clear()  # lines of a larger screen are none any more
        elif lines and max(lines) >= len(self._wanted):
            return False
        self._put(pieces)
        self._touched |= lines
        self._cursor = cursor
        return True

    def _put(self, pieces: list[_Piece]) -> None:
        for y, x, cells, look in pieces:
            row = self._wanted[y]
            if row is self._shown[y]:
                row = self._wanted[y] = row.copy()
            row.put(x, cells, look)

    def difference(self) -> str:
        """What makes the terminal show the last frame; '' when it does."""
        written, look = [], ""
        for y in sorted(self._touched):
            row, before = self._wanted[y], self._shown[y]
            if before is None or row.chars != before.chars or row.looks != before.looks:
                for begin, end in [(0, len(row.chars))] if before is None else row.changed(before):
                    words, look = _written(row, begin, end, look)
                    written += [f"\x1b[{y + 1};{begin + 1}H", *words]
        if not written and self._cursor == self._cursor_shown:
            return ""
        return "".join([*written, _step(look, ""), self._cursor])

    def show(self) -> None:
        """The difference was sent: the terminal shows the last frame."""
        for y in self._touched:
            self._shown[y] = self._wanted[y]
        self._touched.clear()
        self._cursor_shown = self._cursor


def _is_whole(pieces: list[_Piece], columns: int, rows: int) -> bool:
    """Whether every cell is written, one after the other, so that nothing of what was there before is left."""
    x, y = columns, -1
    for line, begin, cells, _ in pieces:
        if begin == 0 and x == columns and line == y + 1:
            x, y = 0, line
        if (line, begin) != (y, x):
            return False
        x += len(cells)
    return (x, y) == (columns, rows - 1)


def _pieces(frame: str) -> tuple[list[_Piece], str] | None:
    """What a frame writes where, and its last move; None when it holds anything else."""
    pieces: list[_Piece] = []
    end, x, y, look, move = 0, 0, -1, "", ""
    for found in _TOKEN.finditer(frame):
        if found.start() != end:
            return None
        end, words = found.end(), found[0]
        if found.lastindex == 2:
            y, x, move = int(found[1]) - 1, int(found[2]) - 1, words
        elif found.lastindex == 3:
            look = _worn(look, found[3])
        elif words != "\n":
            cells = list(words) if words.isascii() else _cells(words)
            if cells is None or y < 0:
                return None
            pieces.append((y, x, cells, look))
            x += len(cells)
    return (pieces, move) if end == len(frame) and move else None


@lru_cache(4096)
def _worn(look: str, more: str) -> str:
    return "" if more in ("", "0") else f"{look};{more}" if look else more


def _cells(words: str) -> list[str] | None:
    """A cell for each character, two for a wide one; None where widths are not those of the single characters."""
    cells: list[str] = []
    for char in words:
        size = get_character_cell_size(char)
        if size:
            cells += [char, ""][:size]
        elif cells:
            cells[-1] += char
    return cells if len(cells) == cell_len(words) else None


def _written(row: Row, begin: int, end: int, look: str) -> tuple[list[str], str]:
    """Some cells with their looks, and the look that the terminal has been given last."""
    words, place, looks = [], begin, row.looks
    while place < end:
        wanted, first = looks[place], place
        while place < end and looks[place] == wanted:
            place += 1
        words += [_step(look, wanted), "".join(row.chars[first:place])]
        look = wanted
    return words, look


@lru_cache(4096)
def _step(look: str, wanted: str) -> str:
    """The sequence that makes one look another: only what differs, where that is possible."""
    if look == wanted:
        return ""
    if not wanted:
        return "\x1b[0m"
    (ink, paper, traits), (new_ink, new_paper, new_traits) = _parts(look), _parts(wanted)
    if not set(traits) <= set(new_traits):
        return f"\x1b[0;{wanted}m"
    codes = [trait for trait in new_traits if trait not in traits]
    codes += [new_ink or "39"] if new_ink != ink else []
    codes += [new_paper or "49"] if new_paper != paper else []
    return f"\x1b[{';'.join(codes)}m"


def _parts(look: str) -> tuple[str, str, list[str]]:
    """The colour of the ink, that of the paper, and everything else."""
    ink, paper, traits = "", "", []
    codes = iter(look.split(";") if look else [])
    for code in codes:
        if code in ("38", "48", "58"):
            kind = next(codes, "")
            code = ";".join([code, kind, *(next(codes, "") for _ in range(3 if kind == "2" else 1))])
        number = int(code.partition(";")[0] or 0)
        if number == 38 or 30 <= number <= 37 or 90 <= number <= 97:
            ink = code
        elif number == 48 or 40 <= number <= 47 or 100 <= number <= 107:
            paper = code
        else:
            traits.append(code)
    return ink, paper, traits
