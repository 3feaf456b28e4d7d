"""Journals written into the books: every entry once, in the order in which it was kept."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outflow_core.books import Books
from outflow_core.entries import from_line
from outflow_core.errors import NotWrittenYetError, OutflowError, RefusedError
from outflow_core.forks import forks_wait
from outflow_core.journal import JournalFile, journals

BATCH = 100
"""How many entries one transaction takes."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the entries of one journal: how many are in the books now, and why others are not."""

    path: Path
    written: int = 0
    refused: int = 0
    left: int = 0
    words: str = ""
    """Why entries are left, or where those are that the database refused."""
    is_of_another: bool = False
    """Whether the journal is for another database."""
    waits: bool = False
    """Whether all that is left follows up on something that may stand in another journal."""

    @property
    def told(self) -> str:
        """What became of the entries, in words."""
        numbers = {"written": self.written, "refused": self.refused, "left": self.left}
        return ", ".join(f"{number} {what}" for what, number in numbers.items() if number) or self.words or "empty"


def replay_file(file: JournalFile, books: Books, *, until: float = float("inf"), gives_up: bool = False) -> Replayed:
    """Write what waits in a journal that this process holds, as far as it can be written.

    What follows up on something that the books do not hold stays, in its order, and holds up nothing
    else; with `gives_up` it is set aside. Stops when time.monotonic() is beyond `until`.
    """
    found, waiting, seen = Replayed(file.path), list[bytes](), 0
    lines = file.waiting()
    try:
        while time.monotonic() < until and (batch := tuple(itertools.islice(lines, BATCH))):
            found = _write(file, books, batch, found, waiting)
            if waiting:  # noted all at once: who is killed before begins with them again
                seen += sum(map(len, batch))
            else:
                file.done(batch)
        if gives_up:
            found = _set_aside(file, waiting, found.words, "given up,", found)
            waiting.clear()
    except (OutflowError, OSError) as error:
        found = replace(found, words=str(error))
    if seen:
        with contextlib.suppress(OSError):  # no room for another file: whoever comes next begins with these again
            file.keep_of(seen, waiting)
    left = file.count()
    return replace(found, left=left, waits=left == len(waiting))


def _write(file: JournalFile, books: Books, lines: Sequence[bytes], found: Replayed, waiting: list[bytes]) -> Replayed:
    """Write these lines at once, or one by one where that fails; those that wait are added to `waiting`."""
    try:
        _keep(books, lines)
        return replace(found, written=found.written + len(lines))
    except (RefusedError, NotWrittenYetError):
        pass
    for line in lines:
        try:
            _keep(books, [line])
            found = replace(found, written=found.written + 1)
        except NotWrittenYetError as error:
            waiting.append(line)
            found = replace(found, words=str(error))
        except RefusedError as error:
            found = _set_aside(file, [line], str(error), f"{error};", found)
    return found


def _keep(books: Books, lines: Sequence[bytes]) -> None:
    entries = [from_line(line) for line in lines]
    with forks_wait():
        books.write_again(entries)


def _set_aside(file: JournalFile, lines: Sequence[bytes], why: str, told: str, found: Replayed) -> Replayed:
    for line in lines:
        aside = file.set_aside(line, why)
        found = replace(found, refused=found.refused + 1, words=f"{told} kept in {aside}")
    return found


def replay_folder(
    folder: Path,
    books: Books,
    *,
    of_others: bool = False,
    until: float = float("inf"),
    gives_up: bool = False,
) -> tuple[Replayed, ...]:
    """Write what waits in the journals of a folder that no process holds any more.

    Journals of another database stay, unless `of_others`. What one journal follows up on may stand
    in another: they are gone through until nothing moves, and no further when the books are away.
    """
    found: dict[Path, Replayed] = {}
    moves = True
    while moves:
        moves = False
        for path in journals(folder):
            before = found.get(path)
            if before is not None and not before.waits:
                continue
            found[path] = now = _added(before, _replay(path, books, of_others, until))
            moves = moves or now.written > (before.written if before else 0)
            if now.left and not now.waits:  # the books are away, or time is up
                return tuple(found.values())
    if gives_up:
        found |= {path: _replay(path, books, of_others, until, gives_up=True) for path in journals(folder)}
    return tuple(found.values())


def _replay(path: Path, books: Books, of_others: bool, until: float, *, gives_up: bool = False) -> Replayed:
    try:
        file = JournalFile.take(path)
    except (OutflowError, OSError) as error:
        return Replayed(path, left=1, words=str(error), waits=True)
    if file is None:
        return Replayed(path, words="held by a process that still runs" if path.exists() else "")
    if file.database != books.name and not of_others:
        words = f"{path}: is for another database, {file.database}"
        found = Replayed(path, left=file.count(), words=words, is_of_another=True, waits=True)
    else:
        found = replay_file(file, books, until=until, gives_up=gives_up)
    (file.close if found.left else file.remove)()
    return found


def _added(before: Replayed | None, now: Replayed) -> Replayed:
    if before is None:
        return now
    return replace(now, written=before.written + now.written, refused=before.refused + now.refused)
