"""What tells one process from all others: its host, its pid, where that pid counts, and when it started; no database.

A pid alone proves nothing: it is used again, and means another process on another machine or in
another container.
"""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
LARGEST_PID = 2**31
_DEAD = "ZX"
"""Letters of the states of processes that only wait to be forgotten."""


class Identity(NamedTuple):
    """This process, as others can look for it; what the system does not tell is None."""

    hostname: str
    pid: int
    pid_space: str | None
    start_ticks: int | None


def identity() -> Identity:
    """The identity of the process that asks."""
    pid = os.getpid()
    stat = _stat(pid)
    return Identity(socket.gethostname(), pid, pid_space(), stat[1] if stat else None)


@lru_cache(maxsize=1)
def pid_space() -> str | None:
    """Where pids are given out: this boot of this machine, and the container; None when that cannot be known."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return None


def is_there(pid: int, space: str | None, start_ticks: int | None) -> bool | None:
    """Whether a process still is; None when nobody can tell from here: its pid counts elsewhere."""
    if space is None or space != pid_space() or not 0 < pid < LARGEST_PID:
        return None
    stat = _stat(pid)
    if stat is None:
        return None if _is_hidden(pid) else False
    state, ticks = stat
    return state not in _DEAD and start_ticks in (None, ticks)


def _is_hidden(pid: int) -> bool:
    """Whether there is a process of that pid that /proc does not show: administrators can have it so."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _stat(pid: int) -> tuple[str, int] | None:
    """The letter of a process's state and its start in clock ticks since boot, if the system shows them."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()  # what stands before it is the program's name, which can hold anything
        return fields[0], int(fields[19])
    except (OSError, ValueError, IndexError):
        return None
