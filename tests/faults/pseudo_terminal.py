"""The program in a terminal of its own: its words, its modes, and whether anything of it is left."""

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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAM = f"{sys.executable} -m outflow_tui.cli"
PATIENCE = 30.0
_SEQUENCE = re.compile(rb"\x1b(\[[0-9;?<>=$]*[ -/]*[a-zA-Z]|\][^\x07]*\x07|[=>78])")


class PseudoTerminal:
    """A terminal with a shell's command in it."""

    def __init__(self, pid: int, master: int) -> None:
        self.pid = pid
        self.master = master
        self.modes = termios.tcgetattr(master)
        self.written = b""
        self._mark = 0

    def sees(self, words: str) -> None:
        """Wait until words have come since they were last looked for; where lines are broken does not matter."""
        until = time.monotonic() + PATIENCE
        wanted = "".join(words.split())
        while wanted not in self._text():
            assert time.monotonic() < until and self._read(0.2), self.written[self._mark :][-3000:]
        self._mark = len(self.written)

    def _text(self) -> str:
        return "".join(_SEQUENCE.sub(b"", self.written[self._mark :]).decode(errors="replace").split())

    def _read(self, seconds: float) -> bool:
        """Take what comes within some time; False when nothing will come any more."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            found = os.read(self.master, 65536)
        except OSError:
            return False
        self.written += found
        return bool(found)

    def rests(self) -> None:
        """Wait until nothing comes any more."""
        before = -1
        while before != len(self.written):
            before = len(self.written)
            self._read(0.7)
        self._mark = len(self.written)

    def types(self, keys: str) -> None:
        """Press keys."""
        os.write(self.master, keys.encode())

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def hang_up(self) -> None:
        """Close the terminal's other end."""
        os.close(self.master)
        self.master = -1

    def members(self) -> set[int]:
        """The processes that belong to this terminal's session, dead ones that nobody has asked for left out."""
        found = set()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.pid and fields[0] != "Z":
                    found.add(int(stat.parent.name))
        return found

    def program(self) -> int:
        """The process of the program itself, which a shell has started."""
        return max(self.members())

    def ends(self) -> int:
        """Wait until it ends; the exit status, negative for a signal. Nothing of it may go on."""
        until = time.monotonic() + PATIENCE
        while (answer := os.waitpid(self.pid, os.WNOHANG)) == (0, 0):
            assert time.monotonic() < until, "it does not end"
            if self.master >= 0:
                self._read(0.05)
            else:
                time.sleep(0.05)
        while self.master >= 0 and select.select([self.master], [], [], 0)[0] and self._read(0):
            pass
        assert not self.members()
        self.pid = 0
        return os.waitstatus_to_exitcode(answer[1])

    def is_as_before(self) -> bool:
        """Whether the terminal's modes are those of the start, and what was switched on is off again."""
        pairs = ((b"?1049", b"hl"), (b"?25", b"lh"), (b"?1000", b"hl"), (b"?1003", b"hl"), (b"?2004", b"hl"))
        given_back = all(self._last(name, on) <= self._last(name, off) for name, (on, off) in pairs)
        return given_back and termios.tcgetattr(self.master) == self.modes

    def _last(self, name: bytes, how: int) -> int:
        return self.written.rfind(b"\x1b[" + name + bytes([how]))


@contextmanager
def in_terminal(command: str, **environment: str) -> Iterator[PseudoTerminal]:
    """A shell's command in a terminal of 80x24; whatever is left at the end is killed."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", **environment}
        os.execv("/bin/sh", ["sh", "-c", command])
    terminal = PseudoTerminal(pid, master)
    terminal.resize(80, 24)
    try:
        yield terminal
    finally:
        for process in terminal.members() if terminal.pid else ():
            os.kill(process, signal.SIGKILL)
        if terminal.pid:
            os.waitpid(pid, 0)
        if terminal.master >= 0:
            os.close(master)
