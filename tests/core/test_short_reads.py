"""Reads whose statements are short each, however much is asked for, and that count nothing twice when one fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, insert

from outflow_core import edge_queries, exception_queries, slices, table_walk, tables
from outflow_core.book_search import Search
from outflow_core.engines import make_engine
from outflow_core.errors import SourceError
from outflow_core.reader import Reader
from outflow_core.recorder import record_run
from outflow_core.settings import Settings
from outflow_core.states import BlockType, State
from tests.core.books import SQLITE, fresh_books

BLOCKS = 500
"""More than one IN (...) holds."""


class Asked(Reader):
    """A reader that keeps each condition it was asked with, and how many rows it gave; it fails once when told."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.database())
        self.statements: list[tuple[str, int]] = []
        self.fetches = 0
        self.fails_at = -1
        """Which fetch of blocks by their ids fails."""

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        words = str(statement)
        self.fetches += "outflow_block.id IN" in words
        if self.fetches == self.fails_at:
            self.fails_at = -1
            raise SourceError("the disk is slow")
        found = super().rows(statement, values)
        self.statements.append((words.partition("WHERE")[2], len(found)))
        return found


@pytest.fixture
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Books in a file, of one run."""
    made = fresh_books(request, tmp_path, SQLITE)
    with record_run("reduce", config=made, strict=True):
        pass
    return made


@pytest.fixture
def asked(books: Settings) -> Iterator[Asked]:
    """Many blocks in a row, each before the next, each with an exception."""
    block = {"state": State.FAILED, "type": BlockType.TASK, "name": "fit", "run_id": 1}
    engine = make_engine(books.database())
    numbers = range(1, BLOCKS + 1)
    with engine.begin() as connection:
        connection.execute(insert(tables.block), [{"id": n, "uuid": f"u{n}", **block} for n in numbers])
        edges = [{"upstream_block_id": n, "downstream_block_id": n + 1} for n in numbers[:-1]]
        connection.execute(insert(tables.edge), edges)
        said = {"exception_type": "E", "exception_msg": "no", "traceback": "no", "time": datetime(2024, 5, 1)}
        connection.execute(insert(tables.runtime_exception), [{"block_id": n, **said} for n in numbers])
    engine.dispose()
    reader = Asked(books)
    yield reader
    reader.close()


@pytest.mark.parametrize("wanted", [[7], [3, 400], range(1, BLOCKS + 1)], ids=["one", "few", "many"])
def test_the_exceptions_of_blocks_are_looked_for_in_slices(
    asked: Asked, wanted: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE", 100)
    assert sorted(exception_queries.exceptions_of(asked, wanted)) == list(wanted)
    scans = [where for where, _ in asked.statements if "exception.block_id" in where]
    assert len(scans) == BLOCKS / 100 and all("exception.id <=" in where for where in scans)


def test_the_edges_of_many_blocks_are_read_in_stretches(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_queries, "SLICE", 100)
    monkeypatch.setattr(edge_queries, "QUICK_SECONDS", 0.0)
    upstream, downstream = edge_queries.neighbours(asked, range(1, BLOCKS + 1), None)
    assert upstream == {n: [n - 1] if n > 1 else [] for n in range(1, BLOCKS + 1)}
    assert downstream == {n: [n + 1] if n < BLOCKS else [] for n in range(1, BLOCKS + 1)}
    assert max(rows for _, rows in asked.statements) == 100


def test_a_slice_of_a_search_that_is_read_again_counts_its_inputs_once(
    books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first half of its blocks was read when the second could not be."""
    with record_run("reduce", config=books, strict=True) as run:
        for number in range(4):
            with run.task("fit", inputs={"file": f"n{number}.fits"}):
                pass
    monkeypatch.setattr(table_walk, "LETTERS", 1)  # each block is fetched by a statement of its own
    reader = Asked(books)
    reader.fails_at = 3
    search = Search(reader, ".fits")
    with pytest.raises(SourceError, match="the disk is slow"):
        search.go_on(60)
    search.go_on(60)
    items, answer = search._reads.items, search.found().answer
    reader.close()
    assert search.is_over and items == 4
    assert answer is not None and [len(one.newest.inputs) for one in answer.inputs] == [1] * 4
