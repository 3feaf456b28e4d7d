"""The answers for scripts: the contract of the JSON, the text, and what trouble looks like."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outflow_tui.cli import main
from tests.fixtures import READABLE, copy_of

Ask = Callable[..., Any]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command that must succeed (or, `diff`, find differences); its JSON."""

    def asked(*words: str, status: int = 0) -> Any:
        assert main([*words, "--json"]) == status
        return json.loads(capsys.readouterr().out)

    return asked


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail: nothing on standard output, one sentence on standard error."""

    def trouble(*words: str) -> str:
        try:
            status = main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        assert (status, printed.out) == (2, "")
        assert printed.err.count("\n") == 1
        return printed.err

    return trouble


def changed(folder: Path, *statements: str) -> str:
    """Change a copied fixture's database; its path."""
    connection = sqlite3.connect(folder / "outflow.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return str(folder / "outflow.db")


def test_runs_are_told_as_the_contract_says(ask: Ask, tmp_path: Path) -> None:
    source = str(copy_of("kinds", tmp_path))
    runs = ask("runs", "-s", source)
    assert [run["id"] for run in runs] == list(range(28, 0, -1))
    keys = "id uuid command state start_time end_time hostname configuration_id tasks exceptions"
    assert list(runs[0]) == [*keys.split(), "life"]
    assert set(runs[0]["tasks"]) == {"pending", "running", "failed", "success", "skipped"}
    assert [run["id"] for run in ask("runs", "-s", source, "--limit", "3")] == [28, 27, 26]
    assert {run["state"] for run in ask("runs", "-s", source, "--state", "failed", "--limit", "0")} == {"failed"}
    assert [run["id"] for run in ask("runs", "-s", source, "--command", "use_db")] == [25, 24]


def test_show_holds_the_run_its_configuration_and_all_its_blocks(ask: Ask, tmp_path: Path) -> None:
    shown = ask("show", "20", "-s", str(copy_of("kinds", tmp_path)))
    assert shown["configuration"]["secrets"]["external_ressource_password"] == "******"
    assert "MAIN_DATABASE" in shown["settings"]
    blocks = {block["name"]: block for block in shown["blocks"]}
    failed = blocks["level_3_boom"]
    assert failed["parent_id"] == blocks["level_3"]["id"]
    assert failed["exception"]["type"] == "RuntimeError"
    assert failed["exception"]["traceback"].endswith("RuntimeError: could not process the observation\n")
    assert blocks["level_1"]["upstream"] == [blocks["gen_data"]["id"]]
    assert blocks["never"]["exception"] is None


@pytest.mark.parametrize("name", READABLE)
def test_every_failed_task_is_in_exactly_one_cause(name: str, ask: Ask, tmp_path: Path) -> None:
    source = str(copy_of(name, tmp_path))
    for run in ask("runs", "-s", source, "--limit", "0"):
        causes = ask("failures", str(run["id"]), "-s", source)
        tasks = [task for cause in causes for task in cause["tasks"]]
        assert len(tasks) == len(set(tasks)) == run["tasks"]["failed"]
        assert [len(cause["tasks"]) for cause in causes] == sorted(
            (len(cause["tasks"]) for cause in causes), reverse=True
        )


def test_a_failed_task_without_an_exception_is_a_cause_of_its_own_kind(ask: Ask, tmp_path: Path) -> None:
    source = changed(copy_of("maps", tmp_path), "DELETE FROM outflow_runtime_exception WHERE id <= 3")
    first, second = ask("failures", "1", "-s", source)
    assert (first["type"], len(first["tasks"])) == ("ValueError", 17)
    assert (second["type"], second["where"], len(second["tasks"])) == (None, None, 3)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (1, 17, []),
        (1, 4, []),
        (1, 16, []),
        (1, 3, [("changed", ["parameters", "threshold", "threshold"], 5, 6)]),
        (1, 5, [("added", ["instrument", "detectors", 2], None, "d")]),
        (5, 1, [("removed", ["instrument", "detectors", 2], "d", None)]),
        (1, 6, [("changed", ["instrument", "gain"], 1.5, "1.5")]),
        (14, 15, [("changed", ["big", "key_500", "a"], 500, -1)]),
    ],
)
def test_differences_are_told_by_path(old: int, new: int, changes: list[Any], ask: Ask, tmp_path: Path) -> None:
    words = ("diff", str(old), str(new), "-s", str(copy_of("configs", tmp_path)))
    answer = ask(*words, status=1 if changes else 0)
    assert answer["same"] is not bool(changes)
    assert [(change["kind"], change["path"], change["old"], change["new"]) for change in answer["changes"]] == changes


def test_two_secrets_that_differ_are_a_difference_and_are_not_shown(ask: Ask, tmp_path: Path) -> None:
    source = changed(
        copy_of("configs", tmp_path),
        """UPDATE outflow_configuration SET config = '{"password": "hunter1"}' WHERE id = 1""",
        """UPDATE outflow_configuration SET config = '{"password": "hunter2"}' WHERE id = 2""",
    )
    (change,) = ask("diff", "1", "3", "-s", source, status=1)["changes"]
    assert (change["path"], change["old"], change["new"]) == (["password"], "******", "******")


def test_a_secret_in_the_inputs_of_a_map_is_masked(ask: Ask, tmp_path: Path) -> None:
    inputs = json.dumps([{"config": json.dumps({"password": "hunter2", "host": "h"})}])
    source = changed(copy_of("maps", tmp_path), f"UPDATE outflow_block SET input_values = '{inputs}' WHERE id = 3")
    assert "hunter2" not in json.dumps(ask("show", "1", "-s", source))


def test_nan_is_told_in_json_that_others_can_read(ask: Ask, tmp_path: Path) -> None:
    answer = ask("diff", "1", "13", "-s", str(copy_of("configs", tmp_path)), status=1)
    assert [change["new"] for change in answer["changes"] if change["kind"] == "added"] == ["NaN", "Infinity"]


@pytest.mark.parametrize(
    ("wanted", "number"), [("20", 20), ("last", 28), ("last:failed", 27), ("last:skips", 21), ("361b85ae", 20)]
)
def test_a_run_is_found_by_what_people_call_it(wanted: str, number: int, ask: Ask, tmp_path: Path) -> None:
    assert ask("show", wanted, "-s", str(copy_of("kinds", tmp_path)))["id"] == number


@pytest.mark.parametrize("wanted", ["57", "0", "last:", "last:nothing", "zzz", ""])
def test_a_run_that_is_not_there_is_not_another_one(wanted: str, told: Callable[..., str], tmp_path: Path) -> None:
    said = told("show", wanted, "-s", str(copy_of("kinds", tmp_path)))
    assert "kinds/outflow.db" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("not_migrated", "outflow-db upgrade"),
        ("old_0.6.2", "made by Outflow 0.6"),
    ],
)
def test_books_that_cannot_be_read_say_why(name: str, words: str, told: Callable[..., str], tmp_path: Path) -> None:
    said = told("runs", "-s", str(copy_of(name, tmp_path)))
    assert words in said
    assert name in said


@pytest.mark.parametrize("source", ["nowhere.db", "nowhere/", "postgresql://u:s3cret/x@127.0.0.1:1/db", "mysql://h/d"])
def test_a_source_that_is_none_is_named_without_its_password(source: str, told: Callable[..., str]) -> None:
    said = told("runs", "-s", source)
    assert "s3cret" not in said
    assert source.partition(":")[0].rstrip("/") in said


def test_mistakes_on_the_command_line_take_one_sentence(told: Callable[..., str], tmp_path: Path) -> None:
    assert "--limit" in told("runs", "--limit", "x")
    assert "twice" in told("runs", "-s", "a", "-s", "b")


def test_odd_values_in_the_books_are_told_and_do_not_end_in_a_trace(ask: Ask, tmp_path: Path) -> None:
    source = changed(
        copy_of("kinds", tmp_path),
        "UPDATE outflow_run SET start_time = 123, end_time = 'yesterday' WHERE id = 28",
        "UPDATE outflow_run SET start_time = '2026-11-23 10:00:00+02:00', end_time = x'00ff' WHERE id = 27",
        "UPDATE outflow_block SET input_values = '" + "[" * 900 + "]" * 900 + "' WHERE run_id = 20",
        "UPDATE outflow_runtime_exception SET exception_msg = x'ff00', traceback = x'41' WHERE block_id = 87",
        "UPDATE outflow_block SET parent_id = 86 WHERE id = 82",
        "UPDATE outflow_block SET id = -5 WHERE id = 83",
    )
    runs = ask("runs", "-s", source)
    assert (runs[0]["start_time"], runs[0]["end_time"]) == (None, None)
    assert runs[1]["start_time"] == "2026-11-23T10:00:00"
    assert -5 in [block["id"] for block in ask("show", "20", "-s", source)["blocks"]]
    assert len(ask("failures", "20", "-s", source)) == 1
    assert main(["show", "20", "-s", source]) == 0


@pytest.mark.parametrize("words", [("runs",), ("show", "12"), ("failures", "8"), ("diff", "1", "12"), ("config", "12")])
def test_no_control_byte_reaches_a_pipe(words: tuple[str, ...], tmp_path: Path) -> None:
    for name in ("kinds", "configs"):
        source = changed(
            copy_of(name, tmp_path),
            "UPDATE outflow_run SET uuid = 'a' || char(27) || '[31m', hostname = char(7) WHERE id = 12",
        )
        command = [sys.executable, "-m", "outflow_tui.cli", *words, "-s", source]
        printed = subprocess.run(command, capture_output=True).stdout
        assert printed
        assert not [byte for byte in printed if (byte < 0x20 and byte != 0x0A) or byte == 0x7F]


def test_a_full_disk_is_trouble_and_not_a_difference(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "outflow_tui.cli", "diff", "1", "2", "-s", str(copy_of("configs", tmp_path))]
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert answer.returncode == 2
    assert answer.stderr == "outflow-tui: cannot write the answer: No space left on device.\n"


def test_into_a_pipe_all_sources_are_told_or_none(
    told: Callable[..., str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kinds, maps = str(copy_of("kinds", tmp_path)), str(copy_of("maps", tmp_path))
    assert main([kinds, maps]) == 0
    assert "map_many" in capsys.readouterr().out
    told(kinds, str(tmp_path / "nowhere.db"), maps)


def test_nothing_found_tells_what_was_looked_for(
    told: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OUTFLOW_CONFIG_PATH", raising=False)
    monkeypatch.delenv("PIPELINE_ROOT_DIRECTORY", raising=False)
    said = told()
    assert "config.json, config.yml, config.yaml or config.toml" in said
    assert str(tmp_path) in said


def test_the_source_may_stand_before_the_command(ask: Ask, tmp_path: Path) -> None:
    assert len(ask("-s", str(copy_of("maps", tmp_path)), "runs")) == 6


@pytest.mark.parametrize(
    "source",
    [
        "host=localhost user=me password=s3cret dbname=x",
        "host=localhost password = 's3cret too' dbname=x",
        "postgresql:/me:s3cret@localhost/x",
        "me:s3cret@localhost/x",
    ],
)
def test_a_password_in_what_is_taken_for_a_file_is_not_told(source: str, told: Callable[..., str]) -> None:
    assert "s3cret" not in told("runs", "-s", source)
