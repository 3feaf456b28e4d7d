"""Who holds locks on a file, as the kernel says; and how long somebody else waits for an exclusive one."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path


def holders(path: Path) -> set[int]:
    """The processes that hold any lock on a file."""
    sign = path.stat()
    place = f"{os.major(sign.st_dev):02x}:{os.minor(sign.st_dev):02x}:{sign.st_ino}"
    lines = (line.split() for line in Path("/proc/locks").read_text().splitlines())
    return {int(words[4]) for words in lines if words[1] == "POSIX" and words[5] == place}


def exclusive_after(path: Path, seconds: float = 5.0) -> float:
    """After how many seconds a writer has the file for itself; OperationalError when it waits in vain."""
    other = sqlite3.connect(path, isolation_level=None, timeout=seconds)
    began = time.monotonic()
    try:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("ROLLBACK")
        return time.monotonic() - began
    finally:
        other.close()


class LockSampler:
    """Looks at random moments whether some processes hold a lock: for what part of the time they do."""

    def __init__(self, path: Path, processes: Callable[[], Collection[int]]) -> None:
        self._path = path
        self._processes = processes
        self.looks = 0
        self.held = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> LockSampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(random.uniform(0.002, 0.03)):
            found = holders(self._path)
            for process in self._processes():
                self.looks += 1
                self.held += process in found
