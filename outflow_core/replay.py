"""Journals written into the books: every entry once, in the order in which it was kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from outflow_core.books import Books
from outflow_core.errors import NotWrittenYetError, OutflowError, RefusedError
from outflow_core.forks import forks_wait
from outflow_core.journal import JournalFile, journals


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the entries of one journal: how many are in the books now, and why others are not."""

    path: Path
    written: int = 0
    refused: int = 0
    left: int = 0
    words: str = ""
    """Why entries are left, or where those are that the database refused."""
    waits: bool = False
    """Whether what is left follows up on something that may stand in another journal."""

    @property
    def told(self) -> str:
        """What became of the entries, in words."""
        numbers = {"written": self.written, "refused": self.refused, "left": self.left}
        return ", ".join(f"{number} {what}" for what, number in numbers.items() if number) or self.words or "empty"


def replay_file(file: JournalFile, books: Books) -> Replayed:
    """Write what waits in a journal that this process holds; the first entry that cannot be written ends it."""
    found = Replayed(file.path)
    try:
        for entry, line in file.waiting():
            try:
                with forks_wait():
                    books.write(entry, again=True)
                found = replace(found, written=found.written + 1)
            except RefusedError as error:
                aside = file.set_aside(line, str(error))
                found = replace(found, refused=found.refused + 1, words=f"{error}; kept in {aside}")
    except (OutflowError, OSError) as error:
        waits = isinstance(error, NotWrittenYetError)
        return replace(found, left=file.count(), words=str(error), waits=waits)
    return found


def replay_folder(folder: Path, books: Books, *, of_others: bool = False) -> tuple[Replayed, ...]:
    """Write what waits in the journals of a folder that no process holds any more.

    Journals of another database stay, unless `of_others`. What one journal follows up on may stand
    in another: they are gone through until nothing moves.
    """
    found: dict[Path, Replayed] = {}
    while True:
        moved = False
        for path in journals(folder):
            before = found.get(path)
            if before is None or before.waits:
                found[path] = _added(before, _replay(path, books, of_others))
                moved = moved or bool(found[path].written > (before.written if before else 0))
        if not moved:
            return tuple(found.values())


def _replay(path: Path, books: Books, of_others: bool) -> Replayed:
    try:
        file = JournalFile.take(path)
    except (OutflowError, OSError) as error:
        return Replayed(path, left=1, words=str(error))
    if file is None:
        return Replayed(path, words="held by a process that still runs" if path.exists() else "")
    if file.database != books.name and not of_others:
        found = Replayed(path, left=file.count(), words=f"{path}: is for another database, {file.database}")
    else:
        found = replay_file(file, books)
    (file.close if found.left else file.remove)()
    return found


def _added(before: Replayed | None, now: Replayed) -> Replayed:
    if before is None:
        return now
    return replace(now, written=before.written + now.written, refused=before.refused + now.refused)
