"""Fresh books to test with: configurations and databases, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Engine, Table, select, text

from outflow_core import tables
from outflow_core.engines import make_engine
from outflow_core.settings import Database, Settings, read_settings

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
DIALECTS = (SQLITE, POSTGRESQL)

patient = settings(deadline=None)
"""For properties: a busy machine is no failure."""


@contextmanager
def running(script: str, argument: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python script in a process of its own, from the moment it has printed a line; killed at the end."""
    command = [sys.executable, "-c", script, str(argument)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None and child.stdout.readline()
            yield child
        finally:
            child.kill()


_WRITES = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size=5")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE outflow_run SET command_name = 'torn'")
connection.execute("INSERT INTO outflow_configuration (config, settings, hash) "
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
    "SELECT hex(randomblob(200)), '{}', hex(randomblob(16)) FROM n")
print("inside", flush=True)
time.sleep(600)
"""


def kill_a_writer(file: Path) -> None:
    """Somebody gets SIGKILL in a transaction that is half written: beside the SQLite file stays a hot journal."""
    with running(_WRITES, file):
        pass
    assert file.with_name(f"{file.name}-journal").stat().st_size > 512


def entry(request: pytest.FixtureRequest, dialect: str, file: str = "books.db") -> dict[str, str]:
    """A database without tables, as an entry of `databases:` names it."""
    if dialect == SQLITE:
        return {"dialect": SQLITE, "path": file}
    found: dict[str, str] = request.getfixturevalue("postgres_database")
    return found


def configure(folder: Path, databases: Mapping[str, Mapping[str, str]], **content: Any) -> Settings:
    """The settings of a new configuration file with these databases."""
    path = folder / "config.json"
    path.write_text(json.dumps({"databases": databases, **content}), encoding="utf-8")
    path.chmod(0o600)  # it holds passwords
    return read_settings(path)


def fresh_books(request: pytest.FixtureRequest, folder: Path, dialect: str, **content: Any) -> Settings:
    """A configuration whose default database holds the empty tables of Outflow."""
    found = configure(folder, {"default": entry(request, dialect)}, **content)
    make_tables(found.database())
    return found


def make_tables(database: Database) -> None:
    """Make Outflow's tables, owned by the admin role and usable by the user role."""
    engine = make_engine(database, "admin", create=True)
    tables.metadata.create_all(engine, tables=tables.OUTFLOW_TABLES)
    grant(engine, database)
    engine.dispose()


def rows(books: Settings, table: Table) -> list[dict[str, Any]]:
    """Everything in a table of the books, oldest first, as another process would see it."""
    engine = make_engine(books.database())
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
    engine.dispose()
    return found


@contextmanager
def locked(books: Settings) -> Iterator[None]:
    """Somebody holds the SQLite file of the books for a while."""
    other = sqlite3.connect(str(books.database().path), isolation_level=None, timeout=60, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("COMMIT")
        other.close()


def grant(engine: Engine, database: Database) -> None:
    """Give the user role its data rights on all tables there are."""
    if database.user is None:
        return
    with engine.begin() as connection:
        for what in ("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE, SELECT ON ALL SEQUENCES"):
            connection.execute(text(f'GRANT {what} IN SCHEMA public TO "{database.user.name}"'))
