"""The real program in a pseudo-terminal, and a small terminal that understands what it writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 30.0
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


class Terminal:
    """A program that runs in a pseudo-terminal of its own."""

    def __init__(self, pid: int, master: int, size: tuple[int, int]) -> None:
        self.pid = pid
        self.screen = Screen(*size)
        self.bytes = b""
        self._master = master
        self._undecoded = b""

    def press(self, *keys: str) -> None:
        """Send keys as a terminal does."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def read(self, seconds: float) -> bool:
        """Take in what comes within some time; whether the program is still there."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                return True
            try:
                some = os.read(self._master, 65536)
            except OSError:
                return False
            if not some:
                return False
            self.bytes += some
            self._decode(some)
        return True

    def _decode(self, some: bytes) -> None:
        data = self._undecoded + some
        whole = len(data)
        for length in range(1, min(4, len(data) + 1)):  # a character may come in two parts
            last = data[-length]
            if last >= 0xC0:
                whole -= length if length < (2 if last < 0xE0 else 3 if last < 0xF0 else 4) else 0
                break
            if last < 0x80:
                break
        self._undecoded = data[whole:]
        self.screen.feed(data[:whole].decode("utf-8", "surrogateescape"))

    def sees(self, words: str) -> None:
        """Read until words stand in the window."""
        until = time.monotonic() + PATIENCE
        while words not in self.screen.text():
            is_there = self.read(0.05)
            assert is_there and time.monotonic() < until, f"{words!r} is not on the screen:\n{self.screen.text()}"

    def settles(self, seconds: float = 0.1) -> None:
        """Read until nothing has come for a while."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            size = len(self.bytes)
            if not self.read(seconds) or size == len(self.bytes):
                return

    def resize(self, width: int, height: int) -> None:
        """Another window."""
        self.screen.width, self.screen.height = width, height
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def ends(self) -> int:
        """Read to the end of the program; its exit status."""
        until = time.monotonic() + PATIENCE
        while self.read(0.1) and time.monotonic() < until:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


KEYS: Mapping[str, str] = {
    "enter": "\r", "down": "\x1b[B", "up": "\x1b[A", "end": "\x1b[F", "home": "\x1b[H", "escape": "\x1b",
    "space": " ", "ctrl+f": "\x06", "ctrl+p": "\x10", "pagedown": "\x1b[6~", "tab": "\t", "backspace": "\x7f",
    "right": "\x1b[C",
}  # fmt: skip


@contextmanager
def terminal(
    *words: str, size: tuple[int, int] = (80, 24), folder: Path | None = None, **environment: str
) -> Iterator[Terminal]:
    """The program in a pseudo-terminal; ended at the end."""
    command = [sys.executable, "-m", "outflow_tui.cli", *words]
    with started(command, size=size, folder=folder, **environment) as running:
        yield running


@contextmanager
def started(
    command: Sequence[str], *, size: tuple[int, int] = (80, 24), folder: Path | None = None, **environment: str
) -> Iterator[Terminal]:
    """Any command in a pseudo-terminal; ended at the end."""
    usual = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_CONFIG_HOME": "/nowhere"}
    usual["PYTHONPATH"] = str(Path.cwd())
    others = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LC_CTYPE", "NO_COLOR")}
    pid, master = pty.fork()
    if pid == 0:
        if folder is not None:
            os.chdir(folder)
        os.execve(command[0], list(command), others | usual | environment)
    running = Terminal(pid, master, size)
    running.resize(*size)
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.close(master)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
