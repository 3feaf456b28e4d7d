"""Programs in pseudo-terminals, as people have them: read all the time, or left alone so that their output blocks."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

from tests.terminal import MONITOR, PATIENCE, ROOT, Terminal

__all__ = ["MONITOR", "PATIENCE", "ROOT", "Seat", "monitor", "terminal"]
KEPT = 400_000
"""Bytes of what a program wrote that are kept."""


class Seat(Terminal):
    """A program in a terminal of its own; a thread reads what it writes."""

    def __init__(self, command: tuple[str, ...], **more: Any) -> None:
        super().__init__(command, size=(100, 30), **more)
        self._lock = threading.Lock()
        self._is_read = threading.Event()
        self._is_read.set()
        self._is_over = False
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        goes_on = True
        while goes_on and not self._is_over:
            if self._is_read.wait(0.1):
                goes_on = self.read(0.05)

    def takes(self, some: bytes) -> None:
        """Show it, and keep some of it."""
        with self._lock:
            super().takes(some)
            del self.written[:-KEPT]

    def leave_unread(self) -> None:
        """Nobody reads any more: soon the program's output blocks."""
        self._is_read.clear()

    def read_again(self) -> None:
        """Read on."""
        self._is_read.set()

    def press(self, keys: str, words: str = "") -> None:
        """Press keys, and wait until words have been written since; fails when they do not come."""
        self._send(keys)
        self.sees(words)

    def answers(self, keys: str, words: str, seconds: float) -> bool:
        """Press keys; whether words are written within some time."""
        self._send(keys)
        self.waits_for(words, seconds)
        assert self._thread.is_alive(), f"the program has ended; {keys!r} were not answered"
        return self._has(words)

    def _send(self, keys: str) -> None:
        with self._lock:
            self.written.clear()
            self.glass.written.clear()
        super().press(keys)

    def _has(self, words: str) -> bool:
        """Whether words were sent, or stand on a screen of which something was written since the keys."""
        with self._lock:
            screen = "\n".join(self.glass.lines()) if self.glass.written else ""
            return words.encode() in self.written or words in screen

    def sees(self, words: str) -> None:
        """Wait until words have been written."""
        self.waits_for(words, PATIENCE)
        assert self._has(words), f"{words!r} does not come after {bytes(self.written[-1500:])!r}"

    def waits_for(self, words: str, seconds: float) -> None:
        """Wait for words, but not for ever."""
        until = time.monotonic() + seconds
        while not self._has(words) and time.monotonic() < until:
            time.sleep(0.02)

    def close(self) -> None:
        """End the program, stopped or not."""
        self._is_over = True
        self._thread.join()
        super().close()


def terminal(*command: str, **more: Any) -> contextlib.AbstractContextManager[Seat]:
    """A program in a terminal, ended at the end."""
    return contextlib.closing(Seat(command, **more))


@contextlib.contextmanager
def monitor(*words: str, **more: Any) -> Iterator[Seat]:
    """The monitor on its first screen."""
    with terminal(*MONITOR, *words, **more) as found:
        found.sees("COMMAND")
        yield found
