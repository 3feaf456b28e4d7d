"""The command `outflow-db`, run as a program and by its main function."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from outflow_core.db_cli import main
from outflow_core.schema.upgrades import upgrade
from outflow_core.settings import Settings
from tests.core.conftest import FIXTURES, Postgres, write_config

SQLITE = {"dialect": "sqlite", "path": "outflow.db"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A pipeline's directory, gone into, that holds a copy of a database that Outflow made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OUTFLOW_CONFIG_PATH", raising=False)
    monkeypatch.delenv("PIPELINE_ROOT_DIRECTORY", raising=False)
    shutil.copy(FIXTURES / "sqlite" / "kinds" / "outflow.db", tmp_path)
    return write_config(tmp_path, {"default": SQLITE, "archive": {"dialect": "sqlite", "path": "archive.db"}})


def fresh(settings: Settings) -> None:
    """Let the database be one of ours, with one run in it."""
    path = settings.database().path
    assert path is not None
    path.unlink()
    upgrade(settings)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO outflow_configuration VALUES (1, '{}', '{}', 'h')")
        connection.execute("INSERT INTO outflow_run (id, uuid, state, configuration_id) VALUES (1, 'u', 'success', 1)")
    connection.close()


def test_upgrade_reports_every_bind_in_columns(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upgrade"]) == 0
    root = settings.root
    assert capsys.readouterr().out.splitlines() == [
        f"default  adopted the tables that Outflow made  {root / 'outflow.db'}",
        f"archive  no migrations for this bind           {root / 'archive.db'}",
    ]
    main(["upgrade", "--bind", "default"])
    assert capsys.readouterr().out == f"default  up to date, nothing to do  {root / 'outflow.db'}\n"


def test_status_is_told_as_json(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json", "--config", str(settings.path)]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first == {
        "key": "default",
        "database": str(settings.root / "outflow.db"),
        "current": [],
        "heads": ["outflow_0003"],
        "words": "made by Outflow, not adopted yet",
        "is_trouble": False,
    }


def test_trouble_is_one_sentence_and_status_2(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--bind", "archiv"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and "unknown bind key 'archiv' (known: archive, default)" in told.err
    assert len(told.err.splitlines()) == 1


def test_no_password_is_shown_of_a_database_that_cannot_be_reached(
    settings: Settings, postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    place = {"dialect": "postgresql", "address": str(postgres.socket_dir), "database": "gone"}
    write_config(settings.root, {"default": {**place, "user": "me:s3cret", "admin": "boss:t0psecret"}})
    for arguments in (["upgrade"], ["status"], ["status", "--json"], ["downgrade", "base"]):
        assert main(arguments) == 2
        told = capsys.readouterr()
        assert "Cannot reach postgresql://me@" in told.err
        assert "s3cret" not in told.out + told.err and "t0psecret" not in told.out + told.err


def test_downgrade_asks_nothing_where_nothing_is_lost(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    main(["upgrade"])
    assert main(["downgrade", "base"]) == 0
    assert "the tables that Outflow made stay" in capsys.readouterr().out


def test_downgrade_needs_yes_where_nobody_can_be_asked(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh(settings)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert main(["downgrade", "base"]) == 2
    assert "deletes all that is recorded of 1 run" in capsys.readouterr().err
    assert main(["downgrade", "base", "--yes"]) == 0
    assert main(["status"]) == 0
    assert "no tables yet" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "code", "left"), [("yes", 0, "no tables yet"), ("", 2, "up to date")])
def test_downgrade_does_what_is_answered(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    left: str,
) -> None:
    fresh(settings)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _question: answer)
    assert main(["downgrade", "base"]) == code
    main(["status"])
    assert left in capsys.readouterr().out


def test_several_processes_that_upgrade_at_once_all_succeed(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    command = [sys.executable, "-m", "outflow_core.db_cli", "upgrade", "--config", str(settings.path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    told = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 4, told
    assert sorted("tables made" in out for out, _ in told) == [False, False, False, True]


@pytest.mark.parametrize("words", ["status", "status --json", "sql", "history"])
def test_an_answer_that_finds_no_room_is_told_in_a_sentence(settings: Settings, words: str) -> None:
    command = [sys.executable, "-m", "outflow_core.db_cli", *words.split()]
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (answer.returncode, answer.stderr) == (2, "outflow-db: cannot write the answer: No space left on device.\n")


def test_an_answer_that_nobody_reads_is_no_trouble(settings: Settings) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "outflow_core.db_cli", "status"]
    answer = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_help_costs_no_sqlalchemy() -> None:
    code = (
        "import sys; from outflow_core.db_cli import main\n"
        "try: main(['upgrade', '--help'])\n"
        "except SystemExit: print(sorted({'sqlalchemy', 'alembic', 'yaml'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
