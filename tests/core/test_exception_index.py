"""The index of exceptions knows what the books say, whatever becomes of them, and no later than its round."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from outflow_core import exception_index, tables
from outflow_core.engines import make_engine
from outflow_core.exception_index import ExceptionIndex
from outflow_core.reader import Reader
from outflow_core.states import BlockType, State
from tests.core.books import DIALECTS, fresh_books

BLOCKS = range(1, 31)
c = tables.runtime_exception.c


class Exceptions:
    """Books with some blocks, and exceptions of them that come and go."""

    def __init__(self, engine: Engine, reader: Reader) -> None:
        self.engine, self.reader = engine, reader
        self.index = ExceptionIndex(reader)

    def do(self, statement: object, rows: object = None) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement, rows)  # type: ignore[call-overload]

    def add(self, *pairs: tuple[int, int | None]) -> None:
        """Exceptions of these ids, each of a block."""
        words = {"exception_type": "OSError", "exception_msg": "", "traceback": "", "time": datetime(2024, 5, 1)}
        self.do(insert(tables.runtime_exception), [{"id": n, "block_id": block, **words} for n, block in pairs])

    def learnt(self, times: int = 1) -> list[tuple[int, int]]:
        """What the index knows after so many looks at changed books."""
        for _ in range(times):
            self.index.again()
            while self.index.learn():
                pass
        return list(self.index.places(BLOCKS))

    def all(self) -> list[tuple[int, int]]:
        with self.engine.connect() as connection:
            query = select(c.id, c.block_id).where(c.block_id.is_not(None)).order_by(c.id)
            return [(row[0], row[1]) for row in connection.execute(query)]


@pytest.fixture(params=DIALECTS)
def exceptions(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exceptions]:
    for name, value in (("SIZE", 8), ("RECENT", 6), ("SWEPT", 5)):
        monkeypatch.setattr(exception_index, name, value)
    books = fresh_books(request, tmp_path, request.param)
    found = Exceptions(make_engine(books.database()), Reader(books.database()))
    found.do(insert(tables.configuration), {"id": 1, "config": {}, "settings": {}, "hash": "x"})
    found.do(insert(tables.run), {"id": 1, "uuid": "r", "state": State.FAILED, "configuration_id": 1})
    block = {"run_id": 1, "type": BlockType.TASK, "name": "t", "state": State.FAILED}
    found.do(insert(tables.block), [{"id": number, "uuid": str(number), **block} for number in BLOCKS])
    yield found
    found.reader.close()
    found.engine.dispose()


def test_what_is_new_is_known_at_once_and_what_was_committed_late_too(exceptions: Exceptions) -> None:
    assert exceptions.learnt() == []
    exceptions.add((1, 9), (2, 3), (5, 9), (6, None))
    assert exceptions.learnt() == [(1, 9), (2, 3), (5, 9)]
    exceptions.add((4, 7), (8, 8))
    assert exceptions.learnt() == exceptions.all()
    assert list(exceptions.index.places([9])) == [(1, 9), (5, 9)]
    assert list(exceptions.index.places([])) == []


def test_nothing_is_asked_while_the_books_do_not_change(exceptions: Exceptions) -> None:
    exceptions.add((1, 1))
    exceptions.learnt()
    exceptions.reader.close()
    exceptions.index._reads = None  # type: ignore[assignment]
    assert not exceptions.index.learn()


def test_ids_that_are_given_again_are_known_anew(exceptions: Exceptions) -> None:
    exceptions.add((1, 1), (2, 2), (3, 3))
    exceptions.learnt()
    exceptions.do(delete(tables.runtime_exception).where(c.id > 1))
    exceptions.learnt()
    exceptions.add((2, 20), (3, 21))
    assert exceptions.learnt() == [(1, 1), (2, 20), (3, 21)]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_is_known_within_one_round(exceptions: Exceptions, seed: int) -> None:
    chance, newest = random.Random(seed), 0
    for _ in range(12):
        ids = [number for number, _ in exceptions.all()]
        free = sorted(set(range(1, newest + 12)) - set(ids))
        exceptions.add(*((number, chance.choice(BLOCKS)) for number in chance.sample(free, 5)))
        newest = max(newest, max(number for number, _ in exceptions.all()))
        if ids and chance.random() < 0.5:
            exceptions.do(delete(tables.runtime_exception).where(c.id.in_(chance.sample(ids, 3))))
        if ids and chance.random() < 0.5:
            exceptions.do(update(tables.runtime_exception).where(c.id == chance.choice(ids)).values(block_id=1))
        exceptions.learnt()
    assert exceptions.learnt(2 * (newest // 5 + 2)) == exceptions.all()
