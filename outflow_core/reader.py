"""Reader: one read-only connection to one database of books, opened when first needed and again after a failure."""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Executable, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from outflow_core.engines import CONNECT_SECONDS, driver_words, postgresql_url, search_path
from outflow_core.errors import SourceError
from outflow_core.prepared import Prepared
from outflow_core.read_gate import GATE
from outflow_core.routing import keep_to_bind
from outflow_core.server_words import way_out
from outflow_core.settings import Database
from outflow_core.shapes import columns_by_table, process_columns, refuse_unknown_shape
from outflow_core.sqlite_file import SqliteFile, sqlite_words

STATEMENT_SECONDS = 15
ANSWER_SECONDS = STATEMENT_SECONDS + 5
"""How long to wait for a server that says nothing at all, not even that it was too slow."""
PULSE_SECONDS = 5
"""The same for the cheapest question: a server that hangs is found by it, most of the time."""
LOCK_SECONDS = 5
"""How long to wait for a table that somebody holds, as a migration does."""
TRIES = 10
"""How often a read is tried that finds the file changed under it."""


_PULSE = text("SELECT CAST(txid_current_snapshot() AS text)")
_SMALL_CACHE = "PRAGMA cache_size = -200"
"""SQLite keeps 200 kB of pages instead of 2 MB: each commit of a writer makes them worthless."""
_SHAPE = "PRAGMA schema_version"
"""A number that SQLite changes whenever a table is made, altered or dropped."""
_IDENTITY = text(
    "SELECT d.oid, to_regclass('outflow_run')::oid, to_regclass('outflow_block')::oid "
    "FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()"
)
"""Which database this is, and which tables: what is dropped and made again has other numbers."""


class Reads(Protocol):
    """Whatever can be asked for the rows of a statement: a Reader, or a pipeline's own RoutedSession."""

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """The rows of a statement, fetched whole; `values` are those of its parameters."""


class Reader:
    """Reads one database and can do nothing else; every failure is a SourceError in words.

    Each statement is its own short read, fetched whole: no transaction stays open between two.
    """

    def __init__(self, database: Database, *, copy: bool = False) -> None:
        self.database = database
        self.name = database.shown
        self._identity: Hashable = None
        self._file = SqliteFile(database.path, copy=copy) if database.path is not None else None
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._shape: Hashable = None
        self._prepared: dict[Executable, Prepared] = {}

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """The rows of a statement about the books; one with `values` was made once and is not looked at again."""
        return self._ask(statement, values)

    def has_processes(self) -> bool:
        """Whether our table of processes is there; an upgrade can make it at any time."""
        question, number = process_columns(self.database.dialect)
        return int(self._ask(question, {})[0][0]) == number

    def pulse(self) -> Hashable:
        """A value that changes whenever the books do; the cheapest question there is."""
        with GATE.reading():
            if self._file is not None and self._connection is None and (told := self._file.brief_pulse()) is not None:
                return told
            driver: Any = self._connected().connection.driver_connection
            if self._file is not None:
                return self._file_pulse(self._file, driver)
            with driver.within(PULSE_SECONDS):
                return str(self._read(_PULSE, {})[0][0])

    def _file_pulse(self, file: SqliteFile, driver: Any) -> Hashable:
        try:
            return file.brief_pulse() or file.pulse(driver)
        except Exception as error:
            raise self._failure(error) from None

    @property
    def identity(self) -> Hashable:
        """Changes when another database has taken this one's place: nothing known before holds then."""
        return self._file.generation if self._file is not None else self._identity

    def _ask(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        with GATE.reading():
            return self._read(statement, values)

    def _read(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        for _ in range(TRIES):
            is_old = self._connection is not None
            try:
                rows = self._fetched(self._connected(), statement, values)
            except DBAPIError as error:
                was_cut = is_old and error.connection_invalidated and not _is_silence(error)  # most likely by a restart
                if self._is_steady() and not was_cut and not self._gets_lenient(error):
                    raise self._failure(error) from None
            except (UnicodeError, ValueError, OverflowError) as error:
                raise SourceError(
                    f"{self.name}: holds or was asked for a value that cannot be read: {error}."
                ) from None
            else:
                if self._is_steady():
                    return rows
            self.close()
        raise SourceError(f"{self.name}: changes all the time while it is read; trying again may do.")

    def _fetched(
        self, connection: Connection, statement: Executable, values: Mapping[str, Any] | None
    ) -> Sequence[Any]:
        """All rows; of a statement that was made once without what SQLAlchemy does for each execution."""
        if values is None:
            return connection.execute(statement).all()
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = Prepared(statement, connection.dialect)
        return prepared.rows(connection, values)

    def _gets_lenient(self, error: DBAPIError) -> bool:
        """Whether to try again, reading what is no UTF-8 as well as it goes, which is slower."""
        if self._file is None or self._file.is_lenient or "decode to UTF-8" not in str(error.orig):
            return False
        self._file.is_lenient = True
        return True

    def _is_steady(self) -> bool:
        return self._file is None or self._file.was_steady()

    def _connected(self) -> Connection:
        if self._connection is not None and self._file is not None and self._reopens():
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _reopens(self) -> bool:
        assert self._file is not None
        try:
            return self._file.must_reopen()
        except SourceError:
            self.close()
            raise

    def _connect(self) -> Connection:
        if self._engine is None:
            self._engine = self._make_engine()
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        except DBAPIError as error:
            raise self._failure(error) from None
        try:
            self._refuse_unknown_shape(connection)
            if self._file is None:
                self._identity = tuple(connection.execute(_IDENTITY).one())
        except (DBAPIError, UnicodeError, sqlite3.Error) as error:  # of a damaged file not even names of tables
            connection.close()
            raise self._failure(error) from None
        except SourceError:
            connection.close()
            raise
        return connection

    def _refuse_unknown_shape(self, connection: Connection) -> None:
        """Raise SchemaError unless the tables are those of Outflow; they are read again when they have changed."""
        shape = None
        if self._file is not None:
            driver: Any = connection.connection.driver_connection
            driver.execute(_SMALL_CACHE)
            shape = self._file.generation, *driver.execute(_SHAPE).fetchone()
        if shape is None or shape != self._shape:
            refuse_unknown_shape(columns_by_table(connection), self.name)
            self._shape = shape

    def _make_engine(self) -> Engine:
        engine = self._plain_engine()
        keep_to_bind(engine, self.database.key)
        return engine

    def _plain_engine(self) -> Engine:
        if self._file is not None:
            return create_engine("sqlite://", creator=self._file.connect, poolclass=NullPool)
        from outflow_core.deadlines import answered_within

        url, habits = postgresql_url(self.database, self.database.login), _reading(self.database)
        habits["connection_factory"] = answered_within(ANSWER_SECONDS)
        # no transaction from the first word on: hstore would be looked for in one, and the server's habits too
        never = {"isolation_level": "AUTOCOMMIT", "use_native_hstore": False}
        return create_engine(url, poolclass=NullPool, connect_args=habits, **never)

    def _failure(self, error: Exception) -> SourceError:
        """The failure in words; the connection is given up, so that the next question opens a new one."""
        self.close()
        if self._file is not None:
            return SourceError(sqlite_words(self._file.path, getattr(error, "orig", None) or error))
        self._engine = None  # what it was made from, such as a password file, may be put right meanwhile
        from outflow_core.exposure import passed_over

        words, closed = driver_words(error).rstrip("."), passed_over(self.database)
        hint = f"; others have rights on {closed}, so it is not used: chmod 600 {closed}" if closed else ""
        return SourceError(f"Cannot read {self.name}: {words}{hint if 'password' in words else ''}{way_out(words)}")

    def let_go(self) -> None:
        """A look is over: until the next one nothing is held that its owner is to have for himself."""
        if self._file is not None and self._file.is_brief:
            with GATE.reading():
                self.close()

    def close(self) -> None:
        """Close the connection; the next question opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except DBAPIError:
                connection.invalidate()
        if self._file is not None:
            self._file.let_go()


def _reading(database: Database) -> dict[str, Any]:
    """How a connection behaves that only reads: what is said here holds whatever the configuration says."""
    from outflow_core.exposure import passed_over

    options = "-c default_transaction_read_only=on"
    options += f" -c statement_timeout={1000 * STATEMENT_SECONDS:.0f} -c lock_timeout={1000 * LOCK_SECONDS:.0f}"
    if database.schema:
        options += f" {search_path(database.schema)}"
    closed = passed_over(database)  # libpq would complain of it in the middle of the screen
    return {
        **({"passfile": f"{closed}/nowhere"} if closed else {}),
        "application_name": "outflow-tui",
        "connect_timeout": int(dict(database.options).get("connect_timeout", 0)) or CONNECT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "options": options,
        "target_session_attrs": _server_wanted(database),
        "tcp_user_timeout": 1000 * STATEMENT_SECONDS,
    }


def _is_silence(error: DBAPIError) -> bool:
    """Whether the server did not answer: to ask again at once would take as long again."""
    from outflow_core.deadlines import NoAnswerError

    return isinstance(error.orig, NoAnswerError)


def _server_wanted(database: Database) -> str:
    """Which of several servers: one for writing is found by its not being read-only, which this session is."""
    wanted = dict(database.options).get("target_session_attrs", "any")
    return "primary" if wanted == "read-write" else wanted
