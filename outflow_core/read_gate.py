"""A program that is to be stopped is stopped between two reads: a stopped reader would hold up every writer.

SQLite's lock for reading, and PostgreSQL's for a table, stay as long as the process that holds them does,
also while Ctrl-Z has stopped it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOPS = frozenset({signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
"""What stops a program, unless it has its own way with it; SIGSTOP asks nobody."""


class ReadGate:
    """Reads pass it, each for as long as it takes; whoever is about to stop the program closes it first."""

    def __init__(self) -> None:
        self._moved = threading.Condition()  # its lock is re-entrant: signal handlers come amid each other
        self._reading = 0
        self._closings = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One read, begun when the gate is open; in the main thread signals that stop the program wait for its end."""
        with _deferred():
            with self._moved:
                self._moved.wait_for(lambda: not self._closings)
                self._reading += 1
            try:
                yield
            finally:
                with self._moved:
                    self._reading -= 1
                    self._moved.notify_all()

    @contextmanager
    def closed(self, seconds: float) -> Iterator[None]:
        """No read begins in here, and none is under way, unless one goes on for longer than these seconds."""
        with self._moved:
            self._closings += 1
            self._moved.wait_for(lambda: not self._reading, seconds)
        try:
            yield
        finally:
            with self._moved:
                self._closings -= 1
                self._moved.notify_all()


@contextmanager
def _deferred() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


GATE = ReadGate()
"""That of this process; signals are for all of it."""
