"""Looking into books that somebody else writes: what is seen, and that nothing is left behind."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Column, Executable, Integer, MetaData, Table, delete, insert, select, text, update

from outflow_core import configuration_queries, patience, record_run, run_queries, sqlite_file, tables
from outflow_core.engines import make_engine
from outflow_core.errors import BindError, SchemaError, SourceError
from outflow_core.reader import Reader
from outflow_core.settings import Database, Settings
from tests.core.books import (
    DIALECTS,
    POSTGRESQL,
    SQLITE,
    configure,
    entry,
    fresh_books,
    kill_a_writer,
    make_tables,
    running,
)
from tests.core.conftest import Postgres

FIXTURES = Path(__file__).parents[1] / "fixtures"


def books_file(path: Path) -> Database:
    """A SQLite file with the tables of Outflow and one run."""
    database = Database("default", SQLITE, path=path)
    make_tables(database)
    add_run(database)
    return database


def add_run(database: Database) -> None:
    """Another run, by a writer that comes and goes."""
    with record_run("reduce", config=Settings(None, Path(), {"default": database}, {})):
        pass


def commands(reader: Reader) -> list[str | None]:
    """What the reader sees: the commands of the runs."""
    return [row.command for row in run_queries.runs(reader, count=0)]


def refusal(database: Database, *, copy: bool = False) -> str:
    """What the reader says of a database that it cannot read."""
    reader = Reader(database, copy=copy)
    with pytest.raises(SourceError) as caught:
        commands(reader)
    reader.close()
    return str(caught.value)


def traces(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Each file's content, time and inode: whatever a reader could leave behind shows here."""
    found = {}
    for path in sorted(folder.iterdir()):
        status = path.stat()
        found[path.name] = (hashlib.sha256(path.read_bytes()).hexdigest(), status.st_mtime_ns, status.st_ino)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Database:
    """A SQLite file in rollback-journal mode, in a folder of its own."""
    (tmp_path / "pipeline").mkdir()
    return books_file(tmp_path / "pipeline" / "books.db")


@pytest.fixture
def writer(file: Database) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection to it, which does not wait for locks."""
    connection = sqlite3.connect(place(file), timeout=0, isolation_level=None)
    yield connection
    connection.close()


def place(database: Database) -> Path:
    assert database.path is not None
    return database.path


ADD_RUN = (
    "INSERT INTO outflow_run (uuid, state, configuration_id, command_name) VALUES (hex(randomblob(8)), 'success', 1, ?)"
)


# files that are written in rollback-journal mode


def test_a_file_is_read_and_nothing_is_left_behind(file: Database) -> None:
    before = traces(place(file).parent)
    reader = Reader(file)
    assert commands(reader) == ["reduce"]
    assert traces(place(file).parent) == before
    reader.close()
    assert traces(place(file).parent) == before


def test_what_a_writer_has_not_committed_is_not_seen(file: Database, writer: sqlite3.Connection) -> None:
    reader = Reader(file)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute(ADD_RUN, ["second"])
    assert commands(reader) == ["reduce"]
    writer.execute("COMMIT")
    assert commands(reader) == ["second", "reduce"]
    reader.close()


def test_a_writer_that_does_not_wait_is_never_in_the_readers_way_nor_the_reader_in_its(
    file: Database, writer: sqlite3.Connection
) -> None:
    reader = Reader(file)
    for number in range(20):
        reader.pulse()
        assert len(commands(reader)) == number + 1
        writer.execute(ADD_RUN, [f"run {number}"])
    reader.close()


def test_a_reader_waits_for_a_writer_and_tries_often(
    file: Database, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is given back while the reader sleeps: it sleeps shortly, and then it has its answer."""
    reader = Reader(file)
    reader.pulse()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 20:
            writer.execute("COMMIT")

    monkeypatch.setattr(patience, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    writer.execute("BEGIN EXCLUSIVE")
    assert commands(reader) == ["reduce"]
    assert len(pauses) == 20 and max(pauses) <= 0.004
    pauses.clear()
    writer.execute("BEGIN EXCLUSIVE")
    reader.pulse()
    assert len(pauses) == 20
    reader.close()


def test_a_writer_that_holds_the_file_for_long_is_told_and_passes(
    file: Database, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.05)
    reader = Reader(file)
    assert commands(reader) == ["reduce"]
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceError, match="locked by a writer"):
        commands(reader)
    writer.execute("COMMIT")
    assert commands(reader) == ["reduce"]
    reader.close()


def test_the_pulse_tells_changes_and_only_those(file: Database, writer: sqlite3.Connection) -> None:
    reader = Reader(file)
    first = reader.pulse()
    commands(reader)
    assert reader.pulse() == first
    writer.execute(ADD_RUN, ["second"])
    second = reader.pulse()
    assert second != first and reader.pulse() == second
    reader.close()


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "what?.db", "#1.db", "ünï.db", "a&mode=rwc.db", "file:x.db"])
def test_a_path_may_hold_any_character(tmp_path: Path, name: str) -> None:
    reader = Reader(books_file(tmp_path / name))
    assert commands(reader) == ["reduce"]
    reader.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


# WAL


def test_a_closed_wal_file_is_read_and_nothing_appears_beside_it(file: Database, writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA journal_mode=WAL")
    writer.close()
    before = traces(place(file).parent)
    reader = Reader(file)
    assert commands(reader) == ["reduce"]
    reader.close()
    assert list(before) == ["books.db"] and traces(place(file).parent) == before


def test_a_wal_that_is_being_written_is_read_with_its_newest_commits(
    file: Database, writer: sqlite3.Connection
) -> None:
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute(ADD_RUN, ["second"])
    before = traces(place(file).parent)
    reader = Reader(file)
    assert commands(reader) == ["second", "reduce"]
    writer.execute(ADD_RUN, ["third"])
    assert commands(reader) == ["third", "second", "reduce"]
    reader.close()
    assert list(traces(place(file).parent)) == list(before) == ["books.db", "books.db-shm", "books.db-wal"]
    assert traces(place(file).parent)["books.db"] == before["books.db"]


def test_a_wal_file_is_followed_when_its_writer_comes_back(file: Database, writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA journal_mode=WAL")
    writer.close()
    reader = Reader(file)
    pulses = {reader.pulse()}
    assert commands(reader) == ["reduce"]
    back = sqlite3.connect(place(file), isolation_level=None)
    back.execute(ADD_RUN, ["second"])
    pulses.add(reader.pulse())
    assert commands(reader) == ["second", "reduce"]
    back.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    back.execute(ADD_RUN, ["third"])
    pulses.add(reader.pulse())
    assert commands(reader) == ["third", "second", "reduce"]
    back.close()
    reader.pulse()
    assert commands(reader) == ["third", "second", "reduce"]
    reader.close()
    assert len(pulses) == 3


def looks(reader: Reader) -> list[str | None]:
    """One look as the screen has it: what is seen, and then nothing is held that the owner is to have for himself."""
    reader.pulse()
    seen = commands(reader)
    reader.let_go()
    return seen


def alone(file: Database) -> list[str]:
    """The runs that a copy of the file alone holds, and that nothing stands beside it."""
    assert [path.name for path in place(file).parent.iterdir()] == ["books.db"]
    bare = sqlite3.connect(f"file:{place(file)}?immutable=1", uri=True)
    rows = bare.execute("SELECT command_name FROM outflow_run ORDER BY id DESC").fetchall()
    bare.close()
    return [command for (command,) in rows]


def test_the_owner_of_a_watched_wal_file_leaves_it_whole(file: Database, writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute(ADD_RUN, ["second"])
    reader = Reader(file)
    assert looks(reader) == ["second", "reduce"]
    writer.execute(ADD_RUN, ["last"])
    assert looks(reader) == ["last", "second", "reduce"]
    writer.close()
    assert alone(file) == ["last", "second", "reduce"]
    assert looks(reader) == ["last", "second", "reduce"]
    owner = sqlite3.connect(place(file), timeout=0)
    assert owner.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    owner.close()
    add_run(file)
    assert looks(reader) == ["reduce", "last", "second", "reduce"]
    reader.close()
    assert alone(file) == ["reduce", "last", "second", "reduce"]


def test_a_watched_file_that_comes_to_wal_mode_is_left_to_its_owner(file: Database, writer: sqlite3.Connection) -> None:
    reader = Reader(file)
    assert looks(reader) == ["reduce"]
    writer.execute("PRAGMA journal_mode=WAL")
    assert looks(reader) == ["reduce"]
    writer.execute(ADD_RUN, ["in the wal"])
    assert looks(reader) == ["in the wal", "reduce"]
    writer.close()
    assert alone(file) == ["in the wal", "reduce"]
    assert looks(reader) == ["in the wal", "reduce"]
    reader.close()
    assert alone(file) == ["in the wal", "reduce"]


def test_a_wal_file_that_is_copied_over_a_watched_one_gets_no_wal(
    file: Database, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute(ADD_RUN, ["of the other"])
    writer.close()
    (tmp_path / "watched").mkdir()
    watched = books_file(tmp_path / "watched" / "books.db")
    reader = Reader(watched)
    assert looks(reader) == ["reduce"]
    place(watched).write_bytes(place(file).read_bytes())
    assert looks(reader) == ["of the other", "reduce"]
    assert alone(watched) == ["of the other", "reduce"]
    reader.close()


_DIES_IN_WAL_MODE = f"""
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
for number in range(50):
    connection.execute({ADD_RUN!r}, [f"run {{number}}"])
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_writer_left_in_wal_mode_is_read_and_left_as_it_is(file: Database) -> None:
    subprocess.run([sys.executable, "-c", _DIES_IN_WAL_MODE, place(file)], check=False)
    before = traces(place(file).parent)
    assert list(before) == ["books.db", "books.db-shm", "books.db-wal"]
    reader = Reader(file)
    assert looks(reader)[:2] == looks(reader)[:2] == ["run 49", "run 48"]
    reader.close()
    assert traces(place(file).parent) == before


def test_commits_in_wal_mode_that_come_at_once_are_all_seen(file: Database, writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    reader = Reader(file)
    for number in range(300):
        writer.execute(ADD_RUN, [f"run {number}"])
        before = reader.pulse()
        assert run_queries.runs(reader, count=1)[0].command == f"run {number}"
        reader.let_go()
        if number % 50 == 0:  # from here on the -wal is written over from its beginning
            writer.execute("PRAGMA wal_checkpoint(RESTART)")
        writer.execute("UPDATE outflow_run SET hostname = ?", [f"host {number}"])
        assert reader.pulse() != before
    reader.close()


def test_nothing_is_opened_while_nothing_changes_in_wal_mode(
    file: Database, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute(ADD_RUN, ["second"])
    reader = Reader(file)
    looks(reader)
    time.sleep(2 * sqlite_file.SETTLED_NS / 1e9)
    monkeypatch.setattr(sqlite_file.SqliteFile, "connect", None)  # it could not be called
    before = reader.pulse()
    assert [reader.pulse() for _ in range(5)] == [before] * 5
    reader.close()


def orphan(file: Database, writer: sqlite3.Connection) -> Database:
    """A copy of the file and its -wal without the -shm, as somebody would make it by hand."""
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute(ADD_RUN, ["only in the wal"])
    folder = place(file).parent.parent / "copied"
    folder.mkdir()
    for name in ("books.db", "books.db-wal"):
        shutil.copyfile(place(file).with_name(name), folder / name)
    return Database("default", SQLITE, path=folder / "books.db")


def test_changes_in_an_orphaned_wal_are_told_and_not_passed_over(file: Database, writer: sqlite3.Connection) -> None:
    copied = orphan(file, writer)
    before = traces(place(copied).parent)
    assert "--copy" in refusal(copied)
    assert traces(place(copied).parent) == before


def test_a_private_copy_shows_the_changes_in_an_orphaned_wal(file: Database, writer: sqlite3.Connection) -> None:
    copied = orphan(file, writer)
    before = traces(place(copied).parent)
    reader = Reader(copied, copy=True)
    assert commands(reader) == ["only in the wal", "reduce"]
    reader.close()
    assert traces(place(copied).parent) == before


# a writer that was killed inside a transaction


@pytest.fixture
def torn(file: Database) -> Database:
    """A file whose writer got SIGKILL in a transaction that was half written: beside it is a hot journal."""
    kill_a_writer(place(file))
    return file


def test_a_journal_of_a_killed_writer_is_told_with_the_way_out(torn: Database) -> None:
    before = traces(place(torn).parent)
    words = refusal(torn)
    assert "a writer was killed" in words and "--copy" in words
    assert traces(place(torn).parent) == before


def test_a_private_copy_shows_what_was_there_before_the_killed_transaction(torn: Database) -> None:
    before = traces(place(torn).parent)
    reader = Reader(torn, copy=True)
    assert commands(reader) == ["reduce"]
    assert len(configuration_queries.hashes(reader, range(10_000))) == 1
    reader.close()
    assert traces(place(torn).parent) == before


def test_a_reader_goes_on_when_the_next_writer_has_repaired_the_file(torn: Database) -> None:
    reader = Reader(torn)
    with pytest.raises(SourceError):
        commands(reader)
    add_run(torn)
    assert commands(reader) == ["reduce", "reduce"]
    reader.close()


def test_a_private_copy_is_made_anew_when_the_file_changes_and_is_removed_at_the_end(
    file: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "copies"))
    reader = Reader(file, copy=True)
    first = reader.pulse()
    assert commands(reader) == ["reduce"] and reader.pulse() == first
    add_run(file)
    assert reader.pulse() != first
    assert commands(reader) == ["reduce", "reduce"]
    assert len(list((tmp_path / "copies").iterdir())) == 1
    reader.close()
    assert not list((tmp_path / "copies").iterdir())


BUSY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA synchronous=OFF")
connection.execute("PRAGMA cache_size=20")
print("ready", flush=True)
number = 0
while True:
    number += 1
    connection.execute("UPDATE outflow_run SET command_name = ?", [str(number)])
"""


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_private_copy_of_a_busy_file_is_one_state_of_it(
    file: Database, writer: sqlite3.Connection, mode: str
) -> None:
    writer.execute(f"PRAGMA journal_mode={mode}")
    writer.execute("BEGIN")
    writer.executemany(ADD_RUN, [["0"]] * 5_000)
    writer.execute("UPDATE outflow_run SET command_name = '0'")
    writer.execute("COMMIT")
    writer.close()
    seen: set[str | None] = set()
    refused = 0
    with running(BUSY, place(file)):
        for _ in range(12):
            reader = Reader(file, copy=True)
            try:
                found = set(commands(reader))
            except SourceError as error:
                assert "changes faster than it can be copied" in str(error)
                refused += 1
            else:
                assert len(found) == 1, "a mixture of two states"
                seen |= found
            reader.close()
    assert len(seen) + refused > 1, "nobody wrote"


# files that cannot be read


def broken(folder: Path, name: str) -> Database:
    """A file with something wrong with it."""
    path = folder / "books.db"
    if name != "missing":
        books_file(path)
    if name == "empty":
        path.write_bytes(b"")
    elif name == "text":
        path.write_text("databases: !include databases.yml\n" * 50)
    elif name == "cut off":
        os.truncate(path, path.stat().st_size // 2 + 100)
    elif name == "only a header":
        os.truncate(path, 100)
    elif name == "a few bytes":
        os.truncate(path, 10)
    elif name == "scribbled over":
        with path.open("r+b") as file:
            file.seek(100)
            file.write(b"\xff" * 20_000)
    elif name == "a name of no letters":
        table, no_table = b"outflow_runoutflow_run(.)CREATE TABLE", b"outflow_r\x8enoutflow_run\\1CREATE TABLF"
        path.write_bytes(re.sub(table, no_table, path.read_bytes(), flags=re.DOTALL))
    elif name == "a folder":
        path.unlink()
        path.mkdir()
    elif name == "a pipe":
        path.unlink()
        os.mkfifo(path)
    elif name == "a link to nothing":
        path.unlink()
        path.symlink_to("nowhere.db")
    elif name == "under a file":
        path = path / "books.db"
    elif name == "a circle of links":
        path.unlink()
        path.symlink_to(path)
    return Database("default", SQLITE, path=path)


BROKEN = {
    "missing": "no such file",
    "empty": "the file is empty (0 bytes), no tables were made in it yet; run 'outflow-db upgrade'",
    "text": "not a SQLite database",
    "cut off": "",
    "only a header": "",
    "a few bytes": "not a SQLite database",
    "scribbled over": "",
    "a name of no letters": "the file is damaged",
    "a folder": "is a directory, no file",
    "a pipe": "is a named pipe, no file",
    "a link to nothing": "a link to nowhere.db, where no file is",
    "under a file": "cannot be looked at",
    "a circle of links": "cannot be looked at",
}


@pytest.mark.parametrize("copy", [False, True], ids=["itself", "a copy"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_in_words_that_name_it(tmp_path: Path, name: str, copy: bool) -> None:
    database = broken(tmp_path, name)
    before = traces(tmp_path) if place(database).is_file() else None
    words = refusal(database, copy=copy)
    assert words.startswith(f"{database.path}: ") and BROKEN[name] in words
    assert before is None or traces(tmp_path) == before


def as_nobody(work: Callable[[], str]) -> str:
    """What some work returns in a process that has no rights."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            os.write(writing, work().encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, encoding="utf-8") as answer:
        return answer.read()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_that_one_may_not_read_is_told_in_words(file: Database, what: str) -> None:
    closed = place(file) if what == "file" else place(file).parent
    for folder in place(file).parents[:-2]:
        folder.chmod(0o755)
    mode = closed.stat().st_mode
    closed.chmod(0)
    words = as_nobody(lambda: refusal(file))
    closed.chmod(mode)
    refused = "Permission denied" if what == "file" else f"the directory {closed} may not be entered"
    assert words.startswith(f"{file.path}: cannot be") and f"{refused}; ask its owner for the right." in words


def test_a_file_that_was_replaced_is_read_not_the_one_before(file: Database) -> None:
    reader = Reader(file)
    commands(reader)
    identity, pulse = reader.identity, reader.pulse()
    other = books_file(place(file).with_name("other.db"))
    add_run(other)
    place(other).replace(place(file))
    assert reader.pulse() != pulse and reader.identity != identity
    assert commands(reader) == ["reduce", "reduce"]
    reader.close()


def test_a_file_that_is_gone_is_told_and_read_again_when_it_is_back(file: Database) -> None:
    reader = Reader(file)
    commands(reader)
    away = place(file).rename(place(file).with_name("away.db"))
    with pytest.raises(SourceError, match="no such file"):
        commands(reader)
    away.rename(place(file))
    assert commands(reader) == ["reduce"]
    reader.close()


# other shapes


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["CREATE TABLE product (id int)"], r"no Outflow tables here \(it holds product\); run 'outflow-db upgrade'"),
        (["CREATE TABLE t (id int)", "DROP TABLE t"], r"no Outflow tables here \(it has no tables\)"),
        (
            ["CREATE TABLE outflow_run (id int)", "CREATE TABLE outflow_task (id int)"],
            r"made by Outflow 0\.6, .*on PostgreSQL Outflow 0\.9 upgrades it",
        ),
        (
            [f"CREATE TABLE {name} (id int)" for name in ("configuration", "run", "task", "edge")],
            r"made by Outflow 0\.3",
        ),
        (["CREATE TABLE outflow_block (id int)"], r"outflow_configuration, .* are missing.*newer outflow-tui"),
        (
            [f"CREATE TABLE {name} (id int)" for name in ("outflow_run", "outflow_edge")],
            r"outflow_block, outflow_configuration, .* are missing; wait if it is being upgraded",
        ),
    ],
    ids=["a pipeline's own", "none", "0.6", "0.3", "half", "another half"],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_tables_of_another_shape_are_told_in_words(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str, statements: list[str], words: str
) -> None:
    database = configure(tmp_path, {"default": entry(request, dialect)}).database()
    engine = make_engine(database, "admin", create=True)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
    reader = Reader(database)
    with pytest.raises(SchemaError, match=words) as caught:
        commands(reader)
    assert database.shown in str(caught.value)
    make_tables_again(database, statements)
    assert commands(reader) == []
    reader.close()


def make_tables_again(database: Database, statements: list[str]) -> None:
    """Put the right tables in the place of the wrong ones."""
    engine = make_engine(database, "admin")
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(f"DROP TABLE IF EXISTS {statement.split()[2]}"))
    engine.dispose()
    make_tables(database)


def test_the_database_that_outflow_06_made_is_told_in_words(tmp_path: Path) -> None:
    shutil.copyfile(FIXTURES / "sqlite" / "old_0.6.2" / "outflow.db", tmp_path / "outflow.db")
    assert "made by Outflow 0.6" in refusal(Database("default", SQLITE, path=tmp_path / "outflow.db"))


# no way to write


WRITES: dict[str, Executable] = {
    "insert": insert(tables.configuration).values(config={}, settings={}, hash="x"),
    "update": update(tables.run).values(command_name="x"),
    "delete": delete(tables.run),
    "drop": text("DROP TABLE outflow_edge"),
    "create": text("CREATE TABLE made (id int)"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("what", WRITES)
def test_nothing_can_be_written_through_a_reader(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str, what: str
) -> None:
    settings = fresh_books(request, tmp_path, dialect)
    with record_run("reduce", config=settings):
        pass
    reader = Reader(settings.database())
    before = traces(tmp_path)
    with pytest.raises(SourceError):
        reader.rows(WRITES[what])
    assert traces(tmp_path) == before
    assert commands(reader) == ["reduce"]
    reader.close()


# PostgreSQL


@pytest.fixture
def server_books(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Empty books on a PostgreSQL server."""
    return fresh_books(request, tmp_path, POSTGRESQL).database()


SETTINGS = ("default_transaction_read_only", "transaction_read_only", "statement_timeout", "lock_timeout")
SESSION = text(
    f"SELECT state, application_name, {', '.join(f'current_setting({name!r})' for name in SETTINGS)} "
    "FROM pg_stat_activity WHERE pid = pg_backend_pid()"
)


def test_a_reader_is_read_only_named_and_bounded_on_the_server(server_books: Database) -> None:
    reader = Reader(server_books)
    assert tuple(reader.rows(SESSION)[0]) == ("active", "outflow-tui", "on", "on", "15s", "5s")
    reader.close()


def test_no_transaction_stays_open_on_the_server(server_books: Database, postgres: Postgres) -> None:
    reader = Reader(server_books)
    reader.pulse()
    commands(reader)
    ask = "SELECT state FROM pg_stat_activity WHERE application_name = 'outflow-tui' AND datname = '{}'"
    assert postgres.superuser_sql(ask.format(server_books.database)) == [("idle",)]
    engine = make_engine(server_books, "admin")
    with engine.begin() as connection:
        connection.execute(text("SET lock_timeout = '2s'"))
        connection.execute(text("ALTER TABLE outflow_run ADD COLUMN more int"))
    engine.dispose()
    assert commands(reader) == []
    reader.close()


def test_a_connection_that_was_cut_is_opened_again_without_a_word(server_books: Database, postgres: Postgres) -> None:
    reader = Reader(server_books)
    commands(reader)
    ask = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = '{}'"
    assert postgres.superuser_sql(ask.format(server_books.database)) == [(1,)]
    assert commands(reader) == []
    reader.close()


def test_tables_that_are_made_again_are_told_from_those_before(server_books: Database) -> None:
    engine, reader = make_engine(server_books, "admin"), Reader(server_books)
    commands(reader)
    before = reader.identity
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE outflow_run ADD COLUMN more int"))
    reader.close()
    commands(reader)
    assert reader.identity == before
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE outflow_block CASCADE"))
    engine.dispose()
    make_tables(server_books)
    reader.close()
    commands(reader)
    assert reader.identity != before
    reader.close()


def test_a_role_without_a_free_connection_is_an_answer_not_a_crash(server_books: Database, postgres: Postgres) -> None:
    postgres.superuser_sql("ALTER ROLE pipeuser CONNECTION LIMIT 0")
    try:
        words = refusal(server_books)
    finally:
        postgres.superuser_sql("ALTER ROLE pipeuser CONNECTION LIMIT -1")
    assert "too many connections" in words and "userpwd" not in words


def test_tables_that_the_role_may_not_read_are_told(server_books: Database, postgres: Postgres) -> None:
    assert server_books.database is not None
    postgres.superuser_sql("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM pipeuser", server_books.database)
    assert "permission denied" in refusal(server_books)


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:1", "host.invalid:5432"])
def test_a_server_that_cannot_be_reached_is_named_without_the_password(tmp_path: Path, address: str) -> None:
    address = str(tmp_path / address) if address == "nowhere" else address
    gone = {"dialect": POSTGRESQL, "address": address, "database": "d", "user": "me:s3cret"}
    words = refusal(configure(tmp_path, {"default": gone}).database())
    assert words.startswith("Cannot read postgresql://me@") and "s3cret" not in words


def test_a_database_that_does_not_exist_is_told(server_books: Database) -> None:
    assert 'database "gone" does not exist' in refusal(replace(server_books, database="gone"))


def test_a_statement_that_spans_binds_is_refused_by_a_reader_too(file: Database) -> None:
    other = Table("other", MetaData(), Column("id", Integer), info={"bind_key": "archive"})
    reader = Reader(file)
    with pytest.raises(BindError, match="archive"):
        reader.rows(select(tables.run.c.id, other.c.id))
    reader.close()
