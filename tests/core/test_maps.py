"""Maps over executors, runs that several processes share, and runs that are asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from outflow_core import join_run, queries, record_run
from outflow_core.errors import RecordError
from outflow_core.reader import Reader
from outflow_core.rows import BlockDetail
from outflow_core.settings import Settings
from tests.core.books import DIALECTS, fresh_books

INPUTS = [{"number": number} for number in range(12)]


@pytest.fixture(params=DIALECTS)
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A configuration whose database holds empty tables."""
    return fresh_books(request, tmp_path, request.param)


def invert(number: int) -> float:
    """Fails for one of the items."""
    return 1 / (number - 5)


def vanish(number: int) -> int:
    """Takes its process away for one of the items, as an out-of-memory killer does."""
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def blocks_of(books: Settings, run_id: int) -> list[BlockDetail]:
    reader = Reader(books.database())
    found = queries.block_details(reader, queries.blocks_of(reader, run_id), run_id)
    reader.close()
    return list(found)


def executor_of(kind: str) -> Any:
    if kind == "none":
        return nullcontext()
    if kind == "threads":
        return ThreadPoolExecutor(4)
    return ProcessPoolExecutor(2, mp_context=get_context(kind))


@pytest.mark.parametrize("kind", ["none", "threads", "fork", "spawn"])
def test_every_item_is_recorded_where_it_runs(kind: str, books: Settings) -> None:
    executor: Executor | None
    with record_run("night", config=books) as run, executor_of(kind) as executor:
        with run.workflow("invert_all", inputs=INPUTS) as items:
            found = items.map("invert", invert, executor)
    assert [outcome.inputs["number"] for outcome in found] == list(range(12))
    assert [outcome.result for outcome in found] == [None if n == 5 else 1 / (n - 5) for n in range(12)]
    assert isinstance(found[5].error, ZeroDivisionError)
    workflow, *tasks = blocks_of(books, run.id)
    assert Counter(task.block.state.value for task in tasks) == {"success": 11, "failed": 1}
    assert {task.block.parent_id for task in tasks} == {workflow.block.id}
    assert [task.input_values for task in tasks] == [{"number": str(number)} for number in range(12)]
    (exception,) = [task.exception for task in tasks if task.exception is not None]
    assert exception.type == "ZeroDivisionError"
    assert "in invert" in exception.traceback


def test_a_killed_worker_leaves_no_task_running(books: Settings) -> None:
    with record_run("night", config=books) as run, executor_of("spawn") as executor:
        with run.workflow("vanish_all", inputs=INPUTS) as items:
            found = items.map("vanish", vanish, executor)
    assert found[5].error is not None
    tasks = blocks_of(books, run.id)[1:]
    assert {task.block.state.value for task in tasks} <= {"success", "failed"}
    lost = [task for task in tasks if task.block.state.value == "failed"]
    assert {task.exception.type for task in lost if task.exception} == {"BrokenProcessPool"}
    assert len(lost) <= sum(outcome.error is not None for outcome in found)  # a result may be lost behind its task


def die_once(number: int, folder: str) -> int:
    """Takes its process away the first time that it is asked for the fifth item."""
    mark = Path(folder) / "died"
    if number == 5 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 7:
        raise ValueError("bad frame")
    return number


def test_items_that_dask_tries_again_elsewhere_are_recorded_once(books: Settings, tmp_path: Path) -> None:
    inputs = [{"number": number, "folder": str(tmp_path)} for number in range(12)]
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        with record_run("night", config=books) as run, run.workflow("die_all", inputs=inputs) as items:
            found = items.map("die", die_once, client)
    assert [outcome.result for outcome in found] == [None if n == 7 else n for n in range(12)]
    tasks = blocks_of(books, run.id)[1:]
    assert Counter(task.block.state.value for task in tasks) == {"success": 11, "failed": 1}
    assert all(task.block.end_time is not None for task in tasks)


def test_tasks_announced_before_are_the_ones_that_run(books: Settings) -> None:
    with record_run("night", config=books) as run:
        with run.workflow("invert_all", inputs=INPUTS, tasks=["invert"]) as items:
            items.map("invert", invert)
    assert len(blocks_of(books, run.id)) == 1 + len(INPUTS)


def test_another_process_joins_a_run_by_its_uuid(books: Settings) -> None:
    script = (
        "import sys\nfrom outflow_core import join_run\n"
        "with join_run(sys.argv[1], config=sys.argv[2]) as run:\n    with run.task('part'):\n        pass\n"
    )
    with record_run("night", config=books) as run:
        command = [sys.executable, "-c", script, run.uuid, str(books.path)]
        parts = [subprocess.Popen(command) for _ in range(3)]
        assert [part.wait(60) for part in parts] == [0, 0, 0]
        assert Counter(part.block.name for part in blocks_of(books, run.id)) == {"part": 3}
    reader = Reader(books.database())
    assert queries.find_run(reader, str(run.id)).state.value == "success"
    reader.close()


def test_a_run_that_never_began_cannot_be_joined(books: Settings) -> None:
    with pytest.raises(RecordError, match="no run has the uuid 'nobody'"), join_run("nobody", config=books):
        pass


def test_sigterm_closes_the_run_and_its_task(books: Settings) -> None:
    script = (
        "import sys, time\nfrom outflow_core import record_run\n"
        "with record_run('night', config=sys.argv[1]) as run:\n"
        "    with run.task('long'):\n        print('ready', flush=True)\n        time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(books.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline()
        child.terminate()
        assert child.wait(60) == 143
    reader = Reader(books.database())
    (run,) = queries.runs(reader, count=0)
    reader.close()
    (task,) = blocks_of(books, run.id)
    assert (run.state.value, task.block.state.value) == ("failed", "failed")
    assert task.exception is not None and task.exception.type == "SystemExit"


def test_a_pipeline_that_handles_sigterm_keeps_its_handler(books: Settings) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        mine = signal.getsignal(signal.SIGTERM)
        with record_run("night", config=books):
            assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)
