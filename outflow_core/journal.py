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
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4
from weakref import WeakSet

from outflow_core.entries import Entry, as_line
from outflow_core.errors import RecordError

LIMIT = 256 * 2**20
"""Bytes that one process keeps at most."""

_SUFFIX = ".journal"
_MAGIC = b"outflow-journal 1 "
_DIGITS = 20
_CHUNK = 16_384
_open_here: WeakSet[JournalFile] = WeakSet()


class JournalFile:
    """One file of entries, held by its lock; only its holder adds to it or takes from it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._lock = threading.RLock()  # one thread adds while another takes
        self.is_closed = False
        _open_here.add(self)
        self._done = self._end = 0
        self.database = self._begin()

    @classmethod
    def create(cls, folder: Path, database: str) -> JournalFile:
        """A new file in the folder, for the entries of this process; OSError when it cannot be made."""
        name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}{_SUFFIX}"
        return cls(folder / name, _new(folder / name, database, b""))

    @classmethod
    def take(cls, path: Path) -> JournalFile | None:
        """The file, unless another process holds it or has just done with it; RecordError when it is no journal."""
        descriptor = _locked(path)
        return None if descriptor is None else cls(path, descriptor)

    def _begin(self) -> str:
        """The database that the entries are for; nothing else is read yet."""
        first = self._line_at(0)
        second = self._line_at(len(first))
        try:
            if not first.startswith(_MAGIC):
                raise ValueError("it begins with something else")
            self._done = max(int(first[len(_MAGIC) :]), len(first) + len(second))
            self._end = os.fstat(self._descriptor).st_size
            return str(json.loads(second)["database"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.close()
            raise RecordError(f"{self.path}: not a journal of this version: {error}.") from None

    def append(self, entry: Entry) -> None:
        """Add an entry; it is on the disk when this returns.

        Raises OSError when there is no room for it here, RecordError when there is enough in this file.
        """
        line = as_line(entry)
        with self._lock:
            if self._end + len(line) > LIMIT:
                raise RecordError(f"{self.path} holds {LIMIT // 2**20} MB already")
            if not os.fstat(self._descriptor).st_nlink:
                raise OSError(f"{self.path} was taken away")
            os.ftruncate(self._descriptor, self._end)  # what an interrupted write may have left
            _write(self._descriptor, line, self._end)
            os.fsync(self._descriptor)
            self._end += len(line)

    def waiting(self, place: int | None = None) -> Iterator[bytes]:
        """The lines that are not in the books, oldest first; `done` says how far they are.

        A last line without its end was never acknowledged: whoever wrote it was killed.
        """
        place = self._done if place is None else place
        while not self.is_closed and (line := self._line_at(place)).endswith(b"\n"):
            place += len(line)
            yield line

    def _line_at(self, place: int) -> bytes:
        line = b""
        with self._lock:
            while not line.endswith(b"\n") and (chunk := os.pread(self._descriptor, _CHUNK, place + len(line))):
                head, feed, _ = chunk.partition(b"\n")
                line += head + feed
        return line

    def done(self, lines: Sequence[bytes]) -> None:
        """These next lines are dealt with: nobody needs to take them again."""
        with self._lock:
            if not self.is_closed:
                self._done += sum(map(len, lines))
                os.pwrite(self._descriptor, b"%0*d" % (_DIGITS, self._done), len(_MAGIC))
                os.fsync(self._descriptor)

    def keep_of(self, seen: int, lines: Sequence[bytes]) -> None:
        """Of the next lines, `seen` bytes, keep only these; in a new file that takes this one's place."""
        with self._lock:
            if self.is_closed:
                return
            rest = b"".join([*lines, *self.waiting(self._done + seen)])
            descriptor = _new(self.path, self.database, rest)
            self._close()
            self._descriptor, self.is_closed = descriptor, False
            self._begin()

    def count(self) -> int:
        """How many entries wait."""
        return sum(1 for _ in self.waiting())

    def set_aside(self, line: bytes, why: str) -> Path:
        """Keep an entry that no database will take, with the reason, in a file beside this one."""
        path = self.path.with_suffix(".refused")
        text = line.decode("utf-8", "backslashreplace").rstrip("\n")
        kept = json.dumps({"why": why, "database": self.database, "entry": text}).encode() + b"\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, kept)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return path

    def remove(self) -> None:
        """Take the file away, when nothing waits in it; and the folder, when it was the last."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.close()
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()

    def close(self) -> None:
        """Let others take the file."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            os.close(self._descriptor)

    def forget(self) -> None:
        """In a child that was forked off: let go of the parent's lock, and of nothing else."""
        self._lock = threading.RLock()
        self._close()


def journals(folder: Path) -> tuple[Path, ...]:
    """The files of a folder in which entries wait, oldest first; none of a folder that is somebody else's."""
    found = []
    with contextlib.suppress(OSError):
        for path in folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # replayed by somebody just now
                found.append((path.stat().st_mtime, path))
    return tuple(path for _, path in sorted(found))


def may_hold(folder: Path, uuid: str) -> bool:
    """Whether a journal of this folder speaks of something of this uuid."""
    for path in journals(folder):
        with contextlib.suppress(OSError):
            if uuid.encode() in path.read_bytes():
                return True
    return False


def _new(path: Path, database: str, content: bytes) -> int:
    """A journal under this name, whole and locked before anybody else can see it."""
    new = path.with_suffix(".new")
    header = _MAGIC + b"0" * _DIGITS + b"\n" + json.dumps({"database": database}).encode() + b"\n"
    descriptor = _created(new)
    try:
        with contextlib.suppress(OSError):  # no locks here: it can be kept, but not safely be taken
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(descriptor, header + content, 0)
        os.fsync(descriptor)
        new.rename(path)
    except BaseException:
        os.close(descriptor)
        new.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return descriptor


def _created(path: Path) -> int:
    """A new file; whoever replayed the last one of the folder may take the folder away at any moment."""
    while True:
        _make_folder(path.parent)
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, all for the owner only: `mkdir` does so for the last one."""
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def _locked(path: Path) -> int | None:
    """The file opened and locked; None when another holds it, or when it is not there any more."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        os.close(descriptor)
        raise RecordError(
            f"{path}: cannot be locked here: {error.strerror}; copy it to a local disk, take it away here, "
            "and name the folder of the copy as 'journal:' in the configuration."
        ) from None
    os.close(descriptor)
    return None


def _write(descriptor: int, content: bytes, place: int) -> None:
    while content:
        written = os.pwrite(descriptor, content, place)
        content, place = content[written:], place + written


def _sync_folder(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _after_in_child() -> None:
    for file in tuple(_open_here):
        file.forget()


os.register_at_fork(after_in_child=_after_in_child)
