"""What a program leaves behind in its own process: threads, children, open files."""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 5.0
"""Seconds after which something that should have ended is called left behind."""


@contextmanager
def nothing_left() -> Iterator[None]:
    """Whatever is begun inside has ended afterwards: each thread, each child, each open file and socket."""
    gc.collect()
    before = held()
    yield
    until = time.monotonic() + PATIENCE
    while (left := held() - before) and time.monotonic() < until:
        gc.collect()
        time.sleep(0.02)
    assert not left, f"left behind: {dict(left)}"


def held() -> Counter[str]:
    """What this process holds now: its threads, children and open files by their names."""
    return Counter([*_files(), *_children(), *(f"thread {thread.name}" for thread in threading.enumerate())])


def _files() -> Iterator[str]:
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # the one by which the directory is read
            continue
        kind, number, _ = target.partition(":[")  # a socket's number is another one each time
        yield f"file {kind if number else target}"


def _children() -> Iterator[str]:
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            yield f"child {pid}"
