"""Writes entries into the books; while those cannot be reached, into a journal, and that into the books later.

A pipeline must not die because its books are away: what was to be written waits on the disk, in its
order, and a thread of its own tries again until it is written. What is left at the end is written by
the next process that records, or by `outflow-db replay`.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any

from outflow_core.books import Books
from outflow_core.engines import Engines
from outflow_core.entries import Entry
from outflow_core.errors import BooksAwayError, NotWrittenYetError, OutflowError
from outflow_core.journal import JournalFile, is_strict, journal_folder, journals
from outflow_core.replay import Replayed, replay_file, replay_folder
from outflow_core.settings import DEFAULT_BIND, Database, Settings

LONGEST_PAUSE = 30.0
"""Seconds between two tries, at most; they begin with one second and double."""
PATIENCE = 15.0
"""Seconds for which the end of a run waits for a try that is under way."""

log = logging.getLogger("outflow_core")


class Bookkeeper:
    """Keeps entries, in the books or in a journal; strict ones raise instead of keeping a journal."""

    def __init__(self, engines: Engines, *, strict: bool = False, key: str = DEFAULT_BIND) -> None:
        self.engines = engines
        self._key = key
        self.books = Books(engines, key)
        self.is_strict = strict or is_strict(engines.settings)
        self._backlog = Backlog(self.books, journal_folder(engines.settings))

    def __reduce__(self) -> tuple[Any, ...]:
        """Into another process goes what to connect to, not the connections."""
        return _bookkeeper_here, (self.engines.settings, self.is_strict, self._key)

    @property
    def backlog(self) -> Backlog:
        """What waits in this process; after a fork the child begins with nothing."""
        if self._backlog.pid != os.getpid():
            self._backlog = Backlog(self.books, self._backlog.folder)
        return self._backlog

    def write(self, entry: Entry, *, first: bool = False) -> None:
        """Keep an entry.

        The `first` one of a run raises what is a mistake, not a misfortune: a database without
        tables, a wrong password. Later ones raise only when this keeper is strict.
        """
        if not self.backlog.is_waiting:
            try:
                self.books.write(entry)
                return
            except OutflowError as error:
                if self.is_strict or (first and not isinstance(error, BooksAwayError)):
                    raise
                reason = str(error)
        else:
            reason = ""
        self.backlog.add(entry, reason)

    def expects(self, run: str) -> None:
        """Make sure of a run that another process began; RecordError when the books hold none of this uuid.

        While they cannot be reached, or entries wait that may begin it, it is taken for granted.
        """
        try:
            self.books.run_id(run)
        except (BooksAwayError, NotWrittenYetError) as error:
            may_come = isinstance(error, BooksAwayError) or journals(self.backlog.folder)
            if self.is_strict or not may_come:
                raise

    def catch_up_with_others(self) -> None:
        """Begin to write what processes before this one had to leave."""
        if not self.is_strict:
            self.backlog.look_around()

    def close(self) -> None:
        """Try once more to write what waits, and tell where it is if that fails."""
        self.backlog.close()


class Backlog:
    """The entries of this process that wait, and the thread that writes them when the books are back."""

    def __init__(self, books: Books, folder: Path) -> None:
        self.pid = os.getpid()
        self.folder = folder
        self._books = books
        self._file: JournalFile | None = None
        self._lost = 0
        self._lock = threading.Lock()
        self._trying = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether entries wait, so that new ones must go behind them."""
        return self._file is not None

    def add(self, entry: Entry, reason: str) -> None:
        """Keep an entry on the disk; when even that fails it is lost, which is told, once."""
        with self._lock:
            try:
                if self._file is None:
                    self._file = JournalFile.create(self.folder, self._books.name)
                    log.warning("%s; until that is over it is kept in %s.", reason.rstrip("."), self.folder)
                self._file.append(entry)
            except OSError as error:
                self._lose(error)
            self._start()

    def _lose(self, error: OSError) -> None:
        if not self._lost:
            log.error("%s: cannot be kept: %s. The pipeline goes on without its books.", self.folder, error)
        self._lost += 1

    def look_around(self) -> None:
        """Begin to write what others left, if there is anything."""
        with self._lock:
            if journals(self.folder):
                self._start()

    def _start(self) -> None:
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(target=self._try_until_written, name="outflow-journal", daemon=True)
            self._thread.start()

    def _try_until_written(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            self._try()
            with self._lock:
                if self._file is None:
                    self._thread = None
                    return
            pause = min(max(1.0, 2 * pause), LONGEST_PAUSE)

    def _try(self) -> int:
        """Write what waits here and what others left, in turns where one waits for the other; how many are left."""
        if not self._trying.acquire(timeout=PATIENCE):
            return 1  # a try hangs in the database
        try:
            own = self._write_own()
            found = replay_folder(self.folder, self._books) if self._file is None or own.waits else ()
            if own.waits and any(replayed.written for replayed in found):
                own = self._write_own()
        finally:
            self._trying.release()
        for replayed in (own, *found):
            if replayed.refused:
                log.error("%s.", replayed.words)
        return own.left + sum(replayed.left for replayed in found)

    def _write_own(self) -> Replayed:
        file = self._file
        if file is None:
            return Replayed(self.folder)
        found = replay_file(file, self._books)
        with self._lock:
            if not file.count():
                self._file = None
                file.remove()
        if self._file is None:
            log.warning("%s: reached again; what waited is written.", self._books.name)
        return found

    def close(self) -> None:
        """Try a last time; what is left then stays for others, and its place is told."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
        left = self._try() if self.is_waiting or journals(self.folder) else 0
        file, self._file = self._file, None
        if file is not None:
            file.close()
        if left:
            log.warning("Entries wait in %s; 'outflow-db replay' or the next run writes them.", self.folder)
        if self._lost:
            log.error("%d entries of this run could not be kept and are lost.", self._lost)


_HERE: dict[tuple[int, Database], Bookkeeper] = {}


def _bookkeeper_here(settings: Settings, strict: bool, key: str) -> Bookkeeper:
    """The keeper of a database's books in this process: one for all items that a worker is handed."""
    place = (os.getpid(), settings.database(key))
    if place not in _HERE:
        _HERE[place] = Bookkeeper(Engines(settings), strict=strict, key=key)
    return _HERE[place]
