"""Ways in which a SQLite file breaks, each a context manager: it is broken inside, and whole again afterwards."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

from outflow_core.schema.upgrades import upgrade
from outflow_core.settings import Database, Settings
from tests.core.books import kill_a_writer, running
from tests.fixtures import HERE

PAGE = 4096
OLD = HERE / "sqlite" / "old_0.6.2" / "outflow.db"
Breaks = Callable[[Path], AbstractContextManager[None]]


def spoiled(do: Callable[[Path], object]) -> Breaks:
    """What is done to the file itself; it gets its old content back."""

    @contextmanager
    def breaks(file: Path) -> Iterator[None]:
        content = file.read_bytes()
        do(file)
        yield
        file.write_bytes(content)

    return breaks


def instead(make: Callable[[Path], object]) -> Breaks:
    """Something else stands where the file was; the file comes back."""

    @contextmanager
    def breaks(file: Path) -> Iterator[None]:
        away = file.rename(file.with_name("away"))
        make(file)
        yield
        remove = shutil.rmtree if file.is_dir() and not file.is_symlink() else os.unlink
        remove(file)
        away.rename(file)

    return breaks


def to_bytes(number: int) -> Breaks:
    """Cut off after some bytes."""
    return spoiled(lambda file: os.truncate(file, number))


def by_sql(*statements: str) -> Breaks:
    """Changed by somebody's statements."""
    return spoiled(partial(execute, statements=statements))


def execute(file: Path, statements: Iterable[str]) -> None:
    """Execute statements in one transaction."""
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@contextmanager
def deleted(file: Path) -> Iterator[None]:
    """Deleted, and made anew."""
    content = file.read_bytes()
    file.unlink()
    yield
    file.write_bytes(content)


@contextmanager
def folder_moved(file: Path) -> Iterator[None]:
    """Its directory has another name."""
    away = file.parent.rename(file.parent.with_name("elsewhere"))
    yield
    away.rename(file.parent)


@contextmanager
def folder_closed(file: Path) -> Iterator[None]:
    """Nobody may enter its directory."""
    mode = file.parent.stat().st_mode
    file.parent.chmod(0)
    yield
    file.parent.chmod(mode)


def unreadable(file: Path) -> None:
    """Make a file that nobody may read."""
    file.write_text("secret")
    file.chmod(0)


def scribble(file: Path) -> None:
    """Random bytes over every third page but the first, and over the counter that a commit would raise."""
    dice = random.Random(7)
    with file.open("r+b") as stream:
        for place in (24, *range(PAGE, file.stat().st_size, 3 * PAGE)):
            stream.seek(place)
            stream.write(dice.randbytes(4 if place == 24 else PAGE))


HOLDS = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(600)
"""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process holds it for itself."""
    with running(HOLDS, file):
        yield


@contextmanager
def torn(file: Path) -> Iterator[None]:
    """Its writer was killed amid a transaction that was half written; the next writer repairs it."""
    kill_a_writer(file)
    yield
    execute(file, ("UPDATE outflow_run SET hostname = hostname",))


@contextmanager
def wal_alone(file: Path) -> Iterator[None]:
    """A copy was put in its place that was made while a writer had changes in the -wal file."""
    origin, away = file.with_name("origin.db"), file.rename(file.with_name("away"))
    shutil.copyfile(away, origin)
    with closing(sqlite3.connect(origin)) as writer:
        writer.execute("PRAGMA journal_mode=wal")
        writer.execute("UPDATE outflow_run SET hostname = 'elsewhere'")
        writer.commit()
        for ending in ("-wal", ""):
            shutil.copyfile(f"{origin}{ending}", f"{file}{ending}")
    yield
    away.replace(file)
    file.with_name(f"{file.name}-wal").unlink()


@contextmanager
def upgraded(file: Path) -> Iterator[None]:
    """Our own upgrade."""
    database = Database("default", "sqlite", path=file)
    upgrade(Settings(None, file.parent, {"default": database}, {}))
    yield


@contextmanager
def replaced(file: Path) -> Iterator[None]:
    """Another database is renamed over it."""
    other = file.with_name("other.db")
    shutil.copyfile(file, other)
    execute(other, ("UPDATE outflow_run SET command_name = 'another'",))
    other.replace(file)
    yield
