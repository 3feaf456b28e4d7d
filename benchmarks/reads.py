"""What reading costs in the core, without a screen: windows, all counts, an idle look, causes; against bare drivers."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median
from typing import Any

import psycopg2

from benchmarks.ratios import Figure, bound, of_pairs, timed
from benchmarks.registry import Bench, figures
from outflow_core import block_queries, exception_queries
from outflow_core.reader import Reader
from outflow_core.sources import find_database
from outflow_tui.snapshot import Focus
from outflow_tui.source import BooksSource

WINDOW = 50
BARE_WINDOW = (
    "SELECT id, type, name, state, start_time, end_time, hostname, parent_id FROM outflow_block "
    "WHERE id > {after} ORDER BY id LIMIT 50"
)
BARE_COUNTS = "SELECT run_id, state, count(*) FROM outflow_block WHERE type = 'task' GROUP BY run_id, state"


class Bare:
    """A bare driver's connection, each statement a transaction of its own."""

    def __init__(self, place: str) -> None:
        self._connection: Any
        if "://" in place:
            self._connection = psycopg2.connect(place)
            self._connection.autocommit = True
        else:
            self._connection = sqlite3.connect(f"file:{place}?mode=ro", uri=True, isolation_level=None)
        self._cursor = self._connection.cursor()

    def rows(self, statement: str) -> list[Any]:
        """The rows of a statement, all of them."""
        self._cursor.execute(statement)
        return list(self._cursor.fetchall())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def repeated(work: Callable[[], object], times: int = 20) -> float:
    """Seconds of one of several repetitions: the middle one."""
    return median(timed(work) for _ in range(times))


@figures("window")
def windows(bench: Bench) -> Iterator[Figure]:
    """Fifty rows at the beginning, in the middle and at the end of a run, of a thousand tasks and of a million."""
    for what, many, few in (
        ("SQLite", str(bench.books.sqlite("c")), str(bench.books.sqlite("thousand"))),
        (
            "SQLite, our indexes",
            str(bench.books.sqlite("c", "indexed")),
            str(bench.books.sqlite("thousand", "indexed")),
        ),
        ("PostgreSQL", bench.books.postgresql("c"), bench.books.postgresql("thousand")),
    ):
        large, small, bare = _Windows(many), _Windows(few), Bare(many)
        to_bare, to_few = [], []
        for _ in range(bench.rounds(7)):
            for part in (0.0, 0.5, 0.99):
                statement = BARE_WINDOW.format(after=large.place(part))
                seconds = large.seconds(part)
                to_bare.append((repeated(partial(bare.rows, statement)), seconds))
                to_few.append((small.seconds(part), seconds))
        bare.close()
        yield of_pairs(f"window of 50 rows, {what}", to_bare, wanted="7 x the bare statement", limit=7)
        yield of_pairs(f"the same, 1,000,000 against 1,000, {what}", to_few, wanted="1.3 x (the same)", limit=1.3)
        milliseconds = [1000 * ours for _, ours in to_bare]
        yield bound(f"window of 50 rows, {what}", milliseconds, wanted="1 ms", limit=1, unit="ms")
        large.close()
        small.close()


class _Windows:
    """Windows of the only run of a database, as a screen would ask for them."""

    def __init__(self, place: str) -> None:
        self._reader = Reader(find_database(place))
        bare = Bare(place)
        ((self._last,),) = bare.rows("SELECT max(id) FROM outflow_block")
        bare.close()

    def place(self, part: float) -> int:
        """The id before a window at a part of the run."""
        return int(self._last * part)

    def seconds(self, part: float) -> float:
        """Seconds for one window."""
        after = self.place(part)
        return repeated(lambda: block_queries.blocks_of(self._reader, 1, after=after, count=WINDOW))

    def close(self) -> None:
        self._reader.close()


@figures("counts")
def counts(bench: Bench) -> Iterator[Figure]:
    """From opening a database to the counts of all its runs, against one GROUP BY over everything."""
    places = [(f"SQLite ({name})", str(bench.books.sqlite(name))) for name in "abc"]
    places += [("SQLite (c), our indexes", str(bench.books.sqlite("c", "indexed")))]
    places += [("PostgreSQL (c)", bench.books.postgresql("c"))]
    for what, place in places:
        taken = []
        for _ in range(bench.rounds(3)):
            bare = Bare(place)
            taken.append((timed(partial(bare.rows, BARE_COUNTS)), timed(partial(completed, place))))
            bare.close()
        yield of_pairs(f"all counts complete, {what}", taken, wanted="1.3 x one bare GROUP BY", limit=1.3)


def completed(place: str) -> None:
    """Read everything there is, once."""
    complete(place).close()


def complete(place: str, focus: Focus = Focus()) -> BooksSource:  # noqa: B008
    """A source that has read everything there is."""
    source = BooksSource(find_database(place))
    while (snapshot := source.look(focus)).is_reading or not snapshot.is_complete:
        pass
    return source


@figures("idle-tick")
def idle_tick(bench: Bench) -> Iterator[Figure]:
    """A look of the poller's thread when nothing has changed: what it costs, and how many statements it is."""
    for what, place, question in (
        ("SQLite", str(bench.books.sqlite("a")), "PRAGMA data_version"),
        ("PostgreSQL", bench.books.postgresql("a"), "SELECT 1"),
    ):
        source, bare = complete(place), Bare(place)
        focus = Focus()
        source.look(focus)
        with ThreadPoolExecutor(1) as poller:  # in the main thread a look has signals wait too
            pairs = [
                (
                    repeated(partial(bare.rows, question), 50),
                    poller.submit(repeated, partial(source.look, focus), 50).result(),
                )
                for _ in range(bench.rounds(7))
            ]
        if what == "PostgreSQL":
            ((number,),) = bare.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'outflow-tui'")
            yield bound(
                "connections of a watched database, PostgreSQL", [number], wanted="1", limit=1, unit="connections"
            )
        bare.close()
        yield of_pairs(f"idle look, {what}", pairs, wanted="8 x the bare round trip", limit=8)
        yield bound(
            f"statements of an idle look, {what}", [float(statements(source))], wanted="1", limit=1, unit="statements"
        )
        source.close()


def statements(source: BooksSource) -> int:
    """How many statements a look sends to the database."""
    connection: Any = source._reader._connection
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        found: list[str] = []
        driver.set_trace_callback(found.append)
        source.look(Focus())
        driver.set_trace_callback(None)
        return len(found)
    return _server_statements(driver, source)


def _server_statements(driver: Any, source: BooksSource) -> int:
    """By what the server's own counter of this session's transactions says: each statement is one."""
    cursor = driver.cursor()
    numbers = []
    for _ in range(2):
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        numbers.append(int(cursor.fetchone()[0]))
        if len(numbers) == 1:
            source.look(Focus())
    return numbers[1] - numbers[0] - 2


@figures("causes")
def causes(bench: Bench) -> Iterator[Figure]:
    """The failed tasks of the run of a million, by cause: seconds of processor."""
    from outflow_core import failures

    reader = Reader(find_database(str(bench.books.sqlite("c"))))
    failed = [
        row[0] for row in Bare(str(bench.books.sqlite("c"))).rows("SELECT id FROM outflow_block WHERE state='failed'")
    ]
    seconds = []
    for _ in range(bench.rounds(3)):
        blocks = block_queries.blocks_by_id(reader, 1, failed)
        start = time.thread_time()
        exceptions = exception_queries.exceptions_of(reader, failed)
        found = failures.causes(failures.Failure(row, exceptions[row.id][-1]) for row in blocks)
        seconds.append(time.thread_time() - start)
        assert sum(len(cause.tasks) for cause in found) == len(failed)
    reader.close()
    yield bound(f"causes of {len(failed):,} failures", seconds, wanted="2 s of CPU", limit=2, unit="s")
