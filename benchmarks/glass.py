"""What a terminal would show of the bytes that a program sent: characters and their looks, cell by cell."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from functools import lru_cache

from rich.cells import get_character_cell_size

TOKEN = re.compile(
    r"\x1b\[(?P<csi>[0-?]*)[ -/]*(?P<final>[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\"
    r"|\x1b[ -/]*[0-OQ-WYZ`-~\\]"
    r"|(?P<text>[^\x00-\x1f\x7f]+)|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])",
    re.DOTALL,
)
Look = frozenset[str]
PLAIN: Look = frozenset()
Cell = tuple[str, Look]
BLANK: Cell = (" ", PLAIN)


class Glass:
    """A terminal of so many columns and rows, as far as Textual's programs use one."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.written: set[int] = set()
        """The lines that were written since somebody emptied this."""
        self.asked = 0
        """How often the program has asked where the cursor is."""
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._look = PLAIN
        self._clear()

    def _clear(self) -> None:
        self.cells: list[list[Cell]] = [[BLANK] * self.columns for _ in range(self.rows)]
        self._x = self._y = 0

    def resize(self, columns: int, rows: int) -> None:
        """Another size: what is beyond it is gone."""
        kept, self.columns, self.rows = self.cells, columns, rows
        self._clear()
        for line, old in zip(self.cells, kept, strict=False):
            line[: len(old)] = old[:columns]
        self.written = {line for line in self.written if line < rows}

    def feed(self, data: bytes) -> None:
        """What came from the program; a sequence that is cut off waits for its end."""
        words, end = self._rest + self._decode(data), 0
        while found := TOKEN.match(words, end):
            end = found.end()
            if found["text"] is not None:
                self._write(found["text"])
            elif found["control"] is not None:
                self._control(found["control"])
            elif found["final"] is not None:
                self._steer(found["csi"], found["final"])
        self._rest = words[end:]

    def lines(self) -> list[str]:
        """The lines as text."""
        return ["".join(char for char, _ in line) for line in self.cells]

    def words(self) -> str:
        """The lines that were written, as text."""
        return "\n".join("".join(char for char, _ in self.cells[line]) for line in sorted(self.written))

    def _write(self, words: str) -> None:
        for char in words:
            size = get_character_cell_size(char)
            if not size:
                self._combine(char)
                continue
            if self._x + size > self.columns:
                self._x = 0
                self._line_feed()
            line, end = self.cells[self._y], self._x + size
            for half in (self._x, end):  # half of a wide character is none
                if half < self.columns and not line[half][0]:
                    line[half - (half == self._x)] = (" ", line[half][1])
                    line[half] = (" ", line[half][1])
            line[self._x : end] = [(char, self._look), ("", self._look)][:size]
            self._x = end
            self.written.add(self._y)

    def _combine(self, char: str) -> None:
        line, place = self.cells[self._y], self._x - 1
        while place > 0 and not line[place][0]:
            place -= 1
        if place >= 0:
            line[place] = (line[place][0] + char, line[place][1])

    def _control(self, char: str) -> None:
        if char == "\r":
            self._x = 0
        elif char == "\n":
            self._line_feed()

    def _line_feed(self) -> None:
        if self._y < self.rows - 1:
            self._y += 1
        else:
            self.cells = [*self.cells[1:], [BLANK] * self.columns]
            self.written = {line - 1 for line in self.written if line}

    def _steer(self, numbers: str, final: str) -> None:
        if final == "H":
            y, _, x = numbers.partition(";")
            self._y, self._x = min(int(y or 1), self.rows) - 1, min(int(x or 1), self.columns) - 1
        elif final == "n" and numbers == "6":
            self.asked += 1
        elif final == "m":
            self._look = changed_look(self._look, numbers)
        elif numbers.startswith("?1049"):
            self._clear()


@lru_cache(10_000)
def changed_look(look: Look, numbers: str) -> Look:
    """What an SGR sequence makes of a look: a colour replaces the one before it."""
    kept = {_kind(one): one for one in look}
    codes = iter(numbers.split(";"))
    for code in codes:
        if code in ("38", "48", "58"):
            kind = next(codes)
            code = ";".join([code, kind, *(next(codes) for _ in range(3 if kind == "2" else 1))])
        if code in ("", "0"):
            kept = {}
        elif code in ("39", "49"):
            kept.pop(_kind(code), None)
        else:
            kept[_kind(code)] = code
    return frozenset(kept.values())


def _kind(code: str) -> str:
    number = int(code.partition(";")[0])
    if number in (38, 39) or 30 <= number <= 37 or 90 <= number <= 97:
        return "ink"
    return "paper" if number in (48, 49) or 40 <= number <= 47 or 100 <= number <= 107 else code
