"""Which statements go over a whole large table, as the database explains them: none should, but for the sweep."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.live import private
from benchmarks.ratios import Figure, bound
from benchmarks.reads import Bare, complete
from benchmarks.registry import Bench, figures
from benchmarks.writer import Books
from outflow_core import block_queries
from outflow_tui.snapshot import Focus
from outflow_tui.source import BooksSource

LARGE = re.compile(r"\bSCAN (?:outflow_block|outflow_runtime_exception|outflow_edge)\b")


@figures("plans")
def plans(bench: Bench) -> Iterator[Figure]:
    """Scans of large tables by what is asked for, without an index and with ours."""
    for kind, name in (("delete", "SQLite without index"), ("indexed", "SQLite, our indexes")):
        with private(bench, "d", kind) as place:
            source, books = complete(place), Books(place)
            failed = books.rows("SELECT id FROM outflow_block WHERE state = 'failed' AND type = 'task' LIMIT 1")[0][0]
            asked: dict[str, Callable[[], Any]] = {
                "a tick": partial(source.look, Focus()),
                "the details of a failed task": partial(source.look, Focus(1, failed)),
                "a window": partial(block_queries.blocks_of, source._reader, 1, after=failed, count=50),
            }
            books.change(0.0)
            for what, ask in asked.items():
                scans = [text for text in said(source, ask) if LARGE.search(plan(place, text))]
                yield bound(f"scans of {what}, {name}", [len(scans)], wanted="0", limit=0, unit="statements")
            books.close()
            source.close()


def said(source: BooksSource, ask: Callable[[], Any]) -> list[str]:
    """The statements that something sends, with their values."""
    connection: Any = source._reader._connection
    driver: sqlite3.Connection = connection.connection.driver_connection
    found: list[str] = []
    driver.set_trace_callback(found.append)
    ask()
    driver.set_trace_callback(None)
    return [text for text in found if text.startswith("SELECT")]


def plan(place: str, statement: str) -> str:
    """How SQLite means to answer a statement; a walk along the primary key that ends soon is no scan."""
    bare = Bare(place)
    lines = [str(row[-1]) for row in bare.rows(f"EXPLAIN QUERY PLAN {statement}")]
    bare.close()
    return "" if "LIMIT" in statement and "TEMP B-TREE" not in str(lines) else "\n".join(lines)
