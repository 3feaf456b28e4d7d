"""How many sources may be open at once: the files that the screen itself needs are never theirs."""

from __future__ import annotations

import resource
from pathlib import Path

OWN = 16
"""How many files the screen has open, and opens: the terminal, its loop, modules, what is saved, an editor's pipes."""
OF_A_SOURCE = 3
"""How many a source has open, and opens for a look."""
_STANDARD = 3


def allowed() -> int:
    """How many files the system lets this program have open ('ulimit -n')."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 2**31


def sources_that_fit() -> int:
    """How many sources can be read beside the screen, and beside what this program was given open."""
    return max((allowed() - _given() - OWN) // OF_A_SOURCE, 0)


def needed(sources: int) -> int:
    """How many files must be allowed for so many sources."""
    return _given() + OWN + sources * OF_A_SOURCE


def _given() -> int:
    """How many files are open that this program was started with, but for the three that every program has."""
    try:
        return max(sum(1 for _ in Path("/dev/fd").iterdir()) - 1 - _STANDARD, 0)  # one is the folder itself
    except OSError:
        return 0
