"""A monitor in a real shell, stopped by Ctrl-Z and brought back by `fg`."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.soak.terminals import MONITOR, PATIENCE, Seat, terminal

CTRL_Z = "\x1a"


@contextmanager
def shell_with_monitor(*words: str) -> Iterator[tuple[Seat, int]]:
    """A shell in whose foreground the monitor runs; its terminal, and the monitor's process."""
    with terminal("bash", "--norc", "-i", PS1="$ ") as seat:
        seat.sees("$ ")
        seat.press(f"{shlex.join([*MONITOR, *words])}\n", "COMMAND")
        process = child_of(seat.pid)
        try:
            yield seat, process
        finally:
            os.kill(process, signal.SIGKILL)


def child_of(process: int) -> int:
    """The only child of a process."""
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(child)


def state_of(process: int) -> str:
    """R, S, D, or T for one that is stopped."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def is_stopped_soon(process: int) -> None:
    """Wait until a process is stopped; fails when it goes on."""
    until = time.monotonic() + PATIENCE
    while state_of(process) != "T":
        assert time.monotonic() < until, f"process {process} is not stopped"
        time.sleep(0.002)


def suspend(seat: Seat, process: int) -> None:
    """Press Ctrl-Z, and wait until the monitor is stopped."""
    seat.press(CTRL_Z)
    is_stopped_soon(process)


def bring_back(seat: Seat, words: str = "COMMAND") -> None:
    """Type `fg`, and wait for words of the screen."""
    seat.sees("$ ")
    seat.press("fg\n", words)
