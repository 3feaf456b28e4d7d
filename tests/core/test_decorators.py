"""Functions that record themselves."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from outflow_core import context, queries, record_run, task, workflow
from outflow_core.errors import RecordError
from outflow_core.reader import Reader
from outflow_core.rows import BlockDetail
from outflow_core.settings import Settings
from tests.core.books import SQLITE, fresh_books


@pytest.fixture
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A configuration whose database holds empty tables."""
    return fresh_books(request, tmp_path, SQLITE)


def blocks(books: Settings) -> dict[str, BlockDetail]:
    """The blocks of the one run, by name."""
    reader = Reader(books.database())
    (run,) = queries.runs(reader, count=0)
    found = queries.block_details(reader, queries.blocks_of(reader, run.id), run.id)
    reader.close()
    assert len({detail.block.name for detail in found}) == len(found)
    return {detail.block.name: detail for detail in found}


@task
def load(file: str, gain: float = 1.0, **others: Any) -> str:
    """Loads a file."""
    return file.upper()


@task(name="fit the level", plugin="survey")
def fit(frames: list[str]) -> int:
    if not frames:
        raise ValueError("no frames")
    return len(frames)


@workflow
def reduce(files: list[str]) -> int:
    return fit([load(file) for file in files])


def test_a_run_of_decorated_functions_is_recorded_with_its_tree(books: Settings) -> None:
    @record_run("night", config=books)
    def main(files: list[str]) -> int:
        return reduce(files)

    assert main(["a.fits"]) == 1
    found = blocks(books)
    assert {name: detail.block.state.value for name, detail in found.items()} == {
        "reduce": "success",
        "load": "success",
        "fit the level": "success",
    }
    assert found["load"].block.parent_id == found["fit the level"].block.parent_id == found["reduce"].block.id
    assert found["fit the level"].plugin == "survey"


def test_the_arguments_are_the_inputs(books: Settings) -> None:
    with record_run("night", config=books):
        load("a.fits", gain=2.5, mode="fast", password="s3cret")
    inputs = blocks(books)["load"].input_values
    assert inputs["file"] == '"a.fits"' and inputs["gain"] == "2.5"
    assert '"mode": "fast"' in inputs["others"] and "s3cret" not in str(inputs)


def test_an_argument_too_large_for_the_books_is_told_by_its_type(books: Settings) -> None:
    with record_run("night", config=books):
        fit(["x" * 10] * 5_000)
    assert blocks(books)["fit the level"].input_values == {"frames": '"<list of 5000>"'}


def test_a_failure_is_recorded_where_it_happened_and_goes_on(books: Settings) -> None:
    with pytest.raises(ValueError, match="no frames"), record_run("night", config=books):
        reduce([])
    found = blocks(books)
    assert {name: detail.block.state.value for name, detail in found.items()} == {
        "reduce": "failed",
        "fit the level": "failed",
    }
    assert found["fit the level"].exception is not None


def test_a_decorated_function_is_still_the_function_that_it_was() -> None:
    assert load.__doc__ == "Loads a file." and load.__name__ == "load"
    assert load.__wrapped__("a") == "A"  # type: ignore[attr-defined]


def test_outside_of_a_run_a_task_is_refused_in_words() -> None:
    with pytest.raises(RecordError, match=r"'load' was called where no run is being recorded.*record_run"):
        load("a")


def test_after_a_workflow_tasks_stand_beside_it_again(books: Settings) -> None:
    with record_run("night", config=books) as run:
        with run.workflow("first"), run.workflow("second"):
            pass
        load("a")
        assert context.run is run
    assert blocks(books)["load"].block.parent_id is None
    assert context.run is None


def test_a_thread_records_where_it_is_told_of_the_run(books: Settings) -> None:
    with record_run("night", config=books) as run, run.workflow("around"):
        place = contextvars.copy_context()
        thread = threading.Thread(target=place.run, args=(load, "a"))
        thread.start()
        thread.join()
    found = blocks(books)
    assert found["load"].block.parent_id == found["around"].block.id


def calibrate(name: str) -> str:
    """The work of an item, which calls a task of its own."""
    return inner(name)


@task
def inner(name: str) -> str:
    return name * 2


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_tasks_inside_the_items_of_a_map_are_recorded_where_they_run(books: Settings, kind: str) -> None:
    pool = ThreadPoolExecutor(2) if kind == "threads" else ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with record_run("night", config=books) as run, pool:
        with run.workflow("map", inputs=[{"name": "a"}]) as items:
            (found,) = items.map("calibrate", calibrate, pool)
    assert found.result == "aa"
    rows = blocks(books)
    assert rows["inner"].block.parent_id == rows["calibrate"].block.parent_id == rows["map"].block.id


def test_coroutines_and_generators_are_refused_when_they_are_decorated() -> None:
    async def later() -> None: ...

    def many() -> Any:
        yield 1

    for function in (later, many):
        with pytest.raises(RecordError, match="returns before its work is done"):
            task(function)


async def test_tasks_of_an_event_loop_record_side_by_side(books: Settings) -> None:
    async def one(run: Any, number: int) -> None:
        with run.workflow(f"w{number}"):
            await asyncio.sleep(0)
            await asyncio.to_thread(load.__wrapped__, "a")  # type: ignore[attr-defined]
            with context.run.task(f"t{number}") if context.run else pytest.fail("no run"):
                await asyncio.sleep(0)

    with record_run("night", config=books) as run:
        await asyncio.gather(*(one(run, number) for number in range(3)))
        await asyncio.to_thread(load, "a")
    found = blocks(books)
    assert {detail.block.state.value for detail in found.values()} == {"success"} and len(found) == 7
