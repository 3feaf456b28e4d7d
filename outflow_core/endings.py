"""Lets a recorded run be closed when the process is asked to end: by SIGTERM, as batch systems do."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def sigterm_as_exit() -> Iterator[None]:
    """Turn SIGTERM into SystemExit(143), unless the pipeline handles it itself or this is not the main thread.

    Only the first one: whoever repeats it must not keep the run from being closed. In a process
    that was forked off it does what it did before: the executor's workers are ended by it.
    """
    is_free = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not is_free or threading.current_thread() is not threading.main_thread():
        yield
        return
    owner, asked = os.getpid(), False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif not asked:
            asked = True
            sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
