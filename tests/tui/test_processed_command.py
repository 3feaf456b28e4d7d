"""`outflow-tui processed` as a user types it, on books that Outflow wrote and on our own."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from outflow_core import record_run
from outflow_core.settings import read_settings
from outflow_tui.cli import main
from tests.core.books import make_tables
from tests.fixtures import READABLE, copy_of


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline's directory, in which the user is: one good night, and one bad."""
    monkeypatch.delenv("OUTFLOW_CONFIG_PATH", raising=False)
    monkeypatch.delenv("PIPELINE_ROOT_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yml").write_text("fit: {steps: 20}\nsecrets: {key: hunter2}\n")
    make_tables(read_settings(tmp_path / "config.yml").database())
    record(tmp_path, "/data/n1.fits", "/data/n2.fits", failing="/data/n2.fits")
    return tmp_path


def record(folder: Path, *files: str, failing: str = "") -> None:
    with record_run("reduce", config=folder / "config.yml") as run:
        with run.workflow("frames", inputs=[{"file": name} for name in files], tasks=["fit"]) as frames:
            for item in frames:
                try:
                    with item.task("fit"):
                        assert item.inputs["file"] != failing
                except AssertionError:
                    pass


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit status and what is printed."""
    status = main(["processed", *words])
    printed = capsys.readouterr()
    assert printed.err == ""
    return status, printed.out


def test_a_processed_input_is_told_with_its_run(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, "n1.fits")
    titles, row, _, verdict, secrets = said.splitlines()
    assert titles.split() == ["RUN", "COMMAND", "STATE", "STARTED", "CONFIG", "INPUT", "TASKS"]
    assert row.split()[:3] == ["1", "reduce", "success"]
    assert row.split()[-3:] == ["current", "file=/data/n1.fits", "fit"]
    assert verdict == "Processed with the configuration in force: run 1."
    assert secrets == "Masked secrets cannot be compared."
    assert max(map(len, said.splitlines())) <= 80
    assert status == 0


def test_a_failed_input_is_not_processed(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, "file=n2.fits")
    assert status == 1
    assert "failed" in said and "Not processed with the configuration in force.\n" in said


def test_only_one_command_is_asked_about_when_it_is_named(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "n1.fits", "--command", "reduce")[0] == 0
    assert asked(capsys, "n1.fits", "--command", "fetch") == (1, "No run of 'fetch' was given n1.fits.\n")


def test_an_input_of_no_run_is_told(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "n3.fits\x1b[31m") == (1, "No run was given n3.fits\\e[31m.\n")


def test_another_configuration_is_told_and_does_not_count(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pipeline / "config.yml").write_text("fit: {steps: 21}\nsecrets: {key: hunter2}\n")
    status, said = asked(capsys, "n1.fits")
    assert status == 1 and " another " in said
    record(pipeline, "/data/n1.fits")
    assert asked(capsys, "n1.fits")[0] == 0


def test_of_a_bare_database_no_configuration_is_known(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, "n1.fits", "-s", "outflow.db")
    assert status == 0 and " not known " in said
    assert asked(capsys, "n2.fits", "-s", "outflow.db")[0] == 1


def test_the_source_is_a_directory_or_a_file(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in (".", "config.yml", str(pipeline)):
        assert asked(capsys, "n1.fits", "-s", source)[0] == 0
        assert asked(capsys, "n2.fits", "-s", source)[0] == 1


def test_the_json_holds_everything_that_is_known(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, "n1.fits", "--json")
    answer = json.loads(said)
    (row,) = answer.pop("processings")
    assert (status, answer) == (0, {"processed": True})
    assert row.pop("uuid") and row.pop("start_time") and row.pop("end_time")
    assert row == {
        "run": 1,
        "command": "reduce",
        "run_state": "success",
        "configuration_id": 1,
        "same_configuration": True,
        "uncompared": 1,
        "state": "success",
        "whole_map": False,
        "workflow": "frames",
        "tasks": ["fit"],
        "blocks": [2],
        "inputs": {"file": "/data/n1.fits"},
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "required"),
        (("",), "empty"),
        (("x", "-s", "nowhere.db"), "nowhere.db"),
        (("x", "-s", "bad.yml"), "bad.yml"),
    ],
)
def test_trouble_is_one_sentence_and_not_an_answer(
    words: tuple[str, ...], said: str, pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pipeline / "bad.yml").write_text("databases: []")
    try:
        status = main(["processed", *words])
    except SystemExit as ended:
        status = int(ended.code or 0)
    printed = capsys.readouterr()
    assert (status, printed.out, printed.err.count("\n")) == (2, "", 1)
    assert said in printed.err


def test_a_secret_is_neither_shown_nor_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_of("maps", tmp_path)
    inputs = json.dumps([{"value": '{"password": "hunter2", "file": "n1.fits"}', "token": '"t0ken"'}])
    with sqlite3.connect(folder / "outflow.db") as books:
        books.execute("UPDATE outflow_block SET input_values = ? WHERE id = 3", [inputs])
    for words in (("n1.fits",), ("n1.fits", "--json")):
        said = asked(capsys, *words, "-s", str(folder))[1]
        assert "***" in said
        assert "hunter2" not in said and "t0ken" not in said
    assert asked(capsys, "hunter2", "-s", str(folder)) == (1, "No run was given hunter2.\n")


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[tuple[Any, ...]]:
    answer = json.loads(asked(capsys, *words, "--json")[1])
    return [(row["run"], row["state"], row["whole_map"], len(row["blocks"])) for row in answer["processings"]]


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (8, [(6, "success"), (5, "failed"), (3, "success"), (2, "success"), (1, "success")]),
        (9, [(6, "success"), (5, "success"), (3, "failed"), (2, "failed"), (1, "failed")]),
        (50, [(6, "success"), (3, "pending"), (2, "success"), (1, "success")]),
        (4999, [(6, "failed")]),
    ],
)
def test_each_item_of_outflows_maps_has_its_own_state(
    number: int, wanted: list[tuple[int, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = {1: 1, 2: 2, 3: 1, 5: 1, 6: 1}
    found = rows(capsys, f"value={number}", "-s", str(copy_of("maps", tmp_path)))
    assert found == [(run, state, False, blocks[run]) for run, state in wanted]


def test_an_item_that_cannot_be_told_has_the_state_of_its_map_and_does_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_of("maps", tmp_path)
    with sqlite3.connect(folder / "outflow.db") as books:
        books.execute("DELETE FROM outflow_block WHERE id = 5")
    source = str(folder / "outflow.db")
    assert rows(capsys, "199", "-s", source)[-1] == (1, "success", True, 1)
    assert "the map as a whole" in asked(capsys, "199", "-s", source)[1]
    with sqlite3.connect(folder / "outflow.db") as books:
        books.execute("UPDATE outflow_block SET input_values = '{}' WHERE run_id <> 1")
    assert asked(capsys, "198", "-s", source)[0] == 1


@pytest.mark.parametrize("name", READABLE)
def test_no_fixture_ends_in_trouble_or_wide_lines(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_of(name, tmp_path)
    for value in ("1", "obs_00003.fits", "value=7", "'"):
        status, said = asked(capsys, value, "-s", str(folder / "outflow.db"))
        assert status in (0, 1) and said
        assert max(map(len, said.splitlines())) <= 80


def test_asking_loads_neither_the_screen_nor_the_orm(pipeline: Path) -> None:
    code = (
        "import sys\nfrom outflow_tui.cli import main\nassert main(['processed', 'n1.fits']) == 0\n"
        "assert not {'textual', 'sqlalchemy.orm', 'psycopg2', 'outflow_core.recorder'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=pipeline)
    assert (done.returncode, done.stderr) == (0, "")
