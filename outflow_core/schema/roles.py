"""The two roles of a PostgreSQL database and the database itself: as SQL to read, or made by somebody who may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from outflow_core.engines import be_bounded, driver_words, habits_of, postgresql_url
from outflow_core.errors import ConfigError, SourceError
from outflow_core.schema.grants import quoted_name, quoted_text, run_plain
from outflow_core.schema.reports import MadeRow
from outflow_core.settings import Credentials, Database, Settings
from outflow_core.sources import find_database

_PLACEHOLDER = "'...'"
_PUBLIC_IS_OWNED = 15  # since then only a database's owner may make tables in its public schema
_CLOSE_PUBLIC = "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
_MAINTENANCE = "postgres"
_MADE = "made"


@dataclass(frozen=True, slots=True)
class _Role:
    """A role to be made; who may make databases owns this one."""

    login: Credentials
    is_owner: bool

    def statement(self, password: str | None) -> str:
        """The SQL that makes the role; the password is given as SQL wants it."""
        secret = f"PASSWORD {password} " if password else ""
        rights = "CREATEDB" if self.is_owner else "NOCREATEDB"
        return f"CREATE USER {quoted_name(self.login.name)} {secret}NOSUPERUSER {rights} NOCREATEROLE INHERIT"


def roles_sql(settings: Settings, key: str | None = None) -> str:
    """The SQL that makes the roles and the databases, without passwords: `'...'` stands for each to be filled in."""
    made: set[tuple[object, ...]] = set()
    lines: list[str] = []
    for database in _servers(settings, key):
        server = (database.host, database.port)
        lines.append(f"-- {database.key}: {_place(database)}")
        things = [("role", role.login.name, _role_lines(role)) for role in _roles(settings, database)]
        things.append(("database", database.database or "", _database_lines(settings, database)))
        for kind, name, statements in things:
            lines += [] if (server, kind, name) in made else statements
            made.add((server, kind, name))
    return "\n".join(lines)


def _role_lines(role: _Role) -> list[str]:
    has_password = role.login.password is not None
    note = [] if has_password else [f"-- {_one_line(role.login.name)}: no password in the configuration"]
    return [*note, f"{role.statement(_PLACEHOLDER if has_password else None)};"]


def _database_lines(settings: Settings, database: Database) -> list[str]:
    older = f"-- in that database, if the server is older than PostgreSQL {_PUBLIC_IS_OWNED}: {_CLOSE_PUBLIC};"
    return [f"{_create_database(settings, database)};", older]


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _place(database: Database) -> str:
    return _one_line(replace(database, user=None).shown)


def _create_database(settings: Settings, database: Database) -> str:
    owner = next(role for role in _roles(settings, database) if role.is_owner)
    return f"CREATE DATABASE {quoted_name(database.database or '')} WITH OWNER {quoted_name(owner.login.name)}"


def _servers(settings: Settings, key: str | None) -> Sequence[Database]:
    """The PostgreSQL databases that are meant; ConfigError when there is none."""
    if key is not None and settings.database(key).path is not None:
        raise ConfigError(f"{settings.path}: database {key!r} is a SQLite file, which knows no roles.")
    meant = [settings.database(key)] if key is not None else list(settings.databases.values())
    servers = [database for database in meant if database.path is None]
    if not servers:
        raise ConfigError(f"{settings.path}: all databases are SQLite files, which know no roles.")
    for database in servers:
        if database.database is None:
            raise ConfigError(
                f"{settings.path}: database {database.key!r} has no name to make it by; add 'database: NAME'."
            )
    return servers


def _roles(settings: Settings, database: Database) -> tuple[_Role, ...]:
    """The user's role and the owner's; one alone is both."""
    user, admin = database.user, database.admin
    owner = admin or user
    if owner is None:
        raise ConfigError(
            f"{settings.path}: database {database.key!r} names no role; add 'admin: name:password' and "
            "'user: name:password' to it."
        )
    if user is None or user.name == owner.name:
        return (_Role(owner, is_owner=True),)
    return (_Role(user, is_owner=False), _Role(owner, is_owner=True))


def make_roles(settings: Settings, key: str | None, maker: str) -> tuple[MadeRow, ...]:
    """Make what is missing, as `maker`: a postgresql:// URL, or a role of the same server; the rest stays as it is."""
    return tuple(
        row for database in _servers(settings, key) for row in _make_for(settings, database, _as(database, maker))
    )


def _as(database: Database, maker: str) -> Database:
    """The server as its keeper reaches it."""
    if "://" in maker:
        keeper = find_database(maker)
        if keeper.path is not None:
            raise ConfigError("--as names a SQLite file; give a postgresql:// URL, or the name of a role.")
        return replace(keeper, database=keeper.database or _MAINTENANCE)
    name, colon, password = maker.partition(":")
    login = Credentials(name, password if colon else None)
    return replace(database, user=login, admin=None, database=_MAINTENANCE)


def _make_for(settings: Settings, database: Database, keeper: Database) -> Iterator[MadeRow]:
    with _connected(keeper) as connection:
        for role in _roles(settings, database):
            yield MadeRow(database.key, f"role {role.login.name}", _make_role(connection, role))
        words = _make_database(connection, settings, database)
        version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10000
    if words == _MADE and version < _PUBLIC_IS_OWNED:
        with _connected(replace(keeper, database=database.database)) as connection:
            run_plain(connection, _CLOSE_PUBLIC)
    yield MadeRow(database.key, f"database {database.database}", words)


def _make_role(connection: Connection, role: _Role) -> str:
    found = connection.execute(
        text("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = :name"), {"name": role.login.name}
    )
    if found.first():
        return "there already, left as it is"
    password = None if role.login.password is None else quoted_text(_scrambled(connection, role.login))
    run_plain(connection, role.statement(password))
    return _MADE if password else f"{_MADE}, without a password"


def _scrambled(connection: Connection, login: Credentials) -> str:
    """The password as the server keeps it: in clear it would stand in the server's log."""
    from psycopg2.extensions import encrypt_password

    driver: Any = connection.connection.driver_connection
    return encrypt_password(login.password or "", login.name, driver)


def _make_database(connection: Connection, settings: Settings, database: Database) -> str:
    query = "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = :name"
    owner = connection.execute(text(query), {"name": database.database}).scalar()
    if owner is not None:
        return f"there already, owned by {owner}, left as it is"
    run_plain(connection, _create_database(settings, database))
    return _MADE


@contextmanager
def _connected(keeper: Database) -> Iterator[Connection]:
    """A connection on which each statement is done at once; failures are SourceErrors in words."""
    engine = create_engine(
        postgresql_url(keeper, keeper.user),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args=habits_of(keeper),
    )
    be_bounded(engine)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise SourceError(f"{keeper.shown}: {driver_words(error)}; what was made before stays.") from error
    finally:
        engine.dispose()
