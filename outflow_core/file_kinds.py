"""What stands where a file is looked for, in words with the way out; nothing is opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def other_kind(mode: int) -> str:
    """What is there instead of a file, such as a named pipe, from which nobody could read; '' for a file."""
    kind = _KINDS.get(stat.S_IFMT(mode))
    return f"is {kind}, no file; put the database back, or name another" if kind else ""


def is_file(path: Path) -> bool:
    """Whether a file is there that can be looked at."""
    try:
        return path.is_file()
    except OSError:
        return False


def absence(path: Path) -> str:
    """Why nothing is found there."""
    if path.is_symlink():
        return f"a link to {path.readlink()}, where no file is; mend the link, or name another database"
    return "no such file; it was moved or deleted, or never made"


def refusal(path: Path, error: OSError) -> str:
    """What the system refuses, and whom to ask where it is a matter of rights."""
    if not isinstance(error, PermissionError):
        return f"{error.strerror}"
    closed = next(filter(_is_closed, reversed(path.absolute().parents)), None)
    what = f"the directory {closed} may not be entered" if closed else f"{error.strerror}"
    return f"{what}; ask its owner for the right"


def _is_closed(folder: Path) -> bool:
    return not os.access(folder, os.X_OK, effective_ids=os.access in os.supports_effective_ids)
