"""`outflow-tui watch`: a line for what happened, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from outflow_core import changes as ledgers
from outflow_core import known_runs, record_run
from outflow_core.reader import Reader
from outflow_core.schema.upgrades import upgrade
from outflow_core.settings import Settings
from outflow_core.states import State
from outflow_tui.cli.happenings import Happenings
from tests.core.books import DIALECTS, configure, entry
from tests.core.test_changes import Writer
from tests.core.test_wait import end, going_on
from tests.fixtures import copy_of


def made(folder: Path, database: Mapping[str, str]) -> Settings:
    settings = configure(folder, {"default": database})
    upgrade(settings)
    return settings


@pytest.fixture
def books(tmp_path: Path) -> Settings:
    """A configuration with a SQLite file that has all our tables."""
    return made(tmp_path, {"dialect": "sqlite", "path": "outflow.db"})


def fails(books: Settings, command: str = "reduce", task: str = "fit") -> None:
    """Record a run in which one task fails."""
    with pytest.raises(ValueError), record_run(command, config=books) as run:
        with run.task("load"):
            pass
        with run.task(task):
            raise ValueError("no flat\x1b[31m field")


def news(happenings: Happenings) -> list[tuple[str, int | None]]:
    return [(happening.event, happening.run.id if happening.run else None) for happening in happenings.look()]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_was_there_is_no_news_and_what_happens_is_told_in_order(
    dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    books = made(tmp_path, entry(request, dialect))
    fails(books)
    reader = Reader(books.database())
    happenings = Happenings(reader)
    assert news(happenings) == news(happenings) == []
    fails(books)
    found = happenings.look()
    reader.close()
    assert [(happening.event, happening.run and happening.run.id) for happening in found] == [
        ("began", 2),
        ("task-failed", 2),
        ("ended", 2),
    ]
    assert found[1].said.endswith("fit failed: ValueError: no flat\x1b[31m field")
    assert found[2].said.startswith("ended: failed, 1 failed task after ")
    assert found[2].more["tasks"]["success"] == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_history_that_takes_several_looks_is_no_news(
    dialect: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_RUNS", "RUNS"):
        monkeypatch.setattr(known_runs, name, 3)
    monkeypatch.setattr(ledgers, "HISTORY_SECONDS", 1e-4)
    books = made(tmp_path, entry(request, dialect))
    writer, reader = Writer(books.database()), Reader(books.database())
    writer.touch()
    for number in range(1, 30):
        writer.add_run(number, State.SUCCESS)
    happenings = Happenings(reader)
    assert [one for _ in range(20) for one in news(happenings)] == []
    reader.close()
    writer.close()


def test_of_a_run_that_goes_on_again_only_what_fails_anew_is_told(
    books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in {"PAGE": 16, "RECENT": 20, "SWEPT_BLOCKS": 16, "CALM_BLOCKS": 16}.items():
        monkeypatch.setattr(ledgers, name, size)
    writer, reader = Writer(books.database()), Reader(books.database())
    writer.touch()
    for number in range(1, 4):
        writer.add_run(number, State.FAILED)
    writer.add_blocks(*(writer.block(n, 1 + n // 50, State.FAILED if n % 2 else State.SUCCESS) for n in range(1, 150)))
    happenings = Happenings(reader)
    told = news(happenings)
    writer.commit(writer.set_states([2, 3], State.PENDING), writer.end_run(1, State.RUNNING))
    for changed in ([], [2], [3]):  # both fail, one of them once more
        writer.commit(*([writer.set_states(changed, State.FAILED)] if changed else []))
        for _ in range(12):  # until the page is counted anew
            writer.touch()
            told += news(happenings)
    assert [event for event in told if event[0] == "task-failed"] == [("task-failed", 1)] * 2
    reader.close()
    writer.close()


def test_a_run_goes_on_step_by_step(books: Settings) -> None:
    happenings = Happenings(Reader(books.database()))
    happenings.look()
    with record_run("reduce", config=books) as run:
        assert news(happenings) == [("began", 1)]
        assert happenings.running == 1
        with pytest.raises(KeyError), run.task("fit"):
            raise KeyError("a")
        assert news(happenings) == [("task-failed", 1)]
        assert news(happenings) == []
    assert news(happenings) == [("ended", 1)]
    assert happenings.running == 0


def test_one_command_is_told_when_it_is_named(books: Settings) -> None:
    happenings = Happenings(Reader(books.database()), "reduce")
    happenings.look()
    fails(books, "fetch")
    fails(books, "reduce")
    assert {run for _, run in news(happenings)} == {2}


def test_of_a_private_copy_the_news_is_told_as_of_the_file(books: Settings) -> None:
    happenings = Happenings(Reader(books.database(), copy=True))
    happenings.look()
    with record_run("reduce", config=books) as run:
        with pytest.raises(KeyError), run.task("fit"):
            raise KeyError("a")
        assert news(happenings) == [("began", 1), ("task-failed", 1)]
    assert news(happenings) == [("ended", 1)]


def test_other_books_in_the_place_of_those_before_are_one_line(tmp_path: Path) -> None:
    database = copy_of("kinds", tmp_path) / "outflow.db"
    happenings = Happenings(
        Reader(configure(tmp_path, {"default": {"dialect": "sqlite", "path": str(database)}}).database())
    )
    happenings.look()
    shutil.copy(copy_of("maps", tmp_path) / "outflow.db", database.with_suffix(".new"))
    database.with_suffix(".new").replace(database)
    assert news(happenings) == [("replaced", None)]
    assert news(happenings) == []


def test_a_dead_run_is_told_once(books: Settings) -> None:
    happenings = Happenings(Reader(books.database()))
    happenings.look()
    with going_on(books) as child:
        assert news(happenings) == [("began", 1)]
        child.send_signal(signal.SIGKILL)
        child.wait()
    (gone,) = happenings.look()
    assert gone.event == "gone" and f"process {child.pid} is gone" in gone.said
    assert happenings.look() == []


def watching(books: Settings, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "outflow_tui.cli", "watch", "-s", str(books.path), "--every", "0.1", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_line(books: Settings, command: subprocess.Popen[str]) -> str:
    """A line of the command; runs are recorded until it has seen one."""
    assert command.stdout is not None
    os.set_blocking(command.stdout.fileno(), False)
    line = ""
    while not line:
        fails(books, task="fit\x1b]0;x\x07")
        line = command.stdout.readline()
    os.set_blocking(command.stdout.fileno(), True)
    return line


@pytest.mark.parametrize("end_by", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(end_by: signal.Signals, books: Settings) -> None:
    with watching(books) as command:
        said = first_line(books, command)
        command.send_signal(end_by)
        rest, trouble = command.communicate(timeout=60)
    assert (command.returncode, trouble) == (0, "")
    lines = [said, *rest.splitlines(keepends=True)]
    assert all("run" in line and line[10] == "T" for line in lines)
    assert "\x1b" not in "".join(lines) and "\x07" not in "".join(lines)


def test_each_line_of_json_is_whole(books: Settings) -> None:
    with watching(books, "--json") as command:
        told = json.loads(first_line(books, command))
        command.terminate()
        rest = command.communicate(timeout=60)[0]
    lines = [told, *map(json.loads, rest.splitlines())]
    assert told["event"] == "began" and told["run"]["command"] == "reduce"
    failed = [line for line in lines if line["event"] == "task-failed"]
    assert all(line["exception"]["type"] == "ValueError" and line["task"]["name"] for line in failed)


def test_a_closed_pipe_ends_it_though_nothing_happens(books: Settings) -> None:
    with watching(books) as command:
        assert command.stdout is not None and command.stderr is not None
        command.stdout.close()
        assert command.wait(timeout=60) == 0
        assert command.stderr.read() == ""


def test_books_that_were_never_readable_are_trouble(tmp_path: Path) -> None:
    nowhere = configure(tmp_path, {"default": {"dialect": "sqlite", "path": "nowhere.db"}})
    with watching(nowhere) as command:
        said, trouble = command.communicate(timeout=60)
    assert (command.returncode, said, trouble.count("\n")) == (2, "", 1)


def test_a_run_that_ends_while_it_is_watched_is_told(books: Settings) -> None:
    happenings = Happenings(Reader(books.database()))
    with going_on(books) as child:
        happenings.look()
        end(child, "fail")
        child.wait()
    assert news(happenings) == [("ended", 1)]
