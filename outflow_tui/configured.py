"""The books that a configuration file names: the file is followed when it is edited, in the poller's thread.

While it is broken or gone, what it said before stays in force, and that is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from outflow_core.databases import Database
from outflow_core.errors import ConfigError, SourceError
from outflow_core.settings import read_database_and_files
from outflow_tui.format import from_here, here
from outflow_tui.poller import Looks
from outflow_tui.snapshot import Focus, Snapshot

AGAIN_SECONDS = 5.0
"""How often a broken configuration is read again though it did not change: what it includes may have."""

Sign = tuple[int, int, int] | None
"""What tells one state of a file from another; None when it cannot be seen."""


class ConfiguredSource:
    """Looks into the database that a configuration names now; ConfigError when it cannot be read at first."""

    def __init__(self, path: Path, opens: Callable[[Database], Looks]) -> None:
        self._path = path
        self._opens = opens
        self._files: tuple[Path, ...] = (path,)
        self._signs: tuple[Sign, ...] = ()
        self._again_at = float("inf")
        self._caution = ""
        self._database = self._read(self._seen())
        self._books = opens(self._database)

    def look(self, focus: Focus) -> Snapshot:
        """What the books say, and what is wrong with the configuration."""
        self._follow()
        try:
            seen = self._books.look(focus)
        except SourceError as error:
            raise (SourceError(f"{error} {self._caution}") if self._caution else error) from None
        return seen._replace(caution=self._caution)

    def close(self) -> None:
        """Give up the connection."""
        self._books.close()

    def _follow(self) -> None:
        signs = self._seen()
        if signs == self._signs and time.monotonic() < self._again_at:
            return
        try:
            database = self._read(signs)
        except ConfigError as error:
            self._signs, self._again_at = signs, time.monotonic() + AGAIN_SECONDS
            self._caution = f"{from_here(str(error), here()).rstrip('.')}. What it said before stays in force."
            return
        if database != self._database:
            self._books.close()
            self._database, self._books = database, self._opens(database)

    def _read(self, signs: tuple[Sign, ...]) -> Database:
        """What the file says now; with files that were not known before it will be read once more."""
        database, self._files = read_database_and_files(self._path)
        self._signs, self._again_at, self._caution = signs, float("inf"), ""
        return database

    def _seen(self) -> tuple[Sign, ...]:
        return tuple(map(_sign, self._files))


def _sign(file: Path) -> Sign:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
