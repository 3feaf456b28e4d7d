"""Ctrl-C ends a command at once, also while it waits for the answer of a server that hangs.

The driver hears no signal in a statement. What Python writes at a signal is read by a thread, which
hangs up for the driver: it comes back, and Python goes on with the signal.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ENDED = 130
"""The exit status of what Ctrl-C has ended."""


@contextmanager
def heard_at_once() -> Iterator[None]:
    """While a command runs, in the main thread of its program, nothing that waits holds up Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    listener = threading.Thread(target=_listen, args=(reading,), name="interrupts", daemon=True)
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # what stops the program is not for it
    try:
        listener.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)
        listener.join()
        os.close(reading)


def _listen(reading: int) -> None:
    while numbers := os.read(reading, 64):
        if signal.SIGINT in numbers and (deadlines := sys.modules.get("outflow_core.deadlines")):
            deadlines.hang_up()
