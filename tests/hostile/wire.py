"""The real program in a terminal that knows every sequence that it was sent, and every sign that is none."""

from __future__ import annotations

import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from tests.terminal import MONITOR, Terminal

_TOKEN = re.compile(
    r"\x1b\[(?P<private>[<-?]*)(?P<numbers>[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b\](?P<osc>[0-9]*)(?P<words>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b(?P<string>[P_^X])(?:[^\x1b]*)\x1b\\"
    r"|\x1b(?P<escape>[ -/]*[0-OQ-WYZ\\`-~])"
    r"|(?P<text>[^\x1b]+)",
    re.DOTALL,
)


class Screen:
    """What stands in the cells of a terminal, and of which kinds of sequences it was told."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.kinds: set[str] = set()
        self.steering: set[str] = set()
        """Characters among the text that are none."""
        self.overflows: set[str] = set()
        """Lines of text that went beyond the window."""
        self.told: list[tuple[str, str]] = []
        """The commands to the terminal's own system: their numbers and words."""
        self._cells: dict[tuple[int, int], str] = {}
        self._at = [0, 0]
        self._rest = ""

    def feed(self, text: str) -> None:
        """Take in what was written."""
        self._rest += text
        place = 0
        while found := _TOKEN.match(self._rest, place):
            place = found.end()
            self._take(found)
        self._rest = self._rest[place:]
        assert len(self._rest) < 300_000, f"not understood: {self._rest[:80]!r}"

    def _take(self, found: re.Match[str]) -> None:
        if found["final"]:
            mode = found["numbers"] if found["final"] in "hl" else ""
            self.kinds.add(f"CSI {found['private']}{mode}{found['between']}{found['final']}")
            self._steer(found["final"], found["numbers"])
        elif found["osc"] is not None:
            self.kinds.add(f"OSC {found['osc']}")
            self.told.append((found["osc"], found["words"]))
        elif found["text"]:
            self._write(found["text"])
        else:
            self.kinds.add(f"ESC {found['string'] or found['escape']}")

    def _steer(self, final: str, numbers: str) -> None:
        if final == "H":
            row, _, column = numbers.partition(";")
            self._at = [int(row or 1) - 1, int(column or 1) - 1]
        elif final == "J":
            self._cells.clear()

    def _write(self, text: str) -> None:
        for character in text:
            if character in "\r\n":
                self._at = [self._at[0] + (character == "\n"), 0]
                continue
            if is_steering(character):
                self.steering.add(f"U+{ord(character):04X}")
            row, column = self._at
            cells = cells_of(character)
            if column + cells > self.width:
                self.overflows.add(text)
            self._cells[row, column] = character if cells else self._cells.get((row, column), "") + character
            for further in range(1, cells):
                self._cells[row, column + further] = ""
            self._at[1] += cells

    def lines(self) -> list[str]:
        """The rows of the window as text."""
        rows = range(self.height)
        return ["".join(self._cells.get((row, column), " ") for column in range(self.width)).rstrip() for row in rows]

    def text(self) -> str:
        """The whole window as text."""
        return "\n".join(self.lines())


def is_steering(character: str) -> bool:
    """Whether a character is no sign but tells a terminal, or a reader's eye, what to do."""
    kind = unicodedata.category(character)
    visible = "\u0600" <= character <= "\u0605" or character in "\u06dd\u08e2\U000110bd\U000110cd"
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and not visible)


def cells_of(character: str) -> int:
    """How many cells a character takes, by the tables of Python, not by those of the program."""
    kind = unicodedata.category(character)
    if kind in ("Mn", "Me", "Mc") or "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class WatchedTerminal(Terminal):
    """A program in a terminal that minds what it is told."""

    def __init__(self, command: Sequence[str], **more: Any) -> None:
        super().__init__(command, **more)
        self.screen = Screen(self.glass.columns, self.glass.rows)
        self._decode = getincrementaldecoder("utf-8")("surrogateescape").decode

    def press(self, *keys: str) -> None:
        """Send keys as a terminal does."""
        for key in keys:
            super().press(KEYS.get(key, key))

    def takes(self, some: bytes) -> None:
        """Look at each sequence."""
        self.written += some
        self.screen.feed(self._decode(some))

    def shown(self) -> str:
        """The whole window."""
        return self.screen.text()

    def resize(self, width: int, height: int) -> None:
        """Another window."""
        self.screen.width, self.screen.height = width, height
        super().resize(width, height)


KEYS: Mapping[str, str] = {
    "enter": "\r", "down": "\x1b[B", "up": "\x1b[A", "end": "\x1b[F", "home": "\x1b[H", "escape": "\x1b",
    "space": " ", "ctrl+f": "\x06", "ctrl+p": "\x10", "pagedown": "\x1b[6~", "tab": "\t", "backspace": "\x7f",
    "right": "\x1b[C",
}  # fmt: skip


def terminal(*words: str, folder: Path | None = None, **environment: str) -> AbstractContextManager[WatchedTerminal]:
    """The program in a terminal of 80x24; ended at the end."""
    return started([*MONITOR, *words], folder=folder, **environment)


def started(command: Sequence[str], **more: Any) -> AbstractContextManager[WatchedTerminal]:
    """Any command in a terminal; ended at the end."""
    return closing(WatchedTerminal(command, **more))
