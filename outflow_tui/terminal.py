"""Ends the program when its terminal is gone: nobody can quit it any more, and the signal that says so can be lost."""

from __future__ import annotations

import os
import sys
import termios
import threading
import time
from collections.abc import Callable

SECONDS = 1.0
"""How often to look whether the terminal is still there."""
GRACE_SECONDS = 3.0
"""How long the program may take to end by itself; it cannot when it hangs in a write to the dead terminal."""
HANGUP = 129


def watch_terminal(leave: Callable[[], object]) -> None:
    """Look in a thread of its own; `leave` is called, from there, when the terminal is gone."""
    threading.Thread(target=_watch, args=[leave], name="terminal", daemon=True).start()


def _watch(leave: Callable[[], object]) -> None:
    while _is_there():
        time.sleep(SECONDS)
    leave()
    time.sleep(GRACE_SECONDS)
    os._exit(HANGUP)


def _is_there() -> bool:
    try:
        termios.tcgetattr(sys.__stdin__.fileno() if sys.__stdin__ else 0)
    except (OSError, ValueError, termios.error):
        return False
    return True
