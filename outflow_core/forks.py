"""Lets a fork wait while a thread of ours is in a database: the child would inherit locks that nobody releases."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 2.0
"""Seconds for which a fork waits at most: a database may hang."""

_at_work = threading.RLock()
_waited = threading.local()


@contextmanager
def forks_wait() -> Iterator[None]:
    """Keep other threads of this process from forking until the block is left."""
    with _at_work:
        yield


def _before() -> None:
    _waited.holds = _at_work.acquire(timeout=PATIENCE)


def _after_in_parent() -> None:
    if _waited.holds:
        _at_work.release()


def _after_in_child() -> None:
    global _at_work
    _at_work = threading.RLock()  # whoever held the old one is not in this process


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
