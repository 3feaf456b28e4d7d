"""The answers as Markdown, and those that tell of inputs, lives and several configurations."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from outflow_core.schema.upgrades import upgrade
from outflow_tui.cli import main
from outflow_tui.markdown import cell
from tests.core.books import configure, running
from tests.fixtures import READABLE, copy_of
from tests.tui.test_life import RECORDS


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    """What a command prints."""
    assert main(words) == status
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_the_failures_are_ready_to_paste_with_what_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pasted = said(capsys, "failures", "1", "--markdown", "-s", str(copy_of("maps", tmp_path)))
    assert pasted.startswith("### Failures of run 1 of `map_many`\n")
    assert "\n| TASKS | EXCEPTION | MESSAGE | WHERE |\n| --- | --- | --- | --- |\n| 20 | ValueError |" in pasted
    assert "\n14 map_item: value=9\n" in pasted and "\nand 8 more\n" in pasted
    assert "**Traceback**\n\n```\nTraceback (most recent call last):" in pasted
    assert "No run of this command before it was successful." in pasted


def test_what_differs_since_it_worked_stands_below_the_failures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_of("configs", tmp_path)
    with sqlite3.connect(folder / "outflow.db") as books:
        books.execute("UPDATE outflow_block SET state = 'failed' WHERE run_id = 3 AND type = 'task'")
        books.execute("UPDATE outflow_run SET command_name = 'fit' WHERE id IN (1, 3)")
    pasted = said(capsys, "failures", "3", "--markdown", "-s", str(folder / "outflow.db"))
    assert "What differs from run 1, the last success" in pasted
    assert "~ config: parameters.threshold.threshold  5 -> 6" in pasted


@pytest.mark.parametrize("name", READABLE)
def test_every_answer_of_every_fixture_can_be_pasted(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(copy_of(name, tmp_path) / "outflow.db")
    assert main(["runs", "--markdown", "--limit", "0", "-s", source]) == 0
    ids = re.findall(r"^\| (\d+) \|", capsys.readouterr().out, re.MULTILINE)
    asked = [[command, run] for run in ids for command in ("show", "failures", "config")]
    for words in [*asked, *([["diff", *ids[:2]], ["diff", *ids[:5]]] if ids else []), ["processed", "1"]]:
        assert main([*words, "--markdown", "-s", source]) in (0, 1)
        pasted = capsys.readouterr().out
        assert pasted and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", pasted)
        assert len([line for line in pasted.splitlines() if re.fullmatch("`{3,}", line)]) % 2 == 0, words


def test_a_cell_of_a_table_is_not_left_by_what_stands_in_it() -> None:
    for words in ("a | b", "`a | b`", "a \\| b", "<b>|", "[x](javascript:1)|", "**|**"):
        assert re.fullmatch(r"<code>(?:[A-Za-z0-9 ]|&#\d+;)*</code>", cell(words))
    assert cell("**bold**") == "`**bold**`"
    assert cell("http://x") == "`http://x`"


def test_json_and_markdown_exclude_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["runs", "--json", "--markdown"])
    assert (ended.value.code, capsys.readouterr().err) == (
        2,
        "outflow-tui runs: argument --markdown: not allowed with argument --json; see 'outflow-tui runs --help'.\n",
    )


def test_failed_tasks_are_told_with_what_they_were_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(copy_of("maps", tmp_path))
    assert "  tasks    14 map_item: value=9\n           24 map_item: value=19\n" in said(
        capsys, "failures", "1", "-s", source
    )
    (cause,) = json.loads(said(capsys, "failures", "1", "--json", "-s", source))
    assert cause["inputs"]["14"] == {"value": 9} and len(cause["inputs"]) == 20
    assert "task 14 map_item: ValueError\n  given value=9\n" in said(capsys, "show", "1", "-s", source)


def test_a_secret_among_the_inputs_of_a_failed_task_is_masked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_of("maps", tmp_path)
    with sqlite3.connect(folder / "outflow.db") as books:
        books.execute("""UPDATE outflow_block SET input_values = '{"password": "\\"hunter2\\""}' WHERE id = 14""")
    for form in ((), ("--json",), ("--markdown",)):
        for command in ("show", "failures"):
            told = said(capsys, command, "1", *form, "-s", str(folder / "outflow.db"))
            assert "hunter2" not in told and "password" in told


def test_silent_runs_are_told_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(copy_of("killed", tmp_path))
    silent = json.loads(said(capsys, "runs", "--state", "silent", "--json", "-s", source))
    assert silent and {run["state"] for run in silent} == {"running"}
    for run in silent:
        assert run["life"]["verdict"] == "silent" and run["life"]["since"] is not None
        assert run["life"]["reason"].startswith("no task began or ended for ")
    limited = json.loads(said(capsys, "runs", "--state", "silent", "--limit", "1", "--json", "-s", source))
    assert [run["id"] for run in limited] == [silent[0]["id"]]
    assert json.loads(said(capsys, "runs", "--state", "gone", "--json", "-s", source)) == []
    shown = json.loads(said(capsys, "show", str(silent[0]["id"]), "--json", "-s", source))
    assert shown["life"]["verdict"] == "silent"
    assert "  life      no task began or ended for " in said(capsys, "show", str(silent[0]["id"]), "-s", source)


def test_runs_that_are_gone_are_found_by_that_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    books = configure(tmp_path, {"default": {"dialect": "sqlite", "path": "outflow.db"}})
    upgrade(books)
    assert books.path is not None

    def gone() -> list[dict[str, object]]:
        told: list[dict[str, object]] = json.loads(
            said(capsys, "runs", "--state", "gone", "--json", "-s", str(books.path))
        )
        return told

    with running(RECORDS, books.path) as child:
        assert gone() == []
        child.send_signal(signal.SIGKILL)
        child.wait()
    (run,) = gone()
    assert run["state"] == "running"
    assert f"process {child.pid} is gone" in str(run["life"])


def sides(folder: Path) -> str:
    """Three runs of which the second failed."""
    with sqlite3.connect(folder / "outflow.db") as books:
        books.execute("UPDATE outflow_run SET state = 'failed' WHERE id = 3")
    return str(folder / "outflow.db")


def test_of_three_runs_the_differences_are_a_table_and_what_goes_with_failure_is_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = sides(copy_of("configs", tmp_path))
    table = said(capsys, "diff", "1", "5", "3", "-s", source, status=1).splitlines()
    assert table[0] == "2 values differ, 1 of them between those that failed and those that did not"
    assert table[2].split() == ["run", "1", "run", "5", "run", "3"]
    assert [word for word in table[3].split() if word.isalpha()] == ["success", "success", "failed"]
    assert table[4:6][0] == "goes with failure" and table[5].split() == [
        "parameters.threshold.threshold",
        "5",
        "5",
        "6",
    ]
    told = json.loads(said(capsys, "diff", "1", "5", "3", "--json", "-s", source, status=1))
    assert [(row["path"][-1], row["goes_with_failure"]) for row in told["rows"]] == [
        ("threshold", True),
        ("detectors", False),
    ]
    assert told["rows"][0]["values"] == {"1": 5, "5": 5, "3": 6}
    pasted = said(capsys, "diff", "1", "5", "3", "--markdown", "-s", source, status=1)
    assert "| config: parameters.threshold.threshold | 5 | 5 | 6 | yes |" in pasted


def test_runs_with_one_configuration_are_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(copy_of("kinds", tmp_path))
    for form in ((), ("--markdown",)):
        assert "All these runs used the same configuration." in said(capsys, "diff", "1", "2", "3", *form, "-s", source)
    assert json.loads(said(capsys, "diff", "1", "2", "3", "--json", "-s", source))["same"] is True


def test_a_value_that_is_null_is_told_from_one_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_of("configs", tmp_path)
    with sqlite3.connect(folder / "outflow.db") as books:
        books.execute("""UPDATE outflow_configuration SET config = '{"a": null}' WHERE id = 1""")
        books.execute("""UPDATE outflow_configuration SET config = '{}' WHERE id = 2""")
    told = json.loads(said(capsys, "diff", "1", "3", "1", "--json", "-s", str(folder / "outflow.db"), status=1))
    values = [row["values"] for row in told["rows"] if row["path"] == ["a"]]
    assert values == [{"1": None}]


def test_a_misspelt_command_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fialures"]) == 2
    assert "did you mean 'failures'?" in capsys.readouterr().err


def test_no_command_loads_the_screen(tmp_path: Path) -> None:
    source = str(copy_of("kinds", tmp_path))
    asked = [["show", "20"], ["failures", "20", "--markdown"], ["diff", "1", "2", "3"], ["wait", "20"], ["config", "1"]]
    asked = [[*words, "-s", source] for words in asked] + [["man"], ["completions", "bash"]]
    code = f"from outflow_tui.cli import main\nimport sys\nfor words in {asked!r}: main(words)\n"
    code += "assert not {'textual', 'sqlalchemy.orm', 'psycopg2', 'outflow_core.db_verbs'} & set(sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
