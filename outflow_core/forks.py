"""Lets a fork wait while threads of ours are in a database: what they have locked there stays locked in the child."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 2.0
"""Seconds for which a fork waits at most: a database may hang."""

_gate = threading.Lock()
_at_work: set[threading.Event] = set()


@contextmanager
def forks_wait() -> Iterator[None]:
    """Keep other threads of this process from forking until the block is left; short work only."""
    done = threading.Event()
    with _gate:
        _at_work.add(done)
    try:
        yield
    finally:
        _at_work.discard(done)
        done.set()


def _before() -> None:
    _gate.acquire()
    until = time.monotonic() + PATIENCE
    for done in tuple(_at_work):
        done.wait(max(until - time.monotonic(), 0))


def _after_in_parent() -> None:
    _gate.release()


def _after_in_child() -> None:
    _at_work.clear()  # whoever was at work is not in this process
    _gate.release()


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
