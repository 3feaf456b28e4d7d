"""The statements that an upgrade would run, as a script to read, or to hand to whoever keeps the database.

For PostgreSQL alembic writes them down; on SQLite, where a table is changed by copying it, the upgrade is run on a
copy in memory, of the tables without their rows, and what it does is written down.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, create_engine, text

from outflow_core.errors import OutflowError
from outflow_core.schema.grants import grants_script, quoted_name
from outflow_core.schema.owner import UPGRADE_LOCK, looking, words_before_looking
from outflow_core.schema.reports import NO_MIGRATIONS, UP_TO_DATE, BindSql
from outflow_core.schema.revisions import BOOKS, READ_ONLY_TABLES, Migrations, alembic_at_work
from outflow_core.schema.upgrades import adoptable, bring_up, chosen
from outflow_core.settings import Database, Settings

_NO_CHANGE: Final = ("SELECT", "PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "--")


def upgrade_sql(settings: Settings, key: str | None = None, *, from_nothing: bool = False) -> tuple[BindSql, ...]:
    """The script of each bind's upgrade from where its database stands; nothing is changed.

    With `from_nothing` no database is looked at: the script is the one for an empty database.
    """
    return tuple(_sql_of(settings, database, from_nothing) for database in chosen(settings, key))


def _sql_of(settings: Settings, database: Database, from_nothing: bool) -> BindSql:
    try:
        migrations = Migrations(settings, database)
        if not migrations.heads:
            return BindSql(database.key, database.shown, "", NO_MIGRATIONS)
        write = _written_by_alembic if database.path is None else _written_by_trying
        script = write(migrations, from_nothing)
    except OutflowError as error:
        return BindSql(database.key, database.shown, "", str(error), is_trouble=True)
    return BindSql(database.key, database.shown, script, "" if script else UP_TO_DATE)


def _written_by_trying(migrations: Migrations, from_nothing: bool) -> str:
    statements: list[str] = []
    with _copy_of_tables(migrations.database, from_nothing) as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(statements.append)
        try:
            step = bring_up(connection, migrations)
        finally:
            driver.set_trace_callback(None)
    if step.before == step.after:
        return ""
    changes = [statement.strip() for statement in statements if not statement.lstrip().upper().startswith(_NO_CHANGE)]
    return "\n\n".join(["BEGIN IMMEDIATE;", *(f"{change};" for change in changes), "COMMIT;"])


@contextmanager
def _copy_of_tables(database: Database, from_nothing: bool) -> Iterator[Connection]:
    """A database in memory with the tables of a SQLite file, of which only those that hold revisions have rows."""
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            if not from_nothing and not words_before_looking(database):
                with looking(database) as original:
                    _copy(original, connection)
            yield connection
    finally:
        engine.dispose()


def _copy(original: Connection, copy: Connection) -> None:
    makers = original.execute(
        text(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
            "ORDER BY type <> 'table', rowid"
        )
    )
    for maker in makers.scalars().all():
        copy.exec_driver_sql(maker)
    tables = set(original.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    for table in tables.intersection(READ_ONLY_TABLES):
        for (value,) in original.execute(text(f"SELECT * FROM {table}")).all():
            copy.execute(text(f"INSERT INTO {table} VALUES (:value)"), {"value": value})


def _written_by_alembic(migrations: Migrations, from_nothing: bool) -> str:
    current, adopts = _stand(migrations, from_nothing)
    if set(migrations.heads) <= set(migrations.applied(current)):
        return ""
    database, schema = migrations.database, migrations.database.schema
    start = []
    if schema is not None:
        start = [
            f"CREATE SCHEMA IF NOT EXISTS {quoted_name(schema)};",
            f"SET LOCAL search_path TO {quoted_name(schema)};",
        ]
    steps = []
    if adopts:
        steps.append(_offline(migrations, (), BOOKS, stamps=True))
        current = (BOOKS,)
    steps.append(_offline(migrations, current, "heads"))
    grants = grants_script(database, READ_ONLY_TABLES)
    parts = ["BEGIN;", f"{UPGRADE_LOCK};", *start, *steps, grants, "COMMIT;"]
    return "\n\n".join(part for part in map(str.strip, parts) if part)


def _stand(migrations: Migrations, from_nothing: bool) -> tuple[tuple[str, ...], bool]:
    """Where the database stands, and whether an upgrade would adopt the tables of Outflow."""
    if from_nothing:
        return (), False
    with looking(migrations.database) as connection, alembic_at_work(migrations.database):
        current = migrations.current(connection)
        return current, adoptable(connection, migrations, current)


def _offline(migrations: Migrations, current: tuple[str, ...], target: str, *, stamps: bool = False) -> str:
    """What alembic would run from some revisions to another, or to stamp one, written down."""
    from alembic.runtime.environment import EnvironmentContext

    script, buffer = migrations.scripts, io.StringIO()
    config = migrations.config(
        {"dialect_name": "postgresql", "literal_binds": True, "output_buffer": buffer, "transactional_ddl": False}
    )
    steps = script._stamp_revs if stamps else script._upgrade_revs

    def run(revision: Any, _context: object) -> Any:
        return steps(target, revision)

    starting: Any = current or None
    with (
        alembic_at_work(migrations.database),
        EnvironmentContext(config, script, fn=run, as_sql=True, starting_rev=starting, destination_rev=target),
    ):
        script.run_env()
    return buffer.getvalue()
