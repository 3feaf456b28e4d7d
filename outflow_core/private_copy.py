"""A SQLite file with its journals, copied to where SQLite may repair it; the copy is its owner's alone."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from outflow_core.errors import SourceError

COPIES = 50
"""How often a copy is tried while somebody writes."""
_CHUNK = 1_000_000
_COMPANIONS = ("-journal", "-wal")


class PrivateCopy:
    """A copy of one file, in a folder of its own that goes with it; `path` is how the user calls the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def make(self, real: Path) -> Path:
        """A new copy, in place of the last one; SourceError when there is no making one."""
        self.remove()
        self._folder = tempfile.TemporaryDirectory(prefix="outflow-copy-")
        target = Path(self._folder.name) / real.name
        try:
            for _ in range(COPIES):
                if _is_copied(real, target):
                    return target
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be copied: {error.strerror}.") from None
        raise SourceError(f"{self._path}: changes faster than it can be copied; look at it without --copy.")

    def remove(self) -> None:
        """Remove the copy, if there is one."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _is_copied(source: Path, target: Path) -> bool:
    """Copy a database with its journals; whether that is one state of it, not a mixture of two.

    It is when reading everything a second time gives the same: times are too coarse to tell.
    """
    try:
        for ending in (*_COMPANIONS, ""):
            beside(target, ending).unlink(missing_ok=True)
            if beside(source, ending).exists():
                beside(target, ending).touch(mode=0o600)
                shutil.copyfile(beside(source, ending), beside(target, ending))
        return all(_is_same(beside(source, ending), beside(target, ending)) for ending in (*_COMPANIONS, ""))
    except FileNotFoundError:  # a journal that was there a moment ago
        return False


def _is_same(one: Path, other: Path) -> bool:
    if not other.exists():
        return not one.exists()
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(_CHUNK):
            if chunk != second.read(_CHUNK):
                return False
        return not second.read(1)


def beside(path: Path, ending: str) -> Path:
    """The companion of a database file, such as its journal."""
    return path.with_name(path.name + ending)
