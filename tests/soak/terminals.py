"""Programs in pseudo-terminals, as people have them: read all the time, or left alone so that their output blocks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.glass import Glass

PATIENCE = 60.0
KEPT = 400_000
"""Bytes of what a program wrote that are kept."""
MONITOR = (sys.executable, "-m", "outflow_tui.cli")
ROOT = Path(__file__).resolve().parents[2]

Before = Callable[[], None]
"""What a process does before it becomes the program."""


def nothing() -> None:
    """Become the program as it is."""


class Terminal:
    """A program in a terminal of its own; a thread reads what it writes."""

    def __init__(self, command: Sequence[str], *, size: tuple[int, int] = (100, 30), before: Before = nothing) -> None:
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            _become(command, before)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._glass, self._lock = Glass(*size), threading.Lock()
        self._seen = bytearray()
        self._is_read = threading.Event()
        self._is_read.set()
        self._ended = False
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while not self._ended:
            self._is_read.wait(0.1)
            if self._is_read.is_set() and select.select([self._master], [], [], 0.05)[0]:
                try:
                    sent = os.read(self._master, 65536)
                except OSError:  # the program has ended
                    return
                with self._lock:
                    self._glass.feed(sent)
                    self._seen += sent
                    del self._seen[:-KEPT]

    def leave_unread(self) -> None:
        """Nobody reads any more: soon the program's output blocks."""
        self._is_read.clear()

    def read_again(self) -> None:
        """Read on."""
        self._is_read.set()

    def press(self, keys: bytes, words: bytes = b"") -> None:
        """Press keys, and wait until words have been written since; fails when they do not come."""
        self._send(keys)
        self.sees(words)

    def answers(self, keys: bytes, words: bytes, seconds: float) -> bool:
        """Press keys; whether words are written within some time."""
        self._send(keys)
        self.waits_for(words, seconds)
        assert self._thread.is_alive(), f"the program has ended; {keys!r} were not answered"
        return self._has(words)

    def _send(self, keys: bytes) -> None:
        with self._lock:
            self._seen.clear()
            self._glass.written.clear()
        os.write(self._master, keys)

    def _has(self, words: bytes) -> bool:
        """Whether words were sent, or stand on a screen of which something was written since the keys."""
        with self._lock:
            screen = "\n".join(self._glass.lines()) if self._glass.written else ""
            return words in self._seen or words.decode() in screen

    def sees(self, words: bytes) -> None:
        """Wait until words have been written."""
        self.waits_for(words, PATIENCE)
        assert self._has(words), f"{words!r} does not come after {bytes(self._seen[-1500:])!r}"

    def waits_for(self, words: bytes, seconds: float) -> None:
        """Wait for words, but not for ever."""
        until = time.monotonic() + seconds
        while not self._has(words) and time.monotonic() < until:
            time.sleep(0.02)

    def end(self) -> None:
        """End the program, stopped or not."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._ended = True
        self._thread.join()
        os.close(self._master)


def _become(command: Sequence[str], before: Before) -> None:
    """Become the program; never returns."""
    try:
        before()
        usual: Mapping[str, str] = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_CONFIG_HOME": "/nowhere"}
        os.execvpe(command[0], list(command), os.environ | usual | {"PYTHONPATH": str(ROOT), "PS1": "$ "})
    finally:
        os._exit(127)


@contextlib.contextmanager
def terminal(*command: str, before: Before = nothing) -> Iterator[Terminal]:
    """A program in a terminal, ended at the end."""
    found = Terminal(command, before=before)
    try:
        yield found
    finally:
        found.end()


@contextlib.contextmanager
def monitor(*words: str, before: Before = nothing) -> Iterator[Terminal]:
    """The monitor on its first screen."""
    with terminal(*MONITOR, *words, before=before) as found:
        found.sees(b"COMMAND")
        yield found
