"""Settings become one engine for each database and role, made when it is first needed."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from weakref import WeakSet

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from outflow_core.errors import BindError, SourceError
from outflow_core.routing import keep_to_bind
from outflow_core.settings import Credentials, Database, Settings

Role = Literal["user", "admin"]
BUSY_SECONDS = 30.0
CONNECT_SECONDS = 5
LOCK_SECONDS = 10
"""For how long the recorder waits on PostgreSQL for a table that somebody else holds."""
STATEMENT_SECONDS = 30
ANSWER_SECONDS = STATEMENT_SECONDS + 5
"""How long the recorder waits for a server that says nothing at all, not even that it was too slow."""
PING_SECONDS = 5
WORK_SECONDS = 10
"""After how long it is asked whether a server lives that changes tables: that may take hours."""
CHANGE_LOCK_SECONDS = 3
"""For how long a change of tables waits for who uses them, less than those who read them wait for it."""
_LOCKED_BY = (
    f"somebody has not committed for {BUSY_SECONDS:.0f} s; if it is a session of this process, let it commit before "
    "the task ends"
)


def postgresql_url(database: Database, credentials: Credentials | None) -> URL:
    """The URL of a PostgreSQL database for one role; libpq fills in what is left out."""
    host = database.host
    query = dict(database.options)
    named = {"sslmode": database.sslmode, "service": database.service}
    query |= {name: value for name, value in named.items() if value}
    if database.schema:
        query = {**query, "options": search_path(database.schema)}
    if host and host.startswith("/"):  # a Unix socket's directory, which a URL's host part cannot hold
        query, host = {**query, "host": host}, None
    return URL.create(
        "postgresql+psycopg2",
        username=credentials.name if credentials else None,
        password=credentials.password if credentials else None,
        host=host,
        port=database.port,
        database=database.database,
        query=query,
    )


def search_path(schema: str) -> str:
    """The option by which a name without a schema means that schema, and no other.

    Were `public` searched too, the version table of another bind there would be taken for this one's.
    """
    name = '"' + schema.replace('"', '""') + '"'
    return "-csearch_path=" + re.sub(r"([\\\s])", r"\\\1", name)


def make_engine(database: Database, role: Role = "user", *, create: bool = False) -> Engine:
    """An engine that writes, for one role; nothing is contacted yet.

    With `create` a missing SQLite file is made, otherwise using the engine raises SourceError.
    """
    if database.path is not None:
        return create_engine("sqlite://", creator=_sqlite_creator(database.path, create), poolclass=QueuePool)
    credentials = database.admin if role == "admin" else database.login
    return create_engine(postgresql_url(database, credentials), connect_args=habits_of(database), pool_pre_ping=True)


def habits_of(database: Database) -> dict[str, Any]:
    """How a connection that writes behaves where neither the configuration nor the environment says otherwise."""
    said = {name for name, _ in database.options}
    said |= {"connect_timeout"} if os.environ.get("PGCONNECT_TIMEOUT") else set()
    habits: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "outflow_core"}
    habits |= {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
    return {name: value for name, value in habits.items() if name not in said}


def be_impatient(engine: Engine) -> None:
    """Let the statements of a PostgreSQL engine give up when somebody holds a table, or the server does not answer."""
    if engine.dialect.name != "postgresql":
        return
    ping = engine.dialect.do_ping

    def prompt(dialect: Any, record: Any, arguments: Any, named: dict[str, Any]) -> None:
        from outflow_core.deadlines import answered_within

        named["connection_factory"] = answered_within(ANSWER_SECONDS)

    def limit(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'; SET statement_timeout = '{STATEMENT_SECONDS}s'")
        connection.commit()

    def ping_promptly(dbapi_connection: Any) -> bool:
        with dbapi_connection.within(PING_SECONDS):
            return ping(dbapi_connection)

    event.listen(engine, "do_connect", prompt)
    event.listen(engine, "connect", limit)
    engine.dialect.do_ping = ping_promptly  # type: ignore[method-assign]


def be_bounded(engine: Engine) -> None:
    """Let no wait of a PostgreSQL engine go on for ever, for a lock or for a server that hangs; work may last.

    Who waits for a table has all that come later wait behind; PGOPTIONS may say another `lock_timeout`.
    """
    if engine.dialect.name != "postgresql":
        return

    def prompt(dialect: Any, record: Any, arguments: Any, named: dict[str, Any]) -> None:
        from outflow_core.deadlines import answered_within

        named["connection_factory"] = answered_within(WORK_SECONDS, may_last=True)

    def limit(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_catalog.set_config('lock_timeout', %s, false) "
                "WHERE pg_catalog.current_setting('lock_timeout') = '0'",
                (f"{CHANGE_LOCK_SECONDS}s",),
            )
        connection.commit()

    event.listen(engine, "do_connect", prompt)
    event.listen(engine, "connect", limit)


def _sqlite_creator(path: Path, create: bool) -> Callable[[], sqlite3.Connection]:
    """Connections to a file that must be there: SQLite itself would silently make an empty one."""
    mode = "rwc" if create else "rw"

    def connect() -> sqlite3.Connection:
        if not create and not path.exists():
            raise SourceError(f"{path}: no such database; run 'outflow-db upgrade' to make it.")
        try:
            return sqlite3.connect(sqlite_uri(path, mode), uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
        except sqlite3.OperationalError as error:
            raise SourceError(f"{path}: cannot be opened: {error}.") from None

    return connect


def sqlite_uri(path: Path, options: str) -> str:
    """A `file:` URI for SQLite; `?`, `#` and `%` in the path are quoted."""
    return f"{path.absolute().as_uri()}?mode={options}"


class Engines:
    """The engines of one configuration, by bind key and role; safe in threads, and new ones after a fork."""

    def __init__(self, settings: Settings, *, is_recorder: bool = False) -> None:
        self.settings = settings
        self._is_recorder = is_recorder
        self._made: dict[tuple[str, Role, int], Engine] = {}
        self._lock = threading.Lock()
        _made_here.add(self)

    def renew_lock(self) -> None:
        """In a child that was forked off: whoever held the lock is not in this process."""
        self._lock = threading.Lock()

    def engine(self, key: str, role: Role = "user") -> Engine:
        """The engine of one bind and role; the admin role must be named in the configuration."""
        database = self.settings.database(key)
        if role == "admin" and database.path is None and database.admin is None:
            raise BindError(
                f"{self.settings.path}: database {key!r} has no admin role; add 'admin: name:password' to it, "
                "or ask whoever keeps the database to do this."
            )
        with self._lock:
            place = (key, role, os.getpid())
            if place not in self._made:
                engine = make_engine(database, role)
                keep_to_bind(engine, key)
                if self._is_recorder:
                    be_impatient(engine)
                self._made[place] = engine
            return self._made[place]

    def dispose(self) -> None:
        """Close every connection that this process opened."""
        with self._lock:
            for (_, _, pid), engine in self._made.items():
                engine.dispose(close=pid == os.getpid())
            self._made.clear()


_made_here: WeakSet[Engines] = WeakSet()


def _after_in_child() -> None:
    for engines in tuple(_made_here):
        engines.renew_lock()


os.register_at_fork(after_in_child=_after_in_child)


def driver_words(error: BaseException) -> str:
    """What a driver says of a failure, on one line, without the statement or its values."""
    origin: Any = getattr(error, "orig", None) or error
    said = getattr(getattr(origin, "diag", None), "message_primary", None) or str(origin)
    words = " ".join(line.strip() for line in said.splitlines() if line.strip()) or type(origin).__name__
    return f"{words} ({_LOCKED_BY})" if words == "database is locked" else words
