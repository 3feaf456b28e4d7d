"""Connections to PostgreSQL that wait for an answer only so long, whatever has become of the server.

A server that is suspended, or cut off from here, says nothing: neither its time-outs nor those of the
driver then end a statement that is on its way. A watchman, one thread for all connections, shuts down
the socket of a statement whose time is up, and the driver fails as if the server had gone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg2
from psycopg2 import extensions


class NoAnswerError(psycopg2.OperationalError):
    """The server did not answer in time; whether it has done what it was asked for is not known."""


@dataclass(eq=False, slots=True)
class Wait:
    """One statement that waits for its answer on a socket, at most until a moment."""

    descriptor: int
    until: float
    is_up: bool = False

    def give_up(self) -> None:
        """Hang up: whoever reads from this socket is told that there is nothing more."""
        self.is_up = True
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.descriptor)) as line:
            line.shutdown(socket.SHUT_RDWR)


class Watchman:
    """Gives up what waits too long, from a thread that is there only while something may wait."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """In a child that was forked off: those who wait, and the thread, are not in this process."""
        self._changed = threading.Condition()
        self._waits: set[Wait] = set()
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0

    @contextmanager
    def waiting(self, descriptor: int, seconds: float) -> Iterator[Wait]:
        """See to it that the block ends: after some seconds its socket is shut down."""
        own = os.dup(descriptor)  # the driver may close its own amid a statement, and the number be another file's
        wait = Wait(own, time.monotonic() + seconds)
        try:
            self._watch(wait)
            yield wait
        finally:
            with self._changed:
                self._waits.discard(wait)
            os.close(own)

    def _watch(self, wait: Wait) -> None:
        with self._changed:
            self._waits.add(wait)
            if self._thread is None:
                self._start()
            elif wait.until < self._wakes_at:
                self._changed.notify()

    def _start(self) -> None:
        thread = threading.Thread(target=self._stand, name="deadlines", daemon=True)
        with contextlib.suppress(RuntimeError):  # no more threads are allowed here: only the server's time-outs count
            thread.start()
            self._thread = thread

    def _stand(self) -> None:
        with self._changed:
            while self._waits:
                now = time.monotonic()
                for wait in self._waits:
                    if wait.until <= now and not wait.is_up:
                        wait.give_up()
                self._wakes_at = min((wait.until for wait in self._waits if not wait.is_up), default=now + 1)
                self._changed.wait(self._wakes_at - now)
            self._thread = None

    def look(self) -> None:
        """A connection was closed: without anything that waits the thread ends."""
        with self._changed:
            self._changed.notify()


_watchman = Watchman()
os.register_at_fork(after_in_child=_watchman.begin_anew)


class PromptConnection(extensions.connection):
    """A connection whose server must answer each statement within some seconds."""

    def __init__(self, dsn: str, *, seconds: float) -> None:
        super().__init__(dsn)
        self.seconds = seconds

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Ask something that is answered at once, unless nothing is."""
        before, self.seconds = self.seconds, seconds
        try:
            yield
        finally:
            self.seconds = before

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """Wait for one answer; NoAnswerError when there is none."""
        if self.closed:  # the driver says so itself
            yield
            return
        with _watchman.waiting(self.fileno(), self.seconds) as wait:
            try:
                yield
            except psycopg2.Error:
                if not wait.is_up:
                    raise
                words = f"no answer for {self.seconds:g} s: the server hangs, or the network between is interrupted"
                raise NoAnswerError(words) from None

    def cursor(self, *asked: Any, **named: Any) -> Any:
        """A cursor that waits only so long, also for those who ask for a plain one."""
        if named.get("cursor_factory") in (None, extensions.cursor):
            named["cursor_factory"] = PromptCursor
        return super().cursor(*asked, **named)

    def commit(self) -> None:
        """Commit in time."""
        with self.in_time():
            super().commit()

    def rollback(self) -> None:
        """Roll back in time."""
        with self.in_time():
            super().rollback()

    def close(self) -> None:
        """Close, and let the watchman go when nobody else waits."""
        super().close()
        _watchman.look()


class PromptCursor(extensions.cursor):
    """A cursor of such a connection."""

    connection: PromptConnection

    def execute(self, *asked: Any) -> None:
        """Execute a statement in time."""
        with self.connection.in_time():
            super().execute(*asked)

    def executemany(self, *asked: Any) -> None:
        """Execute a statement for many rows; the time is that of all of them."""
        with self.connection.in_time():
            super().executemany(*asked)


def answered_within(seconds: float) -> Callable[[str], PromptConnection]:
    """What makes such connections, for `psycopg2.connect(connection_factory=...)`."""
    return partial(PromptConnection, seconds=seconds)
