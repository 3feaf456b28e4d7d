"""Real Outflow 0.9.2 runs a pipeline in an environment of its own while the monitor looks on."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outflow_core import run_counts, run_queries
from outflow_core.reader import Reader
from outflow_core.rows import TaskCounts
from outflow_core.sources import find_database
from outflow_core.states import State
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.source import BooksSource

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / ".venv-outflow" / "bin" / "python"
ITEMS = 120


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Path]:
    """A copy of the pipeline in a directory of its own, its tables made by real Outflow."""
    assert PYTHON.exists(), "real Outflow is not installed; 'make test' does it"
    folder = tmp_path / "pipeline"
    shutil.copytree(HERE / "pipeline", folder)
    yield folder


def outflow(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the pipeline under real Outflow."""
    return subprocess.run([PYTHON, "manage.py", *words], cwd=folder, capture_output=True, text=True, timeout=120)


def monitor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask the monitor for text or JSON, in the pipeline's directory."""
    command = [sys.executable, "-m", "outflow_tui.cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def books_db(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run outflow-db in the pipeline's directory."""
    command = [sys.executable, "-m", "outflow_core.db_cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def made(folder: Path) -> Path:
    """The pipeline with tables that real Outflow made."""
    assert outflow(folder, "management", "db", "upgrade", "head").returncode == 0
    return folder


def test_a_run_is_seen_whole_while_it_happens_and_nothing_is_locked(pipeline: Path) -> None:
    made(pipeline)
    command = [str(PYTHON), "manage.py", "mapped", "--items", str(ITEMS), "--pause", "0.02", "--fail-every", "10"]
    running = subprocess.Popen(command, cwd=pipeline, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    source = BooksSource(find_database(str(pipeline)))
    seen: list[Snapshot] = []
    while running.poll() is None:
        snapshot = source.look(Focus(run_id=1))
        if not seen or snapshot != seen[-1]:
            seen.append(snapshot)
    errors = running.stderr.read() if running.stderr else ""
    last = source.look(Focus(run_id=1))
    source.close()
    assert running.returncode == 0, errors
    assert "locked" not in errors
    states = {line.row.state for snapshot in seen for line in snapshot.runs}
    assert {State.RUNNING, State.SUCCESS} <= states | {last.runs[0].row.state}
    counted = [snapshot.runs[0].tasks for snapshot in seen if snapshot.runs]
    assert len({tasks.done for tasks in counted}) > 10
    assert all(earlier.done <= later.done for earlier, later in zip(counted, counted[1:], strict=False))
    reader = Reader(find_database(str(pipeline)))
    assert last.runs[0].tasks == run_counts.task_counts(reader, [1])[1]
    assert last.runs[0].tasks.failed == ITEMS // 10
    reader.close()


def test_a_failed_run_tells_why_in_every_form(pipeline: Path) -> None:
    made(pipeline)
    assert outflow(pipeline, "plain").returncode == 0
    assert outflow(pipeline, "broken").returncode == 1
    runs = json.loads(monitor(pipeline, "runs", "--json").stdout)
    assert [run["state"] for run in runs] == ["failed", "success"]
    causes = json.loads(monitor(pipeline, "failures", "last:failed", "--json").stdout)
    assert len(causes) == 1
    assert causes[0]["where"]["file"].endswith("survey/tasks.py")
    shown = monitor(pipeline, "show", "last:failed").stdout
    assert causes[0]["type"] in shown
    assert "The above exception was the direct cause of the following exception:" in shown


def test_the_monitor_leaves_the_directory_as_it_was(pipeline: Path) -> None:
    made(pipeline)
    outflow(pipeline, "plain")
    before = {path: path.stat().st_mtime_ns for path in pipeline.iterdir()}
    content = (pipeline / "outflow.db").read_bytes()
    assert monitor(pipeline, "runs").returncode == 0
    assert monitor(pipeline, "show", "last").returncode == 0
    assert {path: path.stat().st_mtime_ns for path in pipeline.iterdir()} == before
    assert (pipeline / "outflow.db").read_bytes() == content


def test_outflow_runs_on_a_database_that_we_made(pipeline: Path) -> None:
    answer = books_db(pipeline, "upgrade")
    assert answer.returncode == 0, answer.stderr
    ran = outflow(pipeline, "plain")
    assert ran.returncode == 0, ran.stderr
    upgraded = outflow(pipeline, "management", "db", "upgrade", "head")
    assert upgraded.returncode == 0, upgraded.stderr
    assert outflow(pipeline, "mapped", "--items", "5").returncode == 0
    runs = json.loads(monitor(pipeline, "runs", "--json").stdout)
    assert [(run["command"], run["state"]) for run in runs] == [("mapped", "success"), ("plain", "success")]


def test_a_database_that_outflow_made_is_adopted_and_nothing_is_lost(pipeline: Path) -> None:
    made(pipeline)
    outflow(pipeline, "plain")
    before = tables_of(pipeline / "outflow.db")
    answer = books_db(pipeline, "upgrade")
    assert answer.returncode == 0, answer.stderr
    after = tables_of(pipeline / "outflow.db")
    assert set(after) - set(before) == {"outflow_core_version", "outflow_core_process"}
    assert {name: after[name] for name in before} == before
    assert outflow(pipeline, "plain").returncode == 0
    assert outflow(pipeline, "management", "db", "upgrade", "head").returncode == 0


def tables_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: list(connection.execute(f'SELECT * FROM "{name}"')) for name in names}
    connection.close()
    return found


def test_our_recorder_writes_where_outflow_writes_and_stores_a_configuration_once(pipeline: Path) -> None:
    made(pipeline)
    assert outflow(pipeline, "plain").returncode == 0
    script = (
        "import json, sqlite3\nfrom outflow_core import record_run\n"
        "books = sqlite3.connect('outflow.db')\n"
        "kept = json.loads(books.execute('select settings from outflow_configuration').fetchone()[0])\n"
        "with record_run('ours', settings=kept) as run:\n"
        "    with run.task('one'):\n"
        "        pass\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=pipeline, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    reader = Reader(find_database(str(pipeline)))
    ours, theirs = run_queries.runs(reader, count=0)
    assert run_counts.task_counts(reader, [ours.id])[ours.id] == TaskCounts(success=1)
    assert ours.configuration_id == theirs.configuration_id
    reader.close()
