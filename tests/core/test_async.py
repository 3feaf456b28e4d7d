"""What a pipeline written with asyncio can do: the recorder and the session work in threads of its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from outflow_core import block_queries, context, record_run, tables
from outflow_core.engines import Engines
from outflow_core.models import Configuration
from outflow_core.reader import Reader
from outflow_core.session import RoutedSession
from outflow_core.settings import Settings
from tests.core.books import DIALECTS, fresh_books


@pytest.fixture(params=DIALECTS)
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Empty books, open in `context`."""
    settings = fresh_books(request, tmp_path, request.param)
    context.open(settings)
    yield settings
    context.close()


def reduce(number: int) -> RoutedSession:
    """One piece of work, in a thread: a task of the run that goes on, and a row of its own."""
    assert context.run is not None
    with context.run.task(f"reduce {number}"):
        context.session.add(Configuration(config={"n": number}, settings={}, hash=f"h{number}"))
        context.session.commit()
    return context.session


async def test_pieces_of_work_in_threads_belong_to_the_run_that_awaits_them(books: Settings) -> None:
    with record_run("reduce", config=books) as run:
        await asyncio.gather(*(asyncio.to_thread(reduce, number) for number in range(4)))
        assert context.run is run
    reader = Reader(books.database())
    blocks = block_queries.blocks_of(reader, run.id)
    assert {(block.name, block.state.value) for block in blocks} == {(f"reduce {n}", "success") for n in range(4)}
    assert len(reader.rows(select(tables.configuration.c.id))) == 5
    reader.close()


async def test_the_loop_goes_on_while_a_thread_waits_for_a_database(books: Settings) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.to_thread(lambda: context.session.query(Configuration).all())
    counting.cancel()
    assert turns > 1


async def test_a_session_is_of_its_thread_not_of_the_loop(books: Settings) -> None:
    here = context.session
    with record_run("reduce", config=books):
        assert await asyncio.to_thread(reduce, 1) is not here


async def test_two_runs_that_are_awaited_at_once_keep_apart(books: Settings) -> None:
    async def pipeline(name: str, number: int) -> int:
        with record_run(name, config=books) as run:
            await asyncio.sleep(0)
            await asyncio.to_thread(reduce, number)
            assert context.run is run
            return run.id

    runs = await asyncio.gather(pipeline("first", 1), pipeline("second", 2))
    reader = Reader(books.database())
    names = [[block.name for block in block_queries.blocks_of(reader, run)] for run in runs]
    assert names == [["reduce 1"], ["reduce 2"]]
    reader.close()


async def test_an_exception_in_a_thread_is_recorded_and_reaches_who_awaits_it(books: Settings) -> None:
    def fail() -> None:
        assert context.run is not None
        with context.run.task("reduce"):
            raise ValueError("dark frame")

    with pytest.raises(ValueError, match="dark frame"):
        with record_run("reduce", config=books) as run:
            await asyncio.to_thread(fail)
    reader = Reader(books.database())
    assert [block.state.value for block in block_queries.blocks_of(reader, run.id)] == ["failed"]
    reader.close()


async def test_a_session_of_ones_own_serves_one_thread_after_the_other(books: Settings) -> None:
    engines = Engines(books)
    with RoutedSession(engines) as session:
        session.add(Configuration(config={}, settings={}, hash="h"))
        await asyncio.to_thread(session.commit)
        assert await asyncio.to_thread(session.query(Configuration).count) == 1
    engines.dispose()
