"""Stopped by Ctrl-Z and brought back by `fg`; never in the middle of a read, for writers would wait for its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from outflow_core.read_gate import GATE

PATIENCE = 3.0
"""How long a stop waits for a read; one of a server that does not answer is stopped amid it."""


def stop_between_reads() -> None:
    """Have the signals that stop and go on wait for a read; to be called when the screen's driver stands.

    The driver gives the terminal back when it is told to stop, and takes it again afterwards. A program in the
    background that writes to its terminal is stopped too: by us then, as no handler would stop it anywhere.
    """
    for number in (signal.SIGTSTP, signal.SIGCONT):
        handler = signal.getsignal(number)
        if callable(handler) and not isinstance(handler, _Guarded):
            signal.signal(number, _Guarded(handler))
    _stop_in_the_background()


def _stop_in_the_background() -> None:
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, _Guarded(_stop))


def _stop(number: int, frame: FrameType | None) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


class _Guarded:
    """A handler of a signal that runs between reads; nobody is there to bring back what no shell has started."""

    def __init__(self, handler: Callable[[int, FrameType | None], Any]) -> None:
        self._handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if number != signal.SIGCONT and not has_shell():
            return
        with GATE.closed(PATIENCE):
            self._handler(number, frame)
            if number == signal.SIGCONT:
                _stop_in_the_background()  # the driver has put them back to what they do by themselves


def has_shell() -> bool:
    """Whether a shell looks after this program's group of processes, so that it can be brought back."""
    group, parent = os.getpgrp(), os.getppid()
    try:
        while parent > 1 and os.getpgid(parent) == group:
            parent = _parent_of(parent)
        return parent > 0 and os.getsid(parent) == os.getsid(0)
    except OSError:
        return False


def _parent_of(process: int) -> int:
    """The number of a process's parent; its name may hold spaces and brackets."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
