"""Writes entries into the books; while those cannot be reached, into a journal, and that into the books later.

A pipeline must not die because its books are away: what was to be written waits on the disk, in its
order, and a thread of its own tries again until it is written. What is left at the end is written by
the next process that records, or by `outflow-db replay`.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outflow_core.books import Books
from outflow_core.contexts import context
from outflow_core.engines import Engines
from outflow_core.entries import Entry
from outflow_core.errors import BooksAwayError, NotWrittenYetError
from outflow_core.journal import JournalFile, journals, may_hold
from outflow_core.journal_places import is_strict, journal_folders
from outflow_core.replay import Replayed, replay_file, replay_folder
from outflow_core.settings import DEFAULT_BIND, Database, Settings, for_workers

LONGEST_PAUSE = 30.0
"""Seconds between two tries, at most; they begin with one second and double."""
PATIENCE = 15.0
"""Seconds that the end of a run gives to what waits."""

log = logging.getLogger("outflow_core")


class Bookkeeper:
    """Keeps entries, in the books or in a journal; strict ones raise instead of keeping a journal."""

    def __init__(self, engines: Engines, *, strict: bool = False, key: str = DEFAULT_BIND) -> None:
        self.engines = engines
        self._key = key
        self.books = Books(engines, key)
        self.is_strict = strict or is_strict(engines.settings)
        self._backlog = Backlog(self.books, journal_folders(engines.settings))

    def __reduce__(self) -> tuple[Any, ...]:
        """Into another process goes what to connect to, not the connections."""
        return _bookkeeper_here, (for_workers(self.engines.settings, self._key), self.is_strict, self._key)

    @property
    def backlog(self) -> Backlog:
        """What waits in this process; after a fork the child begins with nothing."""
        if self._backlog.pid != os.getpid():
            self._backlog = Backlog(self.books, self._backlog.folders)
        return self._backlog

    def write(self, entry: Entry, *, first: bool = False) -> None:
        """Keep an entry.

        The `first` one of a run raises what is a mistake, not a misfortune: a database without
        tables, a wrong password. Later ones raise only when this keeper is strict.
        """
        if self.is_strict:
            self.books.write(entry)
            return
        reason, before = "", sys.exc_info()[1]
        if not self.backlog.is_waiting and not context.holds(self.engines.settings.database(self._key)):
            try:
                self.books.write(entry)
                return
            except BaseException as error:
                interruption = _interruption(error, before)
                if interruption is not None:  # nobody knows whether it is written
                    self.backlog.add(entry, "Interrupted")
                    raise interruption from None
                if first and not isinstance(error, BooksAwayError):
                    raise
                reason = str(error)  # whatever it is, the pipeline goes on
        self.backlog.add(entry, reason)

    def expects(self, run: str) -> None:
        """Make sure of a run that another process began; RecordError when the books hold none of this uuid.

        While they cannot be reached, or what waits may begin it, it is taken for granted.
        """
        try:
            self.books.run_id(run)
        except (BooksAwayError, NotWrittenYetError) as error:
            folders = self.backlog.folders
            may_come = isinstance(error, BooksAwayError) or any(may_hold(folder, run) for folder in folders)
            if self.is_strict or not may_come:
                raise

    def catch_up_with_others(self) -> None:
        """Begin to write what processes before this one had to leave."""
        if not self.is_strict:
            self.backlog.look_around()

    def close(self) -> None:
        """Try once more to write what waits, and tell where it is if that fails."""
        self.backlog.close()


def _interruption(error: BaseException | None, before: BaseException | None) -> BaseException | None:
    """The Ctrl-C, or the exit by SIGTERM, that an error is or has covered up.

    When one comes amid a commit, an assertion of SQLAlchemy fails and takes its place. What was handled
    `before` is the pipeline's own.
    """
    while error is not None and error is not before:
        if not isinstance(error, Exception):
            return error
        error = error.__context__
    return None


class Backlog:
    """The entries of this process that wait, and the thread that writes them when the books are back."""

    def __init__(self, books: Books, folders: Sequence[Path]) -> None:
        self.pid = os.getpid()
        self.folders = tuple(folders)
        self._books = books
        self._file: JournalFile | None = None
        self._no_room_until = 0.0
        self._lost = 0
        self._told = ""
        self._lock = threading.RLock()
        self._trying = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether entries wait, so that new ones must go behind them, or are lost for want of room."""
        return self._file is not None or time.monotonic() < self._no_room_until

    def add(self, entry: Entry, reason: str) -> None:
        """Keep an entry on the disk; when even that fails it is lost, which is told, once."""
        with self._lock:
            try:
                if self._file is None or not self._has_room_for(entry, self._file):
                    self._file = self._begun_with(entry)
                    if reason:
                        self._tell(f"{reason.rstrip('.')}; until that is over it is kept in {self._file.path.parent}")
            except Exception as error:  # no room, no right, an entry that is no JSON: the pipeline goes on
                self._lose(error)
            self._start()

    def _has_room_for(self, entry: Entry, file: JournalFile) -> bool:
        """Add an entry to the journal, if its disk has room; else that is left to whoever replays it."""
        try:
            file.append(entry)
        except OSError:
            self._file = None
            (file.close if file.count() else file.remove)()
            return False
        return True

    def _begun_with(self, entry: Entry) -> JournalFile:
        """A journal that holds this entry, in the first folder where there is room."""
        trouble = OSError("no folder is named")
        for folder in self.folders:
            file = None
            try:
                file = JournalFile.create(folder, self._books.name)
                file.append(entry)
                return file
            except BaseException as error:
                if file is not None:
                    file.remove()
                if not isinstance(error, OSError):
                    raise
                trouble = error
        self._no_room_until = time.monotonic() + LONGEST_PAUSE
        raise trouble

    def _tell(self, words: str) -> None:
        log.warning("%s.", words)
        self._told = words

    def _lose(self, error: Exception) -> None:
        if not self._lost:
            log.error("Entries cannot be kept in %s: %s. The pipeline goes on.", self.folders[0], error)
        self._lost += 1

    def look_around(self) -> None:
        """Begin to write what others left, if there is anything."""
        with self._lock:
            if any(map(journals, self.folders)):
                self._start()

    def _start(self) -> None:
        if self._thread is None and not self._closing.is_set():
            thread = threading.Thread(target=self._try_until_written, name="outflow-journal", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads are allowed here: the end of the run tries
                return
            self._thread = thread

    def _try_until_written(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            self._try(float("inf"))
            with self._lock:
                if self._file is None:
                    self._thread = None
                    return
            pause = min(max(1.0, 2 * pause), LONGEST_PAUSE)

    def _try(self, until: float) -> None:
        """Write what waits here and what others left, in turns where one waits for the other."""
        if not self._trying.acquire(timeout=max(min(until - time.monotonic(), PATIENCE), 0)):
            return  # a try hangs in the database
        try:
            found = [self._write_own(until)]
            if self._file is None or found[0].waits:
                for folder in self.folders:
                    found += replay_folder(folder, self._books, until=until)
            if found[0].waits and any(replayed.written for replayed in found[1:]):
                found[0] = self._write_own(until)
        finally:
            self._trying.release()
        for replayed in found:
            if replayed.refused:
                log.error("%s.", replayed.words)

    def _write_own(self, until: float) -> Replayed:
        file = self._file
        if file is None:
            return Replayed(self.folders[0])
        found = replay_file(file, self._books, until=until)
        with self._lock:
            if not file.is_closed and not file.count():
                self._file = None
                file.remove()
        if self._file is None and self._told:
            self._tell(f"{self._books.name}: reached again, what waited is written")
            self._told = ""
        return found

    def close(self) -> None:
        """Try a last time; what is left then stays for others, and its place is told."""
        self._closing.set()
        until = time.monotonic() + PATIENCE
        thread = self._thread
        if thread is not None:
            thread.join(PATIENCE)
        if any(map(journals, self.folders)):
            self._try(until)
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                file.close()
        places = [str(folder) for folder in self.folders if journals(folder)]  # of workers that still run, perhaps
        if places:
            log.warning("Entries wait in %s; 'outflow-db replay' or the next run writes them.", " and ".join(places))
        if self._lost:
            log.error("%d entries of this run could not be kept and are lost.", self._lost)


_HERE: dict[tuple[int, Database, tuple[Path, ...], bool], Bookkeeper] = {}


def _bookkeeper_here(settings: Settings, strict: bool, key: str) -> Bookkeeper:
    """The keeper of a database's books in this process: one for all items that a worker is handed."""
    place = (os.getpid(), settings.database(key), journal_folders(settings), strict)
    if place not in _HERE:
        _HERE[place] = Bookkeeper(Engines(settings, is_recorder=True), strict=strict, key=key)
    return _HERE[place]
