"""A SQLite file breaks while the program watches it: what the screen says, and that it comes back by itself."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from outflow_core import sqlite_file
from tests.core.books import running
from tests.faults.table import Fault
from tests.faults.watching import tells, watching
from tests.fixtures import HERE, copy_of

SQL = "SQL"


@contextmanager
def spoiled(file: Path) -> Iterator[Path]:
    """A file that is as it was afterwards: the same one, with the same content."""
    kept = file.with_name("kept.db")
    shutil.copyfile(file, kept)
    yield file
    shutil.copyfile(kept, file)


@contextmanager
def aside(file: Path) -> Iterator[Path]:
    """Where a file was, for something else to stand there; it comes back afterwards."""
    away = file.rename(file.with_name(f"{file.name}.away"))
    yield file
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    away.replace(file)


def by(how: Callable[[Path], AbstractContextManager[Path]], do: Callable[[Path], object]):  # type: ignore[no-untyped-def]
    """Breaks what `how` gives."""

    @contextmanager
    def breaks(file: Path) -> Iterator[None]:
        with how(file) as place:
            do(place)
            yield

    return breaks


@contextmanager
def made_anew(file: Path) -> Iterator[None]:
    content = file.read_bytes()
    file.unlink()
    yield
    file.write_bytes(content)


@contextmanager
def folder_away(file: Path) -> Iterator[None]:
    away = file.parent.rename(file.parent.with_name("elsewhere"))
    yield
    away.rename(file.parent)


def overwrite_pages(file: Path) -> None:
    """Random bytes over every third page but the first."""
    dice = random.Random(7)
    with file.open("r+b") as stream:
        for page in range(1, file.stat().st_size // 4096, 3):
            stream.seek(page * 4096)
            stream.write(dice.randbytes(4096))
        stream.seek(24)
        stream.write(dice.randbytes(4))


def sql(*statements: str) -> Callable[[Path], None]:
    def do(file: Path) -> None:
        with closing(sqlite3.connect(file)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    return do


HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(600)
"""
KILLED = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size=5")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE outflow_run SET command_name = 'torn'")
connection.execute("INSERT INTO outflow_configuration (config, settings, hash) "
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
    "SELECT hex(randomblob(200)), '{}', hex(randomblob(16)) FROM n")
print("inside", flush=True)
time.sleep(600)
"""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with running(HOLDER, file):
        yield


@contextmanager
def hot_journal(file: Path) -> Iterator[None]:
    with running(KILLED, file):
        pass
    yield
    sql("UPDATE outflow_run SET hostname = hostname")(file)


@contextmanager
def orphaned_wal(file: Path) -> Iterator[None]:
    sql("PRAGMA journal_mode=wal")(file)
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("UPDATE outflow_run SET hostname = hostname")
        writer.commit()
        kept = {end: file.with_name(file.name + end).read_bytes() for end in ("", "-wal")}
    for end, content in kept.items():
        file.with_name(file.name + end).write_bytes(content)
    yield
    sql("PRAGMA journal_mode=delete")(file)


FAULTS = (
    Fault(
        "deleted, then made anew",
        "outflow.db: no such file; it was moved or deleted, or never made. Since",
        "x",
        made_anew,
    ),
    Fault(
        "its directory moved away",
        "outflow.db: no such file; it was moved or deleted, or never made. Since",
        "x",
        folder_away,
    ),
    Fault("truncated to 0 bytes", "the file is empty (0 bytes)", "x", by(spoiled, lambda file: os.truncate(file, 0))),
    Fault(
        "truncated to half",
        "the file is damaged",
        "x",
        by(spoiled, lambda file: os.truncate(file, file.stat().st_size // 2)),
    ),
    Fault("truncated to 100 bytes", "the file is damaged", "x", by(spoiled, lambda file: os.truncate(file, 100))),
    Fault("truncated to 10 bytes", "not a SQLite database", "x", by(spoiled, lambda file: os.truncate(file, 10))),
    Fault("random pages", "the file is damaged", "x", by(spoiled, overwrite_pages)),
    Fault(
        "not a database", "not a SQLite database", "x", by(spoiled, lambda file: file.write_text("no books\n" * 1000))
    ),
    Fault(
        "not a database, replaced",
        "not a SQLite database",
        "x",
        by(aside, lambda file: file.write_text("no books\n" * 1000)),
    ),
    Fault("0 bytes replaced", "the file is empty (0 bytes)", "x", by(aside, lambda file: file.touch())),
    Fault("a directory", "directory", "x", by(aside, lambda file: file.mkdir())),
    Fault("a dangling link", "link", "x", by(aside, lambda file: file.symlink_to("nowhere.db"))),
    Fault("a circle of links", "link", "x", by(aside, lambda file: file.symlink_to(file))),
    Fault("a FIFO", "FIFO", "x", by(aside, lambda file: os.mkfifo(file))),
    Fault("locked", "locked by a writer", "x", locked),
    Fault("hot journal", "a writer was killed", "x", hot_journal),
    Fault("orphaned wal", "--copy", "x", orphaned_wal),
    Fault("table dropped", "outflow_block", "x", by(spoiled, sql("DROP TABLE outflow_block"))),
    Fault("table run dropped", "outflow_run", "x", by(spoiled, sql("DROP TABLE outflow_run"))),
    Fault(
        "column renamed",
        "outflow_block",
        "x",
        by(spoiled, sql("ALTER TABLE outflow_block RENAME COLUMN state TO status")),
    ),
    Fault(
        "unknown state", "unknown state", "x", by(spoiled, sql("UPDATE outflow_run SET state = 'paused' WHERE id = 28"))
    ),
    Fault(
        "unknown block state",
        "unknown state",
        "x",
        by(spoiled, sql("UPDATE outflow_block SET state = 'paused' WHERE run_id = 28")),
    ),
    Fault(
        "newer",
        "newer",
        "x",
        by(spoiled, sql("ALTER TABLE outflow_run ADD COLUMN mood TEXT", "CREATE TABLE outflow_mood (id int)")),
    ),
    Fault(
        "older",
        "made by Outflow 0.6",
        "x",
        by(aside, lambda file: shutil.copyfile(HERE / "sqlite/old_0.6.2/outflow.db", file)),
    ),
    Fault(
        "older in place",
        "made by Outflow 0.6",
        "x",
        by(spoiled, lambda file: shutil.copyfile(HERE / "sqlite/old_0.6.2/outflow.db", file)),
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_fault(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.3)
    file = copy_of("kinds", tmp_path) / "outflow.db"
    async with watching("kinds/outflow.db") as desk:
        await desk.sees("bad_setup")
        with fault.breaks(file):
            try:
                await desk.until(lambda: "Since" in desk.text(), "none")
                await desk.pilot.pause(0.5)
                await tells(desk, fault)
            finally:
                print("\n".join(desk.lines()[:7]))
        await desk.misses("Since")
        assert "bad_setup" in desk.text()
