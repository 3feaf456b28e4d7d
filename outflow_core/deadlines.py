"""Connections to PostgreSQL that wait for an answer only so long, whatever has become of the server.

A server that is suspended, or cut off from here, says nothing: neither its time-outs nor those of the
driver then end a statement that is on its way. A watchman, one thread for all connections, shuts down
the socket of a statement whose time is up, and the driver fails as if the server had gone.

A connection is made by a thread of its own: the time-out of the driver does not hold for a name server
that says nothing, and no signal is heard until the driver comes back.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg2
from psycopg2 import extensions

LOOKUP_SECONDS = 5.0
"""How long to wait for the address of a host: on a network that works it takes milliseconds."""
HANDSHAKE_SECONDS = 5.0
"""How long a server that lives takes at most to say its first byte to a newcomer."""
_DO_YOU_SPEAK_TLS = struct.pack("!II", 8, 80877103)


class NoAnswerError(psycopg2.OperationalError):
    """The server did not answer in time; whether it has done what it was asked for is not known."""


@dataclass(eq=False, slots=True)
class Wait:
    """One statement that waits for its answer on a socket, at most until a moment."""

    descriptor: int
    seconds: float
    peer: tuple[int, Any] | None = None
    """Where to ask whether the server lives when the time is up; it then begins anew."""
    until: float = 0.0
    is_up: bool = False

    def begin(self) -> None:
        """From now on the time counts."""
        self.until = time.monotonic() + self.seconds

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
    def waiting(self, descriptor: int, seconds: float, *, may_last: bool = False) -> Iterator[Wait]:
        """See to it that the block ends: after some seconds its socket is shut down.

        What `may_last` goes on for as long as the server answers others.
        """
        own = os.dup(descriptor)  # the driver may close its own amid a statement, and the number be another file's
        wait = Wait(own, seconds, _peer(own) if may_last else None)
        wait.begin()
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
        while (due := self._due()) is not None:
            lives = due.peer is not None and _answers(*due.peer)
            with self._changed:
                if lives:
                    due.begin()
                elif due in self._waits:
                    due.give_up()

    def _due(self) -> Wait | None:
        """Wait until some time is up: whose. None when nothing waits any more."""
        with self._changed:
            while self._waits:
                now = time.monotonic()
                for wait in self._waits:
                    if wait.until <= now and not wait.is_up:
                        return wait
                self._wakes_at = min((wait.until for wait in self._waits if not wait.is_up), default=now + 1)
                self._changed.wait(self._wakes_at - now)
            self._thread = None
            return None

    def hang_up(self) -> None:
        """Give up everything at once, whatever time it has."""
        with self._changed:
            for wait in self._waits:
                wait.give_up()

    def look(self) -> None:
        """A connection was closed: without anything that waits the thread ends."""
        with self._changed:
            self._changed.notify()


_watchman = Watchman()
os.register_at_fork(after_in_child=_watchman.begin_anew)


def hang_up() -> None:
    """Let all statements of this process end at once, for somebody wants to end it."""
    _watchman.hang_up()


def _peer(descriptor: int) -> tuple[int, Any]:
    with socket.socket(fileno=os.dup(descriptor)) as line:
        return line.family, line.getpeername()


def _answers(family: int, address: Any) -> bool:
    """Whether a server answers newcomers, before it knows who they are and without a connection slot."""
    with contextlib.suppress(OSError), socket.socket(family) as line:
        line.settimeout(HANDSHAKE_SECONDS)
        line.connect(address)
        line.sendall(_DO_YOU_SPEAK_TLS)
        return bool(line.recv(1))
    return False


class Opening:
    """A connection that is made by a thread, which is left behind when it takes too long or is not wanted any more."""

    def __init__(self, place: Mapping[str, str], connect: Callable[[], None]) -> None:
        self._connect = connect
        hosts = "" if "hostaddr" in place else place.get("host") or os.environ.get("PGHOST", "")
        self._names = [name for name in hosts.split(",") if name and name[0] not in "/@"]
        self._seconds = float(place.get("connect_timeout", 0))  # the driver's own, for each address
        self._looks_for = ""
        self._addresses = 0
        self._is_found, self._is_over = threading.Event(), threading.Event()
        self._is_left = False
        self._error: BaseException | None = None

    def wait(self) -> None:
        """Connect; NoAnswerError when it is not known in time where the server is."""
        try:
            threading.Thread(target=self._run, name="connecting", daemon=True).start()
        except RuntimeError:  # no more threads are allowed here
            self._connect()
            return
        try:
            self._wait()
        finally:
            self._is_left = True
        if self._error is not None:
            raise self._error

    def _wait(self) -> None:
        if not self._is_found.wait(LOOKUP_SECONDS * max(len(self._names), 1)):
            raise _nobody_knows(self._looks_for)
        longest = self._seconds * max(self._addresses, 1) + LOOKUP_SECONDS  # the driver looks for the names once more
        if not self._is_over.wait(longest if self._seconds > 0 else None):
            raise _nobody_knows(self._looks_for)

    def _run(self) -> None:
        try:
            for name in self._names:
                self._looks_for = name
                with contextlib.suppress(OSError, UnicodeError):  # the driver will say so itself
                    self._addresses += len(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
            self._is_found.set()
            if not self._is_left:
                self._connect()
        except BaseException as error:
            self._error = error
        self._is_over.set()


def _nobody_knows(name: str) -> NoAnswerError:
    return NoAnswerError(
        f"nobody says in {LOOKUP_SECONDS:g} s where the host {name!r} is: the name server hangs, or the network to it "
        "is interrupted"
    )


class PromptConnection(extensions.connection):
    """A connection whose server must answer each statement within some seconds, or others if it `may_last`."""

    def __init__(self, dsn: str, *, seconds: float, may_last: bool = False) -> None:
        Opening(extensions.parse_dsn(dsn), partial(super().__init__, dsn)).wait()
        self.seconds = seconds
        self.may_last = may_last

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
        with _watchman.waiting(self.fileno(), self.seconds, may_last=self.may_last) as wait:
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


def answered_within(seconds: float, *, may_last: bool = False) -> Callable[[str], PromptConnection]:
    """What makes such connections, for `psycopg2.connect(connection_factory=...)`."""
    return partial(PromptConnection, seconds=seconds, may_last=may_last)
