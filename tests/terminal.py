"""A program in a pseudo-terminal of its own: keys go in, what it writes is kept and shown on a glass."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path

from benchmarks.glass import Glass
from benchmarks.wire import ANSWER

ROOT = Path(__file__).resolve().parents[1]
MONITOR = (sys.executable, "-m", "outflow_tui.cli")
PATIENCE = 60.0
"""Seconds after which something that should come is called missing."""
_USUAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_CONFIG_HOME": "/nowhere", "PYTHONPATH": str(ROOT)}
_NOBODYS = ("LC_ALL", "LC_CTYPE", "NO_COLOR", "COLUMNS", "LINES")
Before = Callable[[], object]
"""What a process does before it becomes the program."""
Size = tuple[int, int]


class Terminal:
    """A program in a terminal of so many columns and rows, with nobody's own settings."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: Size = (80, 24),
        folder: Path | None = None,
        before: Before | None = None,
        **environment: str,
    ) -> None:
        self.written = bytearray()
        self.glass = Glass(*size)
        self.has_ended = False
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            _become(command, size, folder, before, environment)

    def press(self, keys: str) -> None:
        """Send keys as a terminal does."""
        os.write(self.master, keys.encode())

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        self.glass.resize(width, height)
        _be_of(self.master, (width, height))

    def read(self, seconds: float) -> bool:
        """Take in what comes next, within some time; False when nothing will come any more."""
        if self.master < 0:
            return False
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            some = os.read(self.master, 65536)
        except OSError:  # nobody is at its other end
            return False
        self.takes(some)
        return bool(some)

    def takes(self, some: bytes) -> None:
        """What is done with what came; a question for the cursor's place is answered, as terminals do."""
        self.written += some
        asked = self.glass.asked
        self.glass.feed(some)
        if self.glass.asked > asked:
            os.write(self.master, ANSWER * (self.glass.asked - asked))

    def shown(self) -> str:
        """Where words are looked for."""
        return "\n".join(self.glass.lines())

    def sees(self, words: str) -> None:
        """Read until words are shown."""
        self.reads_until(lambda: words in self.shown(), f"{words!r} is not on the screen")

    def reads_until(self, holds: Callable[[], bool], otherwise: str = "it does not come") -> None:
        """Read until something has become true."""
        until = time.monotonic() + PATIENCE
        while not holds():
            is_there = self.read(0.05)
            assert is_there and time.monotonic() < until, f"{otherwise}:\n{self.shown()}"

    def comes(self, seconds: float) -> bytes:
        """What comes within some time."""
        before, until = len(self.written), time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            assert self.read(left), "the program has ended"
        return bytes(self.written[before:])

    def settles(self, seconds: float = 0.1) -> None:
        """Read until nothing has come for a while."""
        before, until = -1, time.monotonic() + PATIENCE
        while before != len(self.written) and time.monotonic() < until:
            before = len(self.written)
            self.read(seconds)

    def hang_up(self) -> None:
        """Close the terminal's other end."""
        os.close(self.master)
        self.master = -1

    def ends(self) -> int:
        """Read to the end of the program; its exit status, negative for a signal."""
        until = time.monotonic() + PATIENCE
        while (answer := os.waitpid(self.pid, os.WNOHANG)) == (0, 0):
            assert time.monotonic() < until, f"it does not end:\n{self.shown()}"
            if not self.read(0.05):
                time.sleep(0.02)
        while self.master >= 0 and select.select([self.master], [], [], 0)[0] and self.read(0):
            pass
        self.has_ended = True
        return os.waitstatus_to_exitcode(answer[1])

    def close(self) -> None:
        """End the program, stopped or not, and close the terminal."""
        if not self.has_ended:
            os.kill(self.pid, signal.SIGCONT)
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.master >= 0:
            self.hang_up()


def _be_of(terminal: int, size: Size) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def _become(
    command: Sequence[str], size: Size, folder: Path | None, before: Before | None, environment: dict[str, str]
) -> None:
    """Become the program; never returns."""
    try:
        _be_of(0, size)
        if folder is not None:
            os.chdir(folder)
        if before is not None:
            before()
        others = {name: told for name, told in os.environ.items() if name not in _NOBODYS}
        os.execvpe(command[0], list(command), others | _USUAL | environment)
    finally:
        os._exit(127)


def monitor(*words: str) -> AbstractContextManager[Terminal]:
    """The monitor in a terminal of 80x24; ended at the end."""
    return closing(Terminal([*MONITOR, *words]))
