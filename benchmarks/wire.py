"""A program in a pseudo-terminal: keys go in, and it is timed until words stand on the screen.

Only the cells that differ may be sent, so words are looked for on the lines that were written, as a
terminal shows them.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir
from types import TracebackType
from typing import ClassVar

from benchmarks.glass import Glass

CLOCK = os.sysconf("SC_CLK_TCK")
PATIENCE = 60.0
PIECE = 1 << 16
ANSWER = b"\x1b[1;1R"


class TooSlowError(Exception):
    """Words did not come in the time that was given them."""


class Wire:
    """A program on the other side of a terminal of so many columns and rows."""

    rest: ClassVar[float] = 1.0
    """By how much every rest between two measures is longer or shorter than usual."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        cwd: Path | None = None,
        answers: bool = False,
    ) -> None:
        self.columns, self.rows = columns, rows
        self.answers = answers
        """Whether it is a terminal that tells, when it is asked, where its cursor is."""
        self.sent = 0
        """How many bytes the program has written so far."""
        self._new = bytearray()
        self.glass = Glass(columns, rows)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._slave = slave
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=plain_environment(),
            start_new_session=True,
            close_fds=True,
        )

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal another size, as the user drags its window."""
        self.drain(0)
        self._forget()
        self.glass.resize(columns, rows)
        self.began = time.perf_counter()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.killpg(self.process.pid, signal.SIGWINCH)

    def screen_bytes(self) -> int:
        """What the program sends for one whole screen: told by a change of the size, however often it draws then."""
        self.resize(self.columns, self.rows - 1)
        self.settle(0.5)
        self.rows -= 1
        raw = self.raw()
        return len(raw) // max(raw.count(b"\x1b[1;1H"), 1)

    def press(self, keys: str) -> None:
        """Send keys; from here on only what comes after them is looked at."""
        self.drain(0)
        self._forget()
        self.send(keys)

    def _forget(self) -> None:
        self._new.clear()
        self.glass.written.clear()

    def send(self, keys: str) -> None:
        """Send keys, and leave what is still to come where it is."""
        self.began = time.perf_counter()
        os.write(self._master, keys.encode())

    def until(self, words: str, *, patience: float = PATIENCE) -> float:
        """Seconds from the start, or the last key, until the lines that were written since match a pattern."""
        pattern = re.compile(words)
        end = time.perf_counter() + patience
        while (left := end - time.perf_counter()) > 0:
            if self._read(min(left, 0.2)) and pattern.search(self.words()):
                return time.perf_counter() - self.began
            if self.process.poll() is not None and not select.select([self._master], [], [], 0)[0]:
                break
        raise TooSlowError(f"{words!r} did not come in {patience:.0f} s; what came: {self.words()[-400:]!r}")

    def words(self) -> str:
        """The lines that were written since the start, or the last key, as the terminal shows them."""
        return self.glass.words()

    def raw(self) -> bytes:
        """What came in since the start, or the last key."""
        return bytes(self._new)

    def drain(self, seconds: float) -> int:
        """Take what comes in for some time; how many bytes it was."""
        before, end = self.sent, time.perf_counter() + seconds
        while self._read(max(end - time.perf_counter(), 0)):
            pass
        return self.sent - before

    def settle(self, seconds: float = 0.3, *, patience: float = PATIENCE) -> None:
        """Take what comes in until nothing has come for some time."""
        end = time.perf_counter() + patience
        while self.drain(seconds * self.rest) and time.perf_counter() < end:
            pass

    def drain_slowly(self, seconds: float, rate: int) -> int:
        """As a line of so many bytes a second would: the program waits when its terminal takes no more."""
        before, start = self.sent, time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds:
            room = int(spent * rate) - (self.sent - before)
            if room > 0:
                self._read(0.01, min(room, 64))
            else:
                time.sleep(0.005)
        return self.sent - before

    def _read(self, seconds: float, most: int = PIECE) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self._master, most)
        except OSError:  # its other end is closed: the program is over
            return False
        self.sent += len(piece)
        self._new += piece
        asked = self.glass.asked
        self.glass.feed(piece)
        if self.answers:
            os.write(self._master, ANSWER * (self.glass.asked - asked))
        return bool(piece)

    def cpu(self) -> float:
        """Seconds of processor that the program has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK

    def processor(self) -> float:
        """Seconds of processor that the program's threads have used, told by the scheduler: finer than `cpu`."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def memory(self) -> float:
        """Megabytes that the program holds."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def read_bytes(self) -> int:
        """How many bytes the program has read so far, from files and sockets."""
        found = re.search(r"rchar: (\d+)", Path(f"/proc/{self.process.pid}/io").read_text())
        return int(found[1]) if found else 0

    def close(self) -> None:
        """End the program and close its terminal."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self._master >= 0:
            os.close(self._master)
            os.close(self._slave)
            self._master = -1


def plain_environment() -> dict[str, str]:
    """A plain environment: nobody's own settings, and a terminal that can do the usual."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "TMPDIR", "PYTHONPATH")}
    home = Path(gettempdir()) / "outflow-tui-bench-home"
    home.mkdir(exist_ok=True)
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
