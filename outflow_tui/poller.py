"""The one thread of a source: asks it at every tick or nudge, waits longer after a failure, and stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from outflow_core.errors import OutflowError
from outflow_core.faults import fault
from outflow_tui.format import from_here, here
from outflow_tui.snapshot import Focus, Snapshot

LONGEST_WAIT = 30.0
_WHOSE_FAULT = "If the database is whole, this is a fault of outflow-tui: please report it"


class Looks(Protocol):
    """What a poller asks: the books behind `source.BooksSource`, or a test's fake."""

    def look(self, focus: Focus) -> Snapshot:
        """What there is to see now."""

    def close(self) -> None:
        """Give up connections."""


class Poller:
    """Asks one source again and again, in a daemon thread of its own, and posts what is new.

    `opens` is called in that thread, so that the first frame need not wait for a database's driver.
    """

    def __init__(
        self,
        name: str,
        opens: Callable[[], Looks],
        post: Callable[[Snapshot], object],
        *,
        seconds: float = 1.0,
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._opens = opens
        self._post = post
        self._seconds = seconds
        self._clock = clock
        self._source: Looks | None = None
        self._focus = Focus()
        self._last = Snapshot(name)
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll {name}", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def look_at(self, focus: Focus) -> None:
        """Ask for something else, at once."""
        if focus != self._focus:
            self._focus = focus
            self._wake.set()

    def nudge(self) -> None:
        """Ask now instead of at the next tick."""
        self._wake.set()

    def stop(self) -> None:
        """Let the thread end, and wait for nothing."""
        self._stopped.set()
        self._wake.set()

    def wait(self, seconds: float) -> None:
        """Wait for the end of the thread."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._wake.clear()
                seen = self.poll_once()
                if seen != self._last:
                    self._last = seen
                    self._post(seen)
                is_behind = seen.is_behind
                if not is_behind or self._focus == seen.focus:
                    self._wake.wait(_breath(seen) if is_behind else seen.retry_seconds or self._seconds)
        finally:
            self._close()

    def _close(self) -> None:
        """Give up the source; what it knows may be half of the truth."""
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def poll_once(self) -> Snapshot:
        """Ask the source; on failure keep the last answer and say what went wrong."""
        try:
            if self._source is None:
                self._source = self._opens()
            return self._source.look(self._focus)
        except OutflowError as error:
            return self._failed(str(error))
        except Exception as error:  # a thread that ended would leave the screen as it is, and say nothing
            self._close()
            return self._failed(f"{self._last.source}: cannot be understood ({fault(error)}). {_WHOSE_FAULT}")

    def _failed(self, why: str) -> Snapshot:
        since = self._last.failing_since or self._clock()
        wait = min(max(2 * self._last.retry_seconds, 2 * self._seconds), LONGEST_WAIT)
        return self._last._replace(
            focus=self._focus,
            caution="",
            error=from_here(why, here()),
            failing_since=since,
            retry_seconds=wait,
        )


def stop_all(pollers: Sequence[Poller], seconds: float = 1.0) -> None:
    """End the threads; those that hang in a read are left behind, they do not hold the program."""
    for poller in pollers:
        poller.stop()
    until = time.monotonic() + seconds
    for poller in pollers:
        poller.wait(max(until - time.monotonic(), 0))


def _breath(seen: Snapshot) -> float:
    """How long to wait while there is more to read, so that the keys are answered meanwhile."""
    return 0.03 if seen.is_reading else 0.01
