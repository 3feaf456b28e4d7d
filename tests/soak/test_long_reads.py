"""A read that goes on for too long is ended: a writer beside it commits before its own time is up."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from outflow_core import run_queries, sqlite_file
from outflow_core.errors import SourceError
from outflow_core.reader import Reader
from outflow_core.sources import find_database
from tests.fixtures import copy_of

LONG = text("SELECT count(*) FROM outflow_block a, outflow_block b, outflow_block c WHERE a.name < b.name")
"""Some hours of work."""


def commit(path: Path) -> int:
    """A change by somebody who waits as long as Outflow does; how many rows it changed."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as books:
        return books.execute("UPDATE outflow_block SET hostname = 'n1' WHERE id = 1").rowcount


def test_a_writer_commits_beside_a_read_that_would_take_hours(tmp_path: Path) -> None:
    folder = copy_of("maps", tmp_path)
    reader = Reader(find_database(str(folder)))
    before = run_queries.runs(reader, count=0)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(reader.rows, LONG, {})
        assert commit(folder / "outflow.db") == 1
        with pytest.raises(SourceError, match="went on for more than 2 s and was ended"):
            read.result()
    assert run_queries.runs(reader, count=0) == before
    reader.close()


def test_a_file_that_nobody_writes_is_read_for_as_long_as_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "HELD_SECONDS", 0.0)
    folder = copy_of("maps", tmp_path)
    with closing(sqlite3.connect(folder / "outflow.db")) as books:
        books.execute("PRAGMA journal_mode = wal")
    some = text("SELECT count(*) FROM outflow_block a, outflow_block b WHERE b.id < 40")
    at_rest, live = Reader(find_database(str(folder))), Reader(find_database(str(copy_of("kinds", tmp_path))))
    assert at_rest.rows(some, {})[0][0] > 100_000
    with pytest.raises(SourceError, match="was ended"):
        live.rows(text("SELECT count(*) FROM outflow_block a, outflow_block b, outflow_block c"), {})
    at_rest.close()
    live.close()
