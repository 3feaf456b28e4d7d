"""What pollers post, from their threads; held back while nobody reads it, and then only the last of each counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from outflow_tui.messages import Seen
from outflow_tui.snapshot import Snapshot


class Mailbox:
    """Hands on what each source answered, unless an editor has the terminal."""

    def __init__(self, post: Callable[[Seen], object]) -> None:
        self._post = post
        self._held: dict[int, Snapshot] | None = None
        self._lock = Lock()

    def receive(self, place: int, snapshot: Snapshot) -> None:
        """Called in a poller's thread."""
        with self._lock:
            if self._held is None:
                self._post(Seen(place, snapshot))
            else:
                self._held[place] = snapshot

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep what comes in, and hand it on at the end."""
        held = self._held = {}
        try:
            yield
        finally:
            with self._lock:  # what comes in meanwhile is newer, and has to wait
                self._held = None
                for place, snapshot in held.items():
                    self._post(Seen(place, snapshot))
