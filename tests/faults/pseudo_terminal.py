"""A shell's command in a terminal of its own: its words, its modes, and whether anything of it is left."""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path

from tests.terminal import Terminal

PROGRAM = f"{sys.executable} -m outflow_tui.cli"
_SEQUENCE = re.compile(rb"\x1b(\[[0-9;?<>=$]*[ -/]*[a-zA-Z]|\][^\x07]*\x07|[=>78])")


class PseudoTerminal(Terminal):
    """A terminal in which words are looked for among all that came since the last ones."""

    def __init__(self, command: str) -> None:
        super().__init__(["/bin/sh", "-c", command])
        self.modes = termios.tcgetattr(self.master)
        self._mark = 0

    def shown(self) -> str:
        """What came since words were last looked for, without blanks: where lines are broken does not matter."""
        return "".join(_SEQUENCE.sub(b"", self.written[self._mark :]).decode(errors="replace").split())

    def sees(self, words: str) -> None:
        """Wait until words have come since they were last looked for."""
        super().sees("".join(words.split()))
        self._mark = len(self.written)

    def rests(self) -> None:
        """Wait until nothing comes any more."""
        self.settles(0.7)
        self._mark = len(self.written)

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
        status = super().ends()
        assert not self.members()
        return status

    def close(self) -> None:
        """Kill whatever is left."""
        for process in self.members() if not self.has_ended else ():
            os.kill(process, signal.SIGKILL)
        super().close()

    def is_as_before(self) -> bool:
        """Whether the terminal's modes are those of the start, and what was switched on is off again."""
        pairs = ((b"?1049", b"hl"), (b"?25", b"lh"), (b"?1000", b"hl"), (b"?1003", b"hl"), (b"?2004", b"hl"))
        given_back = all(self._last(name, on) <= self._last(name, off) for name, (on, off) in pairs)
        return given_back and termios.tcgetattr(self.master) == self.modes

    def _last(self, name: bytes, how: int) -> int:
        return self.written.rfind(b"\x1b[" + name + bytes([how]))


def in_terminal(command: str) -> AbstractContextManager[PseudoTerminal]:
    """A shell's command in a terminal of 80x24; whatever is left at the end is killed."""
    return closing(PseudoTerminal(command))
