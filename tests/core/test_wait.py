"""`outflow-tui wait`: it ends when the runs do, and its exit status tells how."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from outflow_core import meant_run, record_run
from outflow_core.errors import NotFoundError, SourceError
from outflow_core.lives import Watch
from outflow_core.reader import Reader
from outflow_core.rows import Life, ProcessRow
from outflow_core.schema.upgrades import upgrade
from outflow_core.settings import Settings
from outflow_tui.cli import main
from outflow_tui.cli.patience import Patience
from outflow_tui.cli.wait import Waiting
from tests.core.books import DIALECTS, configure, entry
from tests.fixtures import copy_of

RECORDS = """
import sys, time
from pathlib import Path
from outflow_core import record_run
from outflow_core.run_queries import processes
from outflow_core.reader import Reader
from outflow_core.settings import read_settings
with record_run("reduce", config=sys.argv[1]) as run:
    reader = Reader(read_settings(Path(sys.argv[1])).database())
    while not processes(reader, [run.id]):
        time.sleep(0.01)
    print("ready", flush=True)
    if sys.stdin.readline() == "fail\\n":
        raise ValueError("no flat field")
"""


@pytest.fixture
def books(tmp_path: Path) -> Settings:
    """A configuration with a SQLite file that has all our tables."""
    return made(tmp_path, {"dialect": "sqlite", "path": "outflow.db"})


def made(folder: Path, database: Mapping[str, str]) -> Settings:
    settings = configure(folder, {"default": database})
    upgrade(settings)
    return settings


@contextmanager
def going_on(books: Settings) -> Iterator[subprocess.Popen[str]]:
    """A run that goes on until its process is told how to end."""
    command = [sys.executable, "-c", RECORDS, str(books.path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as child:
        try:
            assert child.stdout is not None and child.stdout.readline()
            yield child
        finally:
            child.kill()


def end(child: subprocess.Popen[str], how: str) -> None:
    assert child.stdin is not None
    child.stdin.write(f"{how}\n")
    child.stdin.flush()


def waiting_for(books: Settings, *words: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "outflow_tui.cli", "wait", "-s", str(books.path), "--every", "0.1", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("how", "status"), [("well", 0), ("fail", 1)])
def test_the_status_tells_how_the_run_ended(
    dialect: str, how: str, status: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    books = made(tmp_path, entry(request, dialect))
    with going_on(books) as child, waiting_for(books, "last") as command:
        end(child, how)
        said, trouble = command.communicate(timeout=60)
    assert (command.returncode, trouble) == (status, "")
    assert said == ("run 1 reduce success\n", "run 1 reduce failed\n")[status]


def test_a_run_whose_process_is_dead_is_not_waited_for(books: Settings) -> None:
    with going_on(books) as child, waiting_for(books, "last:reduce") as command:
        child.send_signal(signal.SIGKILL)
        child.wait()
        said, _ = command.communicate(timeout=60)
    assert command.returncode == 3
    assert said.startswith(f"run 1 reduce running but gone: process {child.pid} is gone")


def test_a_run_that_was_over_needs_no_wait_and_several_are_told_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(copy_of("kinds", tmp_path))
    assert main(["wait", "28", "24", "-s", source]) == 0
    assert capsys.readouterr().out == "run 28 hello success\nrun 24 use_db success\n"
    assert main(["wait", "28", "20", "-s", source, "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(run["id"], run["state"], run["life"]) for run in told] == [(28, "success", None), (20, "failed", None)]
    assert told[1]["tasks"]["failed"] == 1


def test_the_time_being_up_has_a_status_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(copy_of("killed", tmp_path))
    assert main(["wait", "4", "-s", source, "--timeout", "0"]) == 124
    assert capsys.readouterr().out == "run 4 run_slow_step running; the time is up after 0 s\n"


@pytest.mark.parametrize("words", [("9999",), ("last", "-s", "nowhere.db"), ("last", "--timeout", "soon")])
def test_trouble_is_one_sentence(
    words: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy_of("kinds", tmp_path))
    try:
        status = main(["wait", *words])
    except SystemExit as ended:
        status = int(ended.code or 0)
    printed = capsys.readouterr()
    assert (status, printed.out, printed.err.count("\n")) == (2, "", 1)


def looking_at(books: Settings, run: str = "last") -> Waiting:
    reader = Reader(books.database())
    return Waiting(reader, [meant_run.find_run(reader, run)])


def test_while_nothing_changes_only_the_pulse_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asks(*_: object) -> object:
        raise AssertionError("more is asked than the pulse")

    copy_of("killed", tmp_path)
    waiting = looking_at(configure(tmp_path, {"default": {"dialect": "sqlite", "path": "killed/outflow.db"}}), "4")
    assert waiting.look() == []
    monkeypatch.setattr(Reader, "_ask", asks)
    assert [waiting.look() for _ in range(5)] == [[]] * 5


class Unlucky(Watch):
    """Something happens between what was read and the look at the process."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def lives(self, processes: Mapping[int, Sequence[ProcessRow]]) -> dict[int, Life]:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return super().lives(processes)


def test_a_process_that_told_its_end_just_before_it_went_is_not_taken_for_dead(books: Settings) -> None:
    with going_on(books) as child:
        waiting = looking_at(books)
        assert waiting.look() == []

        def ends() -> None:
            end(child, "well")
            child.wait()

        waiting._watch = Unlucky(ends)
        (line,) = waiting.look()
    assert (line.row.state.value, line.lost) == ("success", None)


def test_books_that_take_the_place_of_those_before_are_searched_for_the_same_run(books: Settings) -> None:
    database = books.database().path
    assert database is not None
    with record_run("reduce", config=books):
        waiting = looking_at(books)
        waiting.look()
    database.rename(database.with_suffix(".before"))
    upgrade(books)
    with pytest.raises(NotFoundError, match="not in the books any more"):
        waiting.look()


def test_a_source_that_is_away_for_a_while_is_told_once_and_waited_for() -> None:
    told: list[str] = []
    patience = Patience(1.0, lambda error: told.append(str(error)), lambda: told.append("back"))

    def away() -> int:
        raise SourceError("locked.")

    waits = [(patience.look(away), patience.seconds) for _ in range(6)]
    assert waits == [(None, 2.0), (None, 4.0), (None, 8.0), (None, 16.0), (None, 30.0), (None, 30.0)]
    assert (patience.look(lambda: 7), patience.seconds, told) == (7, 1.0, ["locked.", "back"])


def test_a_database_that_goes_away_while_it_is_waited_for_is_read_on_when_it_is_back(tmp_path: Path) -> None:
    books = configure(tmp_path, {"default": {"dialect": "sqlite", "path": "killed/outflow.db"}})
    database = copy_of("killed", tmp_path) / "outflow.db"
    waiting, told = looking_at(books, "4"), list[SourceError | None]()
    patience = Patience(0.1, told.append, lambda: told.append(None))
    assert patience.look(waiting.look) == []
    hidden = database.rename(database.with_suffix(".hidden"))
    assert patience.look(waiting.look) is None
    hidden.rename(database)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE outflow_run SET state = 'failed' WHERE id = 4")
    ended = patience.look(waiting.look)
    assert [line.row.state.value for line in ended or ()] == ["failed"] and waiting.is_over
    assert [type(one) for one in told] == [SourceError, type(None)]


@pytest.mark.parametrize("words", [("wait", "1", "2"), ("processed", "nothing.fits"), ("search", "nothing.fits")])
def test_the_status_is_the_answer_though_nobody_reads_it(books: Settings, words: tuple[str, ...]) -> None:
    """`set -o pipefail; outflow-tui processed FILE | true` must not say that the file was processed."""
    for _ in range(2):
        with pytest.raises(ValueError), record_run("reduce", config=books):
            raise ValueError("no flat field")
    unread, output = os.pipe()
    os.close(unread)
    command = [sys.executable, "-m", "outflow_tui.cli", words[0], "--config", str(books.path), *words[1:]]
    done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, check=False)
    os.close(output)
    assert (done.returncode, done.stderr) == (1, b"")
