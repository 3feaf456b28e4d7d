"""What may go wrong around a recorder: the pipeline goes on, and the books tell the truth."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import RootTransaction

from outflow_core import engines, load_settings, processed, record_run, tables
from outflow_core.block_records import TaskRecord
from outflow_core.bookkeeper import Backlog, Bookkeeper
from outflow_core.books import Books
from outflow_core.db_cli import main
from outflow_core.engines import Engines, make_engine
from outflow_core.entries import BlockChanged, BlocksAdded, RunBegun
from outflow_core.errors import ConfigError, RecordError
from outflow_core.journal import JournalFile
from outflow_core.journal_places import FOLDER, journal_folders
from outflow_core.replay import replay_folder
from outflow_core.settings import Settings
from outflow_core.states import BlockType, State
from tests.core.books import POSTGRESQL, SQLITE, fresh_books, locked, rows

NOON = datetime(2026, 11, 23, 12)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.2)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A configuration whose SQLite file holds empty tables."""
    return fresh_books(request, tmp_path, SQLITE)


def states(books: Settings) -> list[str]:
    return [row["state"].value for row in rows(books, tables.block)]


def messages(books: Settings) -> list[str]:
    return [row["exception_msg"] for row in rows(books, tables.runtime_exception)]


# the later word counts


def exception(words: str) -> dict[str, Any]:
    return {"exception_type": "E", "exception_msg": words, "traceback": words, "time": NOON}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def started(seconds: float) -> BlockChanged:
    return BlockChanged("t", {"state": State.RUNNING, "start_time": at(seconds), "end_time": None})


def ended(seconds: float, failure: str = "", *, if_open: bool = False) -> BlockChanged:
    state = State.FAILED if failure else State.SUCCESS
    told = exception(failure) if failure else None
    return BlockChanged("t", {"state": state, "end_time": at(seconds)}, exception=told, if_open=if_open)


CASES = [
    ("a start that waited does not open what was closed meanwhile", [ended(9, "lost")], [started(1)], "failed", 1),
    ("nor does a failure that waited add to the one that is there", [ended(9, "lost")], [ended(2, "own")], "failed", 1),
    ("a later failure takes the place of the earlier one", [ended(2, "lost")], [ended(9, "own")], "failed", 1),
    ("who tries again begins anew", [started(1), ended(2, "first"), started(3), ended(4)], [], "success", 0),
    ("an old try says nothing of a new one", [started(5), ended(6)], [started(1), ended(2, "old")], "success", 0),
    ("what is written twice is there once", [started(1), ended(2, "a")], [started(1), ended(2, "a")], "failed", 1),
    ("only what is open is closed for others", [started(1), ended(2)], [ended(9, "x", if_open=True)], "success", 0),
]


@pytest.mark.parametrize(
    ("direct", "replayed", "state", "number"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_the_later_word_counts(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    dialect: str,
    direct: list[BlockChanged],
    replayed: list[BlockChanged],
    state: str,
    number: int,
) -> None:
    settings = fresh_books(request, tmp_path, dialect)
    engines_ = Engines(settings)
    writer = Books(engines_)
    writer.write(RunBegun("r", {}, {}, "h", {"state": State.RUNNING}))
    row = {"uuid": "t", "type": BlockType.TASK, "name": "t", "state": State.PENDING}
    writer.write(BlocksAdded("r", ({**row, "input_targets": {}, "output_targets": {}},)))
    for entry in direct:
        writer.write(entry)
    writer.write_again(replayed)
    engines_.dispose()
    assert states(settings) == [state] and len(messages(settings)) == number


# workers that are killed


def vanish(number: int) -> int:
    """Takes its process away for one of the items."""
    time.sleep(0.02)
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_forked_workers_that_are_ended_with_their_pool_leave_each_item_one_word(books: Settings) -> None:
    """The pool ends the other workers by SIGTERM, which must not become an exception inside of a task."""
    with record_run("night", config=books) as run, ProcessPoolExecutor(3, mp_context=get_context("fork")) as pool:
        with run.workflow("map", inputs=[{"number": number} for number in range(12)]) as items:
            items.map("w", vanish, pool)
    told = Counter(row["block_id"] for row in rows(books, tables.runtime_exception))
    for row in rows(books, tables.block):
        assert told[row["id"]] == (row["state"] is State.FAILED)
        assert row["state"].is_final


# entries that are lost, or that nobody understands


def test_what_follows_up_on_a_lost_entry_holds_up_nothing_else(
    books: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = JournalFile.create(books.root / FOLDER, books.database().shown)
    row = {"type": BlockType.TASK, "name": "t", "state": State.PENDING, "input_targets": {}, "output_targets": {}}
    file.append(RunBegun("r", {}, {}, "h", {"state": State.RUNNING}))
    file.append(BlockChanged("lost", {"state": State.RUNNING, "start_time": NOON}))
    file.append(BlocksAdded("r", ({**row, "uuid": "kept"},)))
    file.append(BlocksAdded("r", ({**row, "uuid": "below"},), parent="lost"))
    file.append(BlockChanged("kept", {"state": State.SUCCESS, "end_time": NOON}))
    file.close()
    assert main(["replay", "--config", str(books.path)]) == 2
    assert "3 written, 2 left" in (answer := capsys.readouterr()).out and "no block has the uuid 'lost'" in answer.err
    assert states(books) == ["success"]
    assert main(["replay", "--config", str(books.path)]) == 2
    assert main(["replay", "--give-up", "--config", str(books.path)]) == 2
    assert "given up, kept in" in capsys.readouterr().err
    assert [path.suffix for path in (books.root / FOLDER).iterdir()] == [".refused"]
    assert main(["replay", "--config", str(books.path)]) == 0


def test_a_damaged_line_is_set_aside_and_the_rest_is_written(books: Settings) -> None:
    file = JournalFile.create(books.root / FOLDER, books.database().shown)
    file.append(RunBegun("r", {}, {}, "h", {"state": State.RUNNING}))
    with file.path.open("ab") as end:
        end.write(b"\xff\x00 nonsense\n")
    file.close()
    (again,) = (books.root / FOLDER).glob("*.journal")
    taken = JournalFile.take(again)
    assert taken is not None
    taken.append(
        BlocksAdded(
            "r",
            (
                {
                    "uuid": "t",
                    "type": BlockType.TASK,
                    "name": "t",
                    "state": State.PENDING,
                    "input_targets": {},
                    "output_targets": {},
                },
            ),
        )
    )
    taken.close()
    assert main(["replay", "--config", str(books.path)]) == 2
    assert states(books) == ["pending"]
    assert main(["replay", "--config", str(books.path)]) == 0


def test_many_entries_of_which_few_can_be_written_are_told_apart(books: Settings) -> None:
    file = JournalFile.create(books.root / FOLDER, books.database().shown)
    file.append(RunBegun("r", {}, {}, "h", {"state": State.RUNNING}))
    for number in range(450):
        row = {"uuid": f"t{number}", "type": BlockType.TASK, "name": "t", "state": State.PENDING}
        run = "r" if number % 10 else "nobody"
        file.append(BlocksAdded(run, ({**row, "input_targets": {}, "output_targets": {}},)))
    file.close()
    engines_ = Engines(books)
    (found,) = replay_folder(books.root / FOLDER, Books(engines_))
    assert (found.written, found.left) == (406, 45) and len(states(books)) == 405
    (found,) = replay_folder(books.root / FOLDER, Books(engines_))
    assert (found.written, found.left) == (0, 45)
    engines_.dispose()


# places without room, processes without threads


def test_where_the_folder_cannot_be_made_entries_are_kept_in_the_users_own(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = fresh_books(request, tmp_path, SQLITE, journal="config.json/inside-of-a-file")
    with record_run("a", config=settings) as run, locked(settings):
        for _ in range(3):
            with run.task("t"):
                pass
        (kept,) = (tmp_path / "state" / "outflow" / "journal").iterdir()
    assert str(kept.parent) in caplog.text and not kept.exists()
    assert states(settings) == ["success"] * 3


def test_where_nothing_can_be_kept_the_database_is_not_waited_for_each_time(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = fresh_books(request, tmp_path, SQLITE, journal="config.json/inside-of-a-file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "config.json"))
    tries: list[str] = []
    real = Books.write

    def counted(self: Books, entry: Any) -> None:
        tries.append("")
        real(self, entry)

    monkeypatch.setattr(Books, "write", counted)
    with record_run("a", config=settings) as run:
        tries.clear()
        with locked(settings):
            for _ in range(5):
                with run.task("t"):
                    pass
        assert len(tries) == 1
    assert "11 entries of this run could not be kept and are lost" in caplog.text


def test_where_no_thread_can_be_started_the_end_of_the_run_writes_what_waits(
    books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with record_run("a", config=books) as run:
        with locked(books), run.task("t"):
            pass
    assert states(books) == ["success"]


def test_a_pool_with_more_threads_than_connections_loses_no_item(books: Settings) -> None:
    with record_run("a", config=books) as run, run.workflow("map", inputs=[{"n": n} for n in range(40)]) as items:
        with locked(books), ThreadPoolExecutor(40) as pool:
            found = items.map("w", lambda n: n, pool)
    assert [outcome.result for outcome in found] == list(range(40))
    assert Counter(states(books)) == {"success": 41}


@pytest.mark.parametrize("value", [3, {"a": 1}, [1]])
def test_a_journal_that_is_no_folder_is_refused(request: pytest.FixtureRequest, tmp_path: Path, value: Any) -> None:
    settings = fresh_books(request, tmp_path, SQLITE, journal=value)
    with pytest.raises(ConfigError, match=r"config.json: journal: must be a folder, or false for none"):
        with record_run("a", config=settings):
            pytest.fail("it started")


def test_the_journals_folder_may_name_the_home_and_the_environment(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("NIGHT", "12")
    settings = fresh_books(request, tmp_path, SQLITE, journal="~/kept/${NIGHT}")
    assert journal_folders(settings)[0] == Path("/home/me/kept/12")


# signals

SHORT = """
import sys
from outflow_core import record_run
with record_run("night", config=sys.argv[1]) as run:
    print("begun", flush=True)
    while True:
        with run.task("t"):
            pass
"""


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGTERM] * 3], ids=repr)
def test_a_signal_at_any_moment_leaves_nothing_running(books: Settings, signals: list[signal.Signals]) -> None:
    for number in range(6):
        command = [sys.executable, "-c", SHORT, str(books.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
            assert child.stdout is not None and child.stdout.readline()
            time.sleep(0.05 + 0.013 * number)
            for one in signals:
                child.send_signal(one)
            child.wait(30)
    assert Counter(row["state"].value for row in rows(books, tables.run)) == {"failed": 6}
    assert "running" not in states(books)


def test_a_block_that_an_exit_kept_from_being_left_ends_with_the_run(
    books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_interrupted(*_: object) -> None:
        raise SystemExit(143)

    with pytest.raises(SystemExit), record_run("night", config=books.path) as run:
        with run.task("done"):
            pass
        monkeypatch.setattr(TaskRecord, "__exit__", is_interrupted)
        with run.task("t"):
            pass
    assert {row["name"]: row["state"].value for row in rows(books, tables.block)} == {"done": "success", "t": "failed"}
    assert [row["exception_type"] for row in rows(books, tables.runtime_exception)] == ["SystemExit"]


def test_an_end_that_was_interrupted_after_it_was_written_is_not_another_end(books: Settings) -> None:
    with pytest.raises(SystemExit), record_run("night", config=books.path) as run:
        task = run.task("t").__enter__()
        run.open_blocks[task] = threading.get_ident()
        task.end(None)
        run.open_blocks[task] = threading.get_ident()  # as if the signal had come before it was taken out
        raise SystemExit(143)
    told = {row["name"]: row["state"].value for row in rows(books, tables.block)}
    assert told == {"t": "success", "top_level_workflow": "failed"}


@pytest.mark.parametrize("place", ["_deactivate_from_connection", "_connection_commit_impl", "_do_commit"])
@pytest.mark.parametrize("handling", [False, True])
def test_an_exit_amid_a_commit_is_not_taken_for_trouble_with_the_books(
    books: Settings, monkeypatch: pytest.MonkeyPatch, place: str, handling: bool
) -> None:
    """An assertion of SQLAlchemy then takes the place of the exit, which ended nothing."""
    commit, exits = getattr(RootTransaction, place), [SystemExit(143)]

    def exit_once(transaction: RootTransaction) -> None:
        if exits and threading.current_thread() is threading.main_thread():  # the heartbeat commits too
            raise exits.pop()
        commit(transaction)

    with pytest.raises(SystemExit), record_run("night", config=books) as run:
        monkeypatch.setattr(RootTransaction, place, exit_once)
        try:
            raise KeyboardInterrupt if handling else KeyError
        except (KeyboardInterrupt, KeyError):
            with run.task("t"):
                pass
        pytest.fail("the pipeline went on")
    assert "running" not in states(books)
    assert [row["state"].value for row in rows(books, tables.run)] == ["failed"]


def test_what_the_pipeline_handles_itself_is_no_interruption_of_the_books(
    books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with record_run("night", config=books) as run:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            with monkeypatch.context() as patched:
                patched.setattr(engines, "BUSY_SECONDS", 0.05)
                with locked(books), run.task("clean up"):
                    pass
    assert sorted(states(books)) == ["success"]


def test_an_entry_whose_writing_is_interrupted_is_written_at_the_end(books: Settings) -> None:
    """The lock is waited for; Ctrl-C comes meanwhile."""
    script = SHORT.replace("    while True:\n", "    for _ in range(1):\n").replace("pass", "input()")
    command = [sys.executable, "-c", script, str(books.path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdin is not None and child.stdout.readline()
        until(lambda: states(books) == ["running"])
        with locked(books):
            child.stdin.write("\n")
            child.stdin.flush()
            time.sleep(0.5)
            child.send_signal(signal.SIGINT)
            time.sleep(0.5)
        child.wait(60)
    assert "running" not in states(books)
    assert [row["state"].value for row in rows(books, tables.run)] == ["failed"]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


# forks


def test_a_child_that_outlives_its_parent_does_not_hold_the_parents_journal(books: Settings) -> None:
    script = (
        "import os, sys, time\nfrom outflow_core import engines, record_run\nengines.BUSY_SECONDS = 0.1\n"
        "with record_run('a', config=sys.argv[1]) as run:\n"
        "    print('begun', flush=True)\n    input()\n"
        "    with run.task('t'):\n        pass\n"
        "    child = os.fork()\n    if child == 0:\n        time.sleep(60)\n        os._exit(0)\n"
        "    print(child, flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", script, str(books.path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as head:
        assert head.stdout is not None and head.stdin is not None and head.stdout.readline()
        with locked(books):
            head.stdin.write("\n")
            head.stdin.flush()
            child = int(head.stdout.readline())
            head.wait(60)
    try:
        assert main(["replay", "--config", str(books.path)]) == 0
        assert states(books) == ["success"]
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_child_lets_go_of_the_journal_and_reads_nothing_away(tmp_path: Path) -> None:
    file = JournalFile.create(tmp_path / "j", "d")
    for number in range(50):
        file.append(RunBegun(f"r{number}", {}, {}, "h", {}))
    steps = file.waiting()
    first = next(steps)
    child = os.fork()
    if child == 0:
        os._exit(0 if file.is_closed else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len([first, *steps]) == 50
    file.close()


# maps that are interrupted


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_an_interrupted_map_begins_nothing_more_and_doubles_nothing(books: Settings, kind: str) -> None:
    script = (
        "import sys, time\nfrom concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor\n"
        "from outflow_core import record_run\n"
        "def work(number):\n    time.sleep(0.1)\n"
        "if __name__ == '__main__':\n"
        f"    pool = {'ThreadPoolExecutor' if kind == 'threads' else 'ProcessPoolExecutor'}(2)\n"
        "    with record_run('night', config=sys.argv[1]) as run, pool:\n"
        "        with run.workflow('map', inputs=[{'number': n} for n in range(100)], tasks=['w']) as items:\n"
        "            items.map('w', work, pool)\n"
    )
    path = books.root / "night.py"
    path.write_text(script)
    with subprocess.Popen([sys.executable, path, str(books.path)], stderr=subprocess.DEVNULL) as child:
        until(lambda: states(books).count("success") > 3)
        child.send_signal(signal.SIGINT)
        child.wait(60)
    found = Counter(states(books))
    assert found.total() == 101 and found["pending"] > 50 and found["running"] == 0
    assert [row["state"].value for row in rows(books, tables.run)] == ["failed"]


# what is given wrongly


def test_what_is_given_wrongly_is_told_in_words(books: Settings) -> None:
    odd: Any = "a"
    with record_run("a", config=books) as run:
        with pytest.raises(RecordError, match="each of 'inputs' names its values"):
            run.workflow("map", inputs=[odd])
        with pytest.raises(RecordError, match="'upstream' holds what 'with run.task"):
            run.task("t", upstream=odd)
        with run.workflow("map", inputs=[{"n": 1}], tasks=["measure"]) as items:
            with pytest.raises(RecordError, match="'mesure' is none of the tasks of the map 'map': measure"):
                items.map("mesure", lambda n: n)
    with pytest.raises(RecordError, match="settings: must be a mapping"):
        record_run("a", config=books, settings=odd).__enter__()
    with pytest.raises(RecordError, match="inputs: must name its values"):
        processed(odd, books)
    with pytest.raises(ConfigError, match="config: must be the path of a configuration file"):
        load_settings({})  # type: ignore[arg-type]


def test_what_a_driver_says_comes_without_its_frames(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    books = fresh_books(request, tmp_path, SQLITE)
    with locked(books), pytest.raises(RecordError) as caught:
        with record_run("a", config=books, strict=True):
            pytest.fail("it started")
    shown = "".join(traceback.format_exception(caught.value))
    assert "sqlalchemy" not in shown and "direct cause" not in shown


# decorators of runs


def test_a_coroutine_or_a_generator_cannot_be_a_recorded_run(books: Settings) -> None:
    async def later() -> None: ...

    def many() -> Iterator[int]:
        yield 1

    for function in (later, many):
        with pytest.raises(RecordError, match="returns before its work is done"):
            record_run("a", config=books)(function)


def test_each_call_of_a_decorated_function_is_a_run(books: Settings) -> None:
    @record_run("a", config=books)
    def work(number: int) -> int:
        return number + 1

    assert [work(1), work(2)] == [2, 3]
    assert [row["state"].value for row in rows(books, tables.run)] == ["success"] * 2


# a server that does not answer


def test_a_table_that_somebody_holds_does_not_stop_the_pipeline(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "LOCK_SECONDS", 1)
    books = fresh_books(request, tmp_path, POSTGRESQL)
    engine = make_engine(books.database(), "admin")
    with record_run("a", config=books) as run:
        with engine.connect() as other:
            other.execute(text("LOCK TABLE outflow_block"))
            with run.task("t"):
                pass
            assert list((tmp_path / FOLDER).iterdir())
    engine.dispose()
    assert states(books) == ["success"] and not (tmp_path / FOLDER).exists()


def test_the_end_of_a_run_is_bounded_when_its_books_stay_away(books: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many journals others left: the first that cannot be written tells of all."""
    tries: list[str] = []
    real = Books.write_again

    def counted(self: Books, entries: Any) -> None:
        tries.append("")
        real(self, entries)

    for number in range(20):
        file = JournalFile.create(books.root / FOLDER, books.database().shown)
        file.append(RunBegun(f"r{number}", {}, {}, "h", {"state": State.RUNNING}))
        file.close()
    keeper = Bookkeeper(Engines(books))
    monkeypatch.setattr(Books, "write_again", counted)
    with locked(books):
        keeper.close()
    assert len(tries) == 1
    assert isinstance(keeper.backlog, Backlog)
