"""Looking into a SQLite file that somebody else writes: never a byte written, never a file made beside it.

How to open it is decided by its header and by what stands beside it, before SQLite has the file
open: closing another descriptor of the same file later would drop this process's own locks.

In WAL mode an open connection is a lock: whoever closes the file last puts the -wal into it, and an
owner who is not the last leaves everything in the -wal. So such a file is let go after each look.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Hashable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from outflow_core.engines import sqlite_uri
from outflow_core.errors import SchemaError, SourceError
from outflow_core.file_kinds import absence, other_kind, refusal
from outflow_core.patience import PatientConnection
from outflow_core.private_copy import PrivateCopy, beside

BUSY_SECONDS = 2.0
HELD_SECONDS = 2.0
"""How long one statement may hold the file: Outflow's writers wait five seconds for their turn, and then die."""
SETTLED_NS = 100_000_000
"""A file that was written less long ago may be written again without another time: the clocks of files are coarse."""
MOMENT = 0.005
"""Seconds after which an owner who is about to go has gone, most of the time."""
_MAGIC = b"SQLite format 3\0"


class FileSign(NamedTuple):
    """What tells one state of a file from another without opening it."""

    device: int
    inode: int
    size: int
    modified_ns: int
    wal_size: int | None
    wal_modified_ns: int | None

    @property
    def file(self) -> tuple[int, int]:
        """Which file it is, whatever it holds."""
        return (self.device, self.inode)


class SqliteFile:
    """A SQLite file and how it is looked at; `copy` looks at a private copy instead, which may be repaired."""

    def __init__(self, path: Path, *, copy: bool = False) -> None:
        self.path = path
        self._wal = path
        self._real: tuple[int, int] | None = None
        self._copy = PrivateCopy(path) if copy else None
        self._opened: FileSign | None = None
        self._seen: FileSign | None = None
        self._steady: tuple[int, int, FileSign | None] | None = None
        """The last pulse, with the sign that the file had after it; None where the journal is no rollback journal."""
        self._immutable = self._is_wal = False
        self._peek: int | None = None
        """A descriptor by which the header is read; it is open for as long as the connection is."""
        self._openings = 0
        self.is_lenient = False
        self.generation = 0
        """Grows when another content has taken the place of the one that was looked at before."""

    def sign(self) -> FileSign:
        """The file's present sign; SourceError when it is gone or cannot be looked at."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise SourceError(f"{self.path}: {absence(self.path)}.") from None
        except OSError as error:
            raise SourceError(f"{self.path}: cannot be looked at: {refusal(self.path, error)}.") from None
        if kind := other_kind(found.st_mode):
            raise SourceError(f"{self.path}: {kind}.")
        if self._real != (found.st_dev, found.st_ino):  # the journals stand beside the file, not beside a link to it
            self._real, self._wal = (found.st_dev, found.st_ino), beside(self.path.resolve(), "-wal")
        return FileSign(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, *_size_and_time(self._wal))

    def connect(self) -> sqlite3.Connection:
        """Open the file so that nothing of it changes; in WAL mode its owner may come or go in this very moment."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            sign = self.sign()
            try:
                return self._connection(sign)
            except SourceError:
                if not self._is_wal or time.monotonic() > until or self._stays(sign):
                    raise

    def _stays(self, sign: FileSign) -> bool:
        """Whether nothing has moved a moment later: an owner who goes takes the -shm away, and then the -wal."""
        time.sleep(MOMENT)
        return self.sign() == sign

    def _connection(self, sign: FileSign) -> sqlite3.Connection:
        real = self.path.resolve()  # the journals stand beside the file, not beside a link to it
        options = self._options(sign, real)
        immutable = self._copy is not None or "immutable" in options
        if immutable or self._opened is None or sign.file != self._opened.file:
            self.generation += 1
        self._opened, self._openings, self._immutable = sign, self._openings + 1, immutable
        self._steady = None
        path = self._copy.make(real) if self._copy else real
        uri = sqlite_uri(path, options)
        try:
            connection = sqlite3.connect(uri, uri=True, timeout=0, check_same_thread=False, factory=PatientConnection)
        except sqlite3.OperationalError as error:
            raise SourceError(sqlite_words(self.path, error)) from None
        connection.busy_seconds = BUSY_SECONDS
        if not immutable:
            connection.end_reads_after(HELD_SECONDS)
        if self.is_lenient:
            connection.text_factory = partial(str, encoding="utf-8", errors="backslashreplace")
        if self.is_brief:
            self._open_wal(connection)
        return connection

    def _open_wal(self, connection: sqlite3.Connection) -> None:
        """Have SQLite open the -wal at once: from the first read on an owner who goes leaves it where it is."""
        try:
            connection.execute("PRAGMA schema_version").fetchone()
        except sqlite3.DatabaseError as error:
            connection.close()
            raise SourceError(sqlite_words(self.path, error)) from None

    def _options(self, sign: FileSign, real: Path) -> str:
        self._open_header(sign)
        if self._copy:
            return "rw"
        self._is_wal = self._says_wal()
        if not self._is_wal:
            return "ro"
        if not sign.wal_size:
            return "ro&immutable=1"
        if not beside(real, "-shm").exists():
            raise SourceError(
                f"{self.path}: its -wal file holds changes that cannot be read without writing beside it "
                "(its writer was killed, or it was copied by hand); look at a private copy with --copy."
            )
        return "ro&readonly_shm=1"  # else what a killed writer left in the -shm would be written anew

    @property
    def is_brief(self) -> bool:
        """Whether an open connection would keep the owner from putting the -wal into the file."""
        return self._is_wal and not self._immutable

    def _says_wal(self) -> bool:
        """Whether the header says by now that changes go to a -wal."""
        return self._peek is not None and os.pread(self._peek, 2, 18) == b"\2\2"

    def _open_header(self, sign: FileSign) -> None:
        """Be able to read the header; an error unless this is a SQLite file with something in it."""
        if sign.size == 0:
            raise SchemaError(
                f"{self.path}: the file is empty (0 bytes), no tables were made in it yet; "
                "run 'outflow-db upgrade', or Outflow's own 'management db upgrade'."
            )
        self._close_header()
        try:
            self._peek = os.open(self.path, os.O_RDONLY)
            magic = os.pread(self._peek, len(_MAGIC), 0)
        except OSError as error:
            raise SourceError(f"{self.path}: cannot be read: {refusal(self.path, error)}.") from None
        if magic != _MAGIC:
            raise SourceError(f"{self.path}: not a SQLite database; name a config file, a database or a URL.")

    def _close_header(self) -> None:
        descriptor, self._peek = self._peek, None
        if descriptor is not None:
            os.close(descriptor)

    def let_go(self) -> None:
        """Keep nothing open: the connection has been closed. A private copy is removed."""
        self._close_header()
        if self._copy:
            self._copy.remove()

    def must_reopen(self) -> bool:
        """Whether the open connection may show something else than the file: replaced, or changed under `immutable`.

        A file that has come to WAL mode is opened anew too: SQLite would make its -wal and -shm.
        """
        sign, opened, before = self.sign(), self._opened, self._seen
        self._seen = sign
        if opened is None:
            return True
        if sign.file != opened.file:
            self._opened = None
            return True
        if self._immutable:
            return sign != opened
        return sign != before and self._says_wal() != self._is_wal

    def was_steady(self) -> bool:
        """Whether what has just been read is one state of the file: `immutable` reads take no lock."""
        return not self._immutable or self._copy is not None or self.sign() == self._opened

    def brief_pulse(self) -> Hashable | None:
        """The same as `pulse` for a file that is let go after each look; None where it has to be opened for that."""
        if not self.is_brief or self._opened is None:
            return None
        sign = self.sign()
        if sign.file != self._opened.file or not sign.wal_size:
            return None
        ages = (time.time_ns() - moment for moment in (sign.modified_ns, sign.wal_modified_ns or 0))
        is_settled = all(abs(age) > SETTLED_NS for age in ages)
        return sign if is_settled else (sign, time.monotonic_ns())

    def pulse(self, connection: sqlite3.Connection) -> Hashable:
        """A value that changes whenever the content does; asking costs microseconds and locks nothing."""
        if self._immutable:
            return (self._openings, self._opened)
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        pulse = (self._openings, version)
        if self._is_overwritten(pulse):
            self._opened = None
            return (*pulse, self._seen)
        return pulse

    def _is_overwritten(self, pulse: tuple[int, int]) -> bool:
        """Whether the file was written since the last pulse, but by no commit: another one was copied into it.

        A commit changes the pulse. What SQLite keeps of the pages would be taken for those of the copy. The sign of
        before this pulse counts, so that whoever was writing then has changed it. In WAL mode checkpoints write too.
        """
        if self._is_wal:
            return False
        if self._steady is None or self._steady[:2] != pulse:
            self._steady = (*pulse, self.sign())
            return False
        return self._seen is not None and self._seen != self._steady[2]


def _size_and_time(path: Path) -> tuple[int, int] | tuple[None, None]:
    """How large a file is and when it was written; None twice where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None, None
    return found.st_size, found.st_mtime_ns


def sqlite_words(path: Path, error: Exception) -> str:
    """What went wrong with a SQLite file, as a sentence with the way out."""
    text = str(error)
    for sign, words in _WORDS.items():
        if sign in text:
            return f"{path}: {words}"
    return f"{path}: SQLite says: {text}."


_DAMAGED = "the file is damaged (SQLite: database disk image is malformed); restore it, or try --copy."
_WORDS = {
    "database is locked": "locked by a writer; it can be read again once that is done.",
    "readonly database": (
        "a writer was killed in the middle of a change and left a journal; the next write of its owner repairs it. "
        "Until then look at a private copy with --copy."
    ),
    "interrupted": (
        f"a read went on for more than {HELD_SECONDS:.0f} s and was ended, for a writer would have to wait; "
        "the disk may be slow: trying again may do, or look at a private copy with --copy."
    ),
    "malformed": _DAMAGED,
    "decode": _DAMAGED,
    "no such": "a table or a column of the books is gone; it was dropped, or is being upgraded.",
    "not a database": "not a SQLite database, or an encrypted one.",
    "unable to open": "cannot be opened: check the permissions of the file and its directory.",
    "disk I/O error": "the disk or the network file system reports an error; trying again may do.",
}
