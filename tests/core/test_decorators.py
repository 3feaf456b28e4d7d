"""Functions that record themselves."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from outflow_core import block_queries, context, detail_queries, record_run, run_queries, task, workflow
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
    (run,) = run_queries.runs(reader, count=0)
    found = detail_queries.block_details(reader, block_queries.blocks_of(reader, run.id), run.id)
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


class Quantity:
    """A number with a unit, as of astropy: it has a length in principle."""

    def __len__(self) -> int:
        raise TypeError("'Quantity' object with a scalar value has no len()")

    def __str__(self) -> str:
        return "3.0 m"


class Silent:
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Proxy:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("not bound")


def around() -> Any:
    found: dict[str, Any] = {}
    found["self"] = found
    return found


def nested(depth: int) -> Any:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


ODD = {
    "a number with a unit": (Quantity(), "3.0 m"),
    "without words": (Silent(), "<Silent>"),
    "among others": ({"q": Silent(), "gain": 2}, {"q": "<Silent>", "gain": 2}),
    "a proxy of nothing": (Proxy(), "<Proxy>"),
    "around": (around(), "<dict of 1>"),
    "deep": (nested(100_000), "<list of 1>"),
    "a long number": (10**5000, "<int>"),
    "a longer number": (1 << 10**8, "<int>"),
    "bytes": (b"\xff" * 10**8, "<bytes>"),
    "lists of lists": ([[1.0] * 10_000] * 500, "<list of 500>"),
}


@pytest.mark.parametrize("how", ["decorated", "with", "mapped"])
@pytest.mark.parametrize("what", ODD)
def test_no_argument_is_a_reason_to_fail(books: Settings, what: str, how: str) -> None:
    value, told = ODD[what]
    began = time.monotonic()
    with record_run("night", config=books) as run:
        if how == "decorated":
            task(name="fit")(lambda x: x)(value)
        elif how == "with":
            with run.task("fit", inputs={"x": value, "y": 1}):
                pass
        else:
            with run.workflow("map", inputs=[{"x": value}]) as items:
                assert [outcome.error for outcome in items.map("fit", lambda x: x)] == [None]
    kept = json.loads(blocks(books)["fit"].input_values["x"])
    assert kept == told or (how != "decorated" and what == "lists of lists")
    assert time.monotonic() - began < 10


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

    async def many_later() -> Any:
        yield 1

    class Later:
        async def __call__(self) -> None: ...

    for function in (later, many, many_later, functools.partial(later), functools.partial(many), Later()):
        with pytest.raises(RecordError, match="returns before its work is done"):
            task(function)


def test_partials_and_builtins_are_recorded_with_what_they_are_given(books: Settings) -> None:
    with record_run("night", config=books):
        assert task(functools.partial(fit.__wrapped__, ["a"]))() == 1  # type: ignore[attr-defined]
        assert task(functools.partial(int, base=2))("101") == 5
        assert task(max)(1, 3) == 3
    rows = {
        name: {key: json.loads(value) for key, value in row.input_values.items()} for name, row in blocks(books).items()
    }
    assert rows["fit"] == {"frames": ["a"]}
    assert rows["int"] in ({"args": ["101"], "kwargs": {"base": 2}}, {"x": "101", "base": 2})
    assert rows["max"] == {"args": [1, 3], "kwargs": {}}


class Camera:
    @task
    def expose(self, seconds: float, gain: float = 2.0, *others: int, **options: int) -> float:
        return seconds * gain

    @task
    @classmethod
    def named(cls, name: str) -> str:
        return cls.__name__ + name

    @classmethod
    @task
    def again(cls, name: str) -> str:
        return cls.__name__ + name

    @task
    @staticmethod
    def park(angle: int) -> int:
        return angle

    @staticmethod
    @task
    def home(angle: int) -> int:
        return angle


def test_methods_are_recorded_by_their_arguments_and_defaults(books: Settings) -> None:
    camera = Camera()
    with record_run("night", config=books):
        assert (camera.expose(2), camera.named("A"), camera.again("A")) == (4.0, "CameraA", "CameraA")
        assert (camera.park(3), Camera.home(4)) == (3, 4)
    assert {name: row.input_values for name, row in blocks(books).items()} == {
        "expose": {"seconds": "2", "gain": "2.0"},
        "named": {"name": '"A"'},
        "again": {"name": '"A"'},
        "park": {"angle": "3"},
        "home": {"angle": "4"},
    }


def test_a_call_that_does_not_fit_is_a_task_that_failed(books: Settings) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument"), record_run("night", config=books):
        load()  # type: ignore[call-arg]
    assert blocks(books)["load"].block.state.value == "failed"


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
