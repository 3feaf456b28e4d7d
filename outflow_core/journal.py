"""Entries that wait on the disk for their database: a file for each process, whose lock says who may take from it.

A file begins with how far it has been written into the books, so that a reader that is killed goes
on where it was; then comes the name of the database, then one entry in each line.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from outflow_core.entries import Entry, as_line, from_line
from outflow_core.errors import RecordError
from outflow_core.settings import Settings

FOLDER = ".outflow-journal"
LIMIT = 256 * 2**20
"""Bytes that one process keeps at most."""

_SUFFIX = ".journal"
_MAGIC = b"outflow-journal 1 "
_DIGITS = 20


def journal_folder(settings: Settings) -> Path:
    """Where entries wait: what `journal:` in the configuration names, else a folder beside it."""
    named = settings.content.get("journal")
    return settings.root / (named if isinstance(named, str) and named else FOLDER)


def is_strict(settings: Settings) -> bool:
    """Whether the configuration wants no journal: `journal: false`."""
    return settings.content.get("journal") is False


class JournalFile:
    """One file of entries, held by its lock; only its holder adds to it or takes from it."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._lock = threading.Lock()  # one thread adds while another takes
        self.database = self._begin()

    @classmethod
    def create(cls, folder: Path, database: str) -> JournalFile:
        """A new file in the folder, for the entries of this process; OSError when it cannot be made."""
        path = folder / f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}{_SUFFIX}"
        new = path.with_suffix(".new")  # nobody else takes it before it is locked
        with _new_in(folder, new) as file:
            file.write(_MAGIC + b"0" * _DIGITS + b"\n" + json.dumps({"database": database}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        held = _locked(new, must=False)
        assert held is not None, "nobody else knows of it yet"
        new.rename(path)
        _sync_folder(folder)
        return cls(path, held)

    @classmethod
    def take(cls, path: Path) -> JournalFile | None:
        """The file, unless another process holds it or has just done with it; RecordError when it is no journal."""
        held = _locked(path)
        return None if held is None else cls(path, held)

    def _begin(self) -> str:
        """The database that the entries are for; the file stands at the first entry that waits."""
        try:
            first, second = self._file.readline(), self._file.readline()
            if not first.startswith(_MAGIC):
                raise ValueError("it begins with something else")
            self._start = self._file.tell()
            self._done = max(int(first[len(_MAGIC) :]), self._start)
            return str(json.loads(second)["database"])
        except (ValueError, KeyError, TypeError) as error:
            self._file.close()
            raise RecordError(f"{self.path}: not a journal of this version: {error}.") from None

    def append(self, entry: Entry) -> None:
        """Add an entry; it is on the disk when this returns. Raises OSError when there is no room."""
        line = as_line(entry)
        with self._lock:
            end = self._file.seek(0, os.SEEK_END)
            if end + len(line) > LIMIT:
                raise OSError(f"{self.path} holds {LIMIT // 2**20} MB already")
            try:
                self._file.write(line)
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    self._file.truncate(end)  # half a line must not stand before the next one
                raise

    def waiting(self) -> Iterator[tuple[Entry, bytes]]:
        """The entries that are not in the books, oldest first; each is done when the next one is asked for.

        A last line without its end was never acknowledged: whoever wrote it was killed.
        """
        while (line := self._next_line()).endswith(b"\n"):
            yield from_line(line), line
            self._mark_done(self._done + len(line))

    def _next_line(self) -> bytes:
        with self._lock:
            self._file.seek(self._done)
            return self._file.readline()

    def count(self) -> int:
        """How many entries wait."""
        with self._lock:
            self._file.seek(self._done)
            return sum(line.endswith(b"\n") for line in self._file)

    def set_aside(self, line: bytes, why: str) -> Path:
        """Keep an entry that no database will take, with the reason, in a file beside this one."""
        path = self.path.with_suffix(".refused")
        with _owner_only(path, "ab") as file:
            file.write(json.dumps({"why": why, "database": self.database, "entry": json.loads(line)}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return path

    def _mark_done(self, position: int) -> None:
        self._done = position
        os.pwrite(self._file.fileno(), b"%0*d" % (_DIGITS, position), len(_MAGIC))
        os.fsync(self._file.fileno())

    def remove(self) -> None:
        """Take the file away, when nothing waits in it; and the folder, when it was the last."""
        self.path.unlink(missing_ok=True)
        self.close()
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()

    def close(self) -> None:
        """Let others take the file."""
        self._file.close()


def journals(folder: Path) -> tuple[Path, ...]:
    """The files of a folder in which entries wait, oldest first."""
    found = []
    for path in folder.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):  # replayed by somebody just now
            found.append((path.stat().st_mtime, path))
    return tuple(path for _, path in sorted(found))


def _locked(path: Path, *, must: bool = True) -> BinaryIO | None:
    """The file opened and locked; None when another holds it, or when it is not there any more.

    Some network file systems know no locks: there a file can be kept, but not safely be taken.
    """
    try:
        file: BinaryIO = path.open("r+b")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        if not must:
            return file
        file.close()
        raise RecordError(
            f"{path}: cannot be locked here: {error.strerror}; copy it to a local disk, take it away here, "
            "and name the folder of the copy as 'journal:' in the configuration."
        ) from None
    file.close()
    return None


def _new_in(folder: Path, path: Path) -> BinaryIO:
    """A new file; whoever replayed the last one of the folder may take the folder away at any moment."""
    while True:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            return _owner_only(path, "xb")


def _owner_only(path: Path, mode: str) -> BinaryIO:
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))  # type: ignore[return-value]


def _sync_folder(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
