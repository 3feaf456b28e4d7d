"""Opens a database as its owner: for one transaction that changes its tables, or for one look at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from outflow_core.engines import be_bounded, driver_words, make_engine
from outflow_core.errors import SourceError
from outflow_core.settings import Database
from outflow_core.sqlite_file import SqliteFile, sqlite_words

TURN_SECONDS: Final = 60
"""How long to wait for somebody else who changes tables; nobody waits behind."""
UPGRADE_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('outflow_core_version'))"
_NO_RIGHT: Final = "42501"
_LOCKED: Final = "55P03"
_FIRST_OWN: Final = 16384  # tables with smaller numbers are the server's
_HOLDERS: Final = text(
    "SELECT pid, usename, application_name, max(state) FROM pg_catalog.pg_locks AS l "
    "JOIN pg_catalog.pg_stat_activity AS a USING (pid) "
    "WHERE l.granted AND pid <> pg_catalog.pg_backend_pid() AND a.datname = pg_catalog.current_database() "
    f"AND (l.locktype = 'advisory' OR CAST(l.relation AS bigint) >= {_FIRST_OWN}) "
    "GROUP BY pid, usename, application_name ORDER BY min(a.xact_start) LIMIT 3"
)


@contextmanager
def changing(database: Database, *, create: bool = False) -> Iterator[Connection]:
    """One transaction, tables and rows alike: all of it happens, or nothing; a second one waits for its end.

    With `create` a missing SQLite file is made. Failures are SourceErrors in words.
    """
    if database.path is not None and not database.path.parent.is_dir():
        raise SourceError(f"{database.path.parent}: no such directory; make it, or name another path for the database.")
    engine = make_engine(database, "admin" if database.admin else "user", create=create)
    is_new = database.path is not None and not database.path.exists()
    if database.path is not None:
        _begin_at_once(engine)
    try:
        with _connected(engine, database) as connection, connection.begin():
            if database.path is None:
                _take_turn(connection)
            yield connection
    except DBAPIError as error:
        raise SourceError(f"Cannot change {database.shown}: {_words(database, error)}; nothing was changed.") from error
    finally:
        engine.dispose()
        if is_new and database.path is not None and database.path.exists() and not database.path.stat().st_size:
            database.path.unlink()  # what failed leaves no empty file behind


def _take_turn(connection: Connection) -> None:
    """Wait until nobody else changes the tables, for longer than for those who only use them."""
    usual = connection.execute(text("SHOW lock_timeout")).scalar_one()
    change = text("SELECT pg_catalog.set_config('lock_timeout', :time, true)")
    connection.execute(change, {"time": f"{TURN_SECONDS}s"})
    connection.execute(text(UPGRADE_LOCK))
    connection.execute(change, {"time": usual})


def _begin_at_once(engine: Engine) -> None:
    """Let SQLite's transactions begin with the writer's lock, and hold table changes too."""

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _connected(engine: Engine, database: Database) -> Connection:
    be_bounded(engine)
    try:
        return engine.connect()
    except DBAPIError as error:
        raise SourceError(f"Cannot reach {database.shown}: {driver_words(error)}") from error


def _words(database: Database, error: DBAPIError) -> str:
    """What the database says; who lacks a right is told which role to name, who must wait for whom."""
    diagnosis = getattr(error.orig, "diag", None)
    words = getattr(diagnosis, "message_primary", None) or driver_words(error)
    if getattr(error.orig, "pgcode", None) == _NO_RIGHT and database.admin is None:
        return f"{words} (add 'admin: name:password' to database {database.key!r}, a role that owns its tables)"
    if getattr(error.orig, "pgcode", None) == _LOCKED:
        return f"{words}: {_holders(database)}; try again when that is over"
    return str(words)


def _holders(database: Database) -> str:
    """Who uses tables of a server now."""
    try:
        with looking(database) as connection:
            found = [tuple(row) for row in connection.execute(_HOLDERS)]
    except SourceError:
        found = []
    told = (f"process {pid} ({', '.join(filter(None, of))})" for pid, *of in found)
    return f"the tables are in use by {' and '.join(told)}" if found else "somebody used the tables"


def words_before_looking(database: Database) -> str:
    """What a SQLite file tells without being opened: that it is not there, or empty."""
    if database.path is None:
        return ""
    if not database.path.exists():
        return "no file yet"
    return "" if database.path.stat().st_size else "no tables yet"


@contextmanager
def looking(database: Database) -> Iterator[Connection]:
    """A connection that can change nothing; of SQLite not a byte is written, nor a file made beside it."""
    engine = _reading_engine(database)
    try:
        with _connected(engine, database) as connection:
            yield connection
    except DBAPIError as error:
        words = sqlite_words(database.path, error) if database.path else f"{database.shown}: {_words(database, error)}"
        raise SourceError(words) from error
    finally:
        engine.dispose()


def _reading_engine(database: Database) -> Engine:
    if database.path is not None:
        return create_engine("sqlite://", creator=SqliteFile(database.path).connect, poolclass=NullPool)
    engine = make_engine(database, "admin" if database.admin else "user")
    return engine.execution_options(postgresql_readonly=True)
