"""Maps over executors, runs that several processes share, and runs that are asked to end."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from outflow_core import block_queries, detail_queries, join_run, meant_run, record_run, run_queries
from outflow_core.errors import RecordError
from outflow_core.reader import Reader
from outflow_core.rows import BlockDetail
from outflow_core.settings import Settings
from tests.core.books import DIALECTS, SQLITE, fresh_books

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
    found = detail_queries.block_details(reader, block_queries.blocks_of(reader, run_id), run_id)
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


@pytest.fixture
def file_books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The same, on SQLite: for what does not depend on the database."""
    return fresh_books(request, tmp_path, SQLITE)


def states_of(books: Settings, run_id: int) -> dict[str, int]:
    return dict(Counter(task.block.state.value for task in blocks_of(books, run_id)[1:]))


class Futures:
    """An executor that does at once what it is asked for, in copies as for other processes."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        future: Future[Any] = Future()
        item, *others = arguments
        try:
            future.set_result(function(pickle.loads(pickle.dumps(item)), *others))
        except Exception as error:
            future.set_exception(error)
        return future


class Breaks(Futures):
    """The same, as a pool that breaks: all that has not been done fails by one exception."""

    def __init__(self, at: int) -> None:
        self._left = at
        self._error = BrokenProcessPool("a worker was killed")

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        self._left -= 1
        if self._left >= 0:
            return super().submit(function, *arguments)
        future: Future[Any] = Future()
        future.set_exception(self._error)
        return future


def test_a_pool_that_breaks_costs_little_for_each_item(file_books: Settings) -> None:
    inputs = [{"number": number} for number in range(300)]
    with record_run("night", config=file_books) as run, run.workflow("map", inputs=inputs) as items:
        found = items.map("same", abs_of, Breaks(10))
    assert states_of(file_books, run.id) == {"success": 10, "failed": 290}
    assert len({id(outcome.error) for outcome in found}) == 2
    tracebacks = [task.exception.traceback for task in blocks_of(file_books, run.id) if task.exception]
    assert len(tracebacks) == 290 and max(map(len, tracebacks)) < 3_000


def abs_of(number: int) -> int:
    return abs(number)


class ShutHalfWay(ThreadPoolExecutor):
    """An executor that is shut down while it is handed the items."""

    submitted = 0

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        self.submitted += 1
        if self.submitted == 6:
            self.shutdown()
        return super().submit(function, *arguments, **named)


def test_items_that_an_executor_does_not_take_have_failed_by_that(file_books: Settings) -> None:
    with record_run("night", config=file_books) as run, run.workflow("map", inputs=INPUTS) as items:
        found = items.map("same", abs_of, ShutHalfWay(2))
    assert [outcome.result for outcome in found] == [0, 1, 2, 3, 4] + [None] * 7
    assert {str(outcome.error) for outcome in found[5:]} == {"cannot schedule new futures after shutdown"}
    assert states_of(file_books, run.id) == {"success": 5, "failed": 7}


class BadFrame(Exception):
    """As many are: pickle cannot make it again."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"{file}: {why}")


def saturated(number: int) -> int:
    if number == 5:
        raise BadFrame("n5.fits", "saturated")
    return number


def test_an_exception_that_cannot_be_read_here_fails_only_its_item(file_books: Settings) -> None:
    with record_run("night", config=file_books) as run, executor_of("spawn") as executor:
        with run.workflow("map", inputs=INPUTS) as items:
            found = items.map("saturated", saturated, executor)
    assert [outcome.result for outcome in found] == [None if n == 5 else n for n in range(12)]
    assert repr(found[5].error) == "RuntimeError('BadFrame: n5.fits: saturated')"
    (exception,) = [task.exception for task in blocks_of(file_books, run.id) if task.exception is not None]
    assert exception.type == "BadFrame" and "in saturated" in exception.traceback
    assert found[5].error is not None and run.has_noted(found[5].error)


def test_an_exception_of_a_thread_is_the_one_that_was_raised(file_books: Settings) -> None:
    with record_run("night", config=file_books) as run, ThreadPoolExecutor(2) as executor:
        with run.workflow("map", inputs=INPUTS) as items:
            found = items.map("saturated", saturated, executor)
    assert isinstance(found[5].error, BadFrame)


@dataclass(frozen=True)
class Frozen(Exception):
    """An exception of which no attribute can be set, `__traceback__` neither."""

    number: int


def freeze(number: int) -> None:
    raise Frozen(number)


@pytest.mark.parametrize("executor", [None, Futures()], ids=["here", "elsewhere"])
def test_a_frozen_exception_is_the_outcome_of_its_item(file_books: Settings, executor: Any) -> None:
    with record_run("night", config=file_books) as run, run.workflow("map", inputs=INPUTS[:2]) as items:
        found = items.map("freeze", freeze, executor)
    assert [outcome.error for outcome in found] == [Frozen(0), Frozen(1)]


def test_items_may_come_from_a_generator(file_books: Settings) -> None:
    with record_run("night", config=file_books) as run:
        with run.workflow("map", inputs=({"number": n} for n in range(3)), tasks=(name for name in ["same"])) as items:
            assert [outcome.result for outcome in items.map("same", abs_of)] == [0, 1, 2]
    workflow, *tasks = blocks_of(file_books, run.id)
    assert len(workflow.input_values) == len(tasks) == 3


def test_what_is_no_list_of_names_or_items_is_refused_in_words(file_books: Settings) -> None:
    with record_run("night", config=file_books) as run:
        with pytest.raises(RecordError, match=r"'map': 'tasks' is a list of names; write tasks=\['fit'\]"):
            run.workflow("map", inputs=INPUTS, tasks="fit")
        with pytest.raises(RecordError, match="'inputs' is a list with a mapping for each item"):
            run.workflow("map", inputs={"number": 1})  # type: ignore[dict-item]


@pytest.mark.parametrize("executor", [None, Futures()], ids=["here", "elsewhere"])
@pytest.mark.parametrize("tasks", [(), ("same",)], ids=["unannounced", "announced"])
def test_each_map_has_blocks_of_its_own(file_books: Settings, executor: Any, tasks: tuple[str, ...]) -> None:
    with record_run("night", config=file_books) as run:
        with run.workflow("map", inputs=INPUTS[:2], tasks=tasks) as items:
            for _ in range(2):
                assert [outcome.result for outcome in items.map("same", abs_of, executor)] == [0, 1]
    assert states_of(file_books, run.id) == {"success": 4}


def test_an_item_that_is_tried_again_here_is_another_block(file_books: Settings) -> None:
    inputs = INPUTS[4:6]
    with record_run("night", config=file_books) as run, run.workflow("map", inputs=inputs, tasks=["invert"]) as items:
        items.map("invert", invert, Futures())
        for item in items:
            with item.task("invert"):
                pass
    assert states_of(file_books, run.id) == {"success": 3, "failed": 1}


def test_a_map_uses_the_announced_blocks_that_are_left(file_books: Settings) -> None:
    with record_run("night", config=file_books) as run:
        with run.workflow("map", inputs=INPUTS[:3], tasks=["same"]) as items:
            with next(iter(items)).task("same"):
                pass
            items.map("same", abs_of)
    assert states_of(file_books, run.id) == {"success": 4}


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
    assert meant_run.find_run(reader, str(run.id)).state.value == "success"
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
    (run,) = run_queries.runs(reader, count=0)
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
