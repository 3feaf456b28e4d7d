"""Makes, changes and judges the tables of every bind, each database in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from outflow_core.errors import OutflowError
from outflow_core.schema.adoption import VERSION_TABLE, finds_books, is_ours, refuse_lost_tables
from outflow_core.schema.grants import grant_data_rights, make_schema
from outflow_core.schema.owner import changing, looking, words_before_looking
from outflow_core.schema.reports import (
    NO_MIGRATIONS,
    UP_TO_DATE,
    BindHistory,
    BindReport,
    BindStatus,
    DowngradePlan,
    RevisionRow,
)
from outflow_core.schema.revisions import BOOKS, READ_ONLY_TABLES, Migrations, alembic_at_work
from outflow_core.settings import Database, Settings

_OFFER: Final = "'outflow-db indexes' makes indexes by which the monitor reads large books faster"


@dataclass(frozen=True, slots=True)
class Step:
    """What an upgrade did: the revisions before and after, and whether it adopted the tables of Outflow."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    adopts: bool


def chosen(settings: Settings, key: str | None) -> tuple[Database, ...]:
    """The database of a bind key, or all of them."""
    return tuple(settings.databases.values()) if key is None else (settings.database(key),)


def upgrade(settings: Settings, key: str | None = None) -> tuple[BindReport, ...]:
    """Bring one bind's database, or all of them, to the newest revisions.

    Each is one transaction: it succeeds, or the report says why the database stays as it was.
    """
    return tuple(_report_upgrade(settings, database) for database in chosen(settings, key))


def _report_upgrade(settings: Settings, database: Database) -> BindReport:
    try:
        migrations = Migrations(settings, database)
        if not migrations.heads:
            return BindReport(database.key, database.shown, (), (), NO_MIGRATIONS)
        with changing(database, create=True) as connection:
            step = bring_up(connection, migrations)
    except OutflowError as error:
        return BindReport(database.key, database.shown, (), (), str(error), is_trouble=True)
    offer = _OFFER if step.adopts else ""
    return BindReport(database.key, database.shown, step.before, step.after, _upgrade_words(step), offer=offer)


def bring_up(connection: Connection, migrations: Migrations) -> Step:
    """Upgrade the database of an open transaction to the newest revisions; the rights of the user role too."""
    from alembic import command

    with alembic_at_work(migrations.database):
        make_schema(connection, migrations.database)
        before = migrations.current(connection)
        config = migrations.config({"connection": connection})
        adopts = adoptable(connection, migrations, before)
        if adopts:
            command.stamp(config, BOOKS)
        command.upgrade(config, "heads")
        if migrations.has_books:
            refuse_lost_tables(connection, migrations.database)
        grant_data_rights(connection, migrations.database, READ_ONLY_TABLES)
        return Step(before, migrations.current(connection), adopts)


def adoptable(connection: Connection, migrations: Migrations, current: tuple[str, ...]) -> bool:
    """Whether the tables are there that our first revision would make, without our having made them."""
    if not migrations.has_books or BOOKS in migrations.applied(current):
        return False
    return finds_books(connection, migrations.database)


def _upgrade_words(step: Step) -> str:
    if step.adopts:
        return "adopted the tables that Outflow made"
    if step.before == step.after:
        return f"{UP_TO_DATE}, nothing to do"
    return f"upgraded from {', '.join(step.before)}" if step.before else "tables made"


def downgrade(settings: Settings, key: str, revision: str) -> BindReport:
    """Take one bind's database back to a revision, or by `base` to before the first one.

    Tables that Outflow made stay; of an adopted database only the version table goes.
    """
    from alembic import command

    database = settings.database(key)
    migrations = Migrations(settings, database)
    with changing(database) as connection, alembic_at_work(database):
        before = migrations.current(connection)
        stay = BOOKS in migrations.applied(before) and not is_ours(connection)
        if before:
            command.downgrade(migrations.config({"connection": connection}), revision)
        after = migrations.current(connection)
        if not after:
            connection.execute(text(f"DROP TABLE IF EXISTS {VERSION_TABLE}"))
    words = "nothing to do" if before == after else f"taken back from {', '.join(before)}"
    if stay and BOOKS not in migrations.applied(after):
        words += "; the tables that Outflow made stay"
    return BindReport(key, database.shown, before, after, words)


def plan_downgrade(settings: Settings, key: str, revision: str) -> DowngradePlan:
    """What `downgrade` would undo and lose; nothing is changed."""
    database = settings.database(key)
    migrations = Migrations(settings, database)
    with looking(database) as connection, alembic_at_work(database):
        current = migrations.current(connection)
        undone = migrations.undone(current, revision)
        losses = [f"what the revision {name} made" for name in undone if migrations.is_own(name)]
        if BOOKS in undone and is_ours(connection):
            runs = connection.execute(text("SELECT count(*) FROM outflow_run WHERE id >= 0")).scalar_one()
            losses += [f"all that is recorded of {runs} run{'s' * (runs > 1)}"] if runs else []
    return DowngradePlan(undone, " and ".join(losses))


def status(settings: Settings, key: str | None = None) -> tuple[BindStatus, ...]:
    """How each bind's database stands; nothing is written and no file is made."""
    return tuple(_status_of(settings, database) for database in chosen(settings, key))


def _status_of(settings: Settings, database: Database) -> BindStatus:
    heads: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    try:
        migrations = Migrations(settings, database)
        heads = migrations.heads
        words = words_before_looking(database) if heads else NO_MIGRATIONS
        if not words:
            with looking(database) as connection, alembic_at_work(database):
                current = migrations.current(connection)
                words = _standing(connection, migrations, current)
    except OutflowError as error:
        return BindStatus(database.key, database.shown, current, heads, str(error), is_trouble=True)
    return BindStatus(database.key, database.shown, current, heads, words)


def _standing(connection: Connection, migrations: Migrations, current: tuple[str, ...]) -> str:
    applied = migrations.applied(current)
    if BOOKS in applied:
        refuse_lost_tables(connection, migrations.database)
    elif adoptable(connection, migrations, current):
        return "made by Outflow, not adopted yet"
    if set(migrations.heads) <= set(applied):
        return UP_TO_DATE
    return "needs upgrade" if applied else "no tables yet"


def history(settings: Settings, key: str | None = None) -> tuple[BindHistory, ...]:
    """The revisions of each bind, newest first, and which are applied; nothing is written."""
    return tuple(_history_of(settings, database) for database in chosen(settings, key))


def _history_of(settings: Settings, database: Database) -> BindHistory:
    known: tuple[tuple[str, str], ...] = ()
    try:
        migrations = Migrations(settings, database)
        if not migrations.heads:
            return BindHistory(database.key, database.shown, (), NO_MIGRATIONS)
        known = tuple((script.revision, script.doc) for script in migrations.scripts.walk_revisions())
        applied = _applied_to(database, migrations)
    except OutflowError as error:
        unknown = tuple(RevisionRow(*names, is_applied=None) for names in known)
        return BindHistory(database.key, database.shown, unknown, str(error), is_trouble=True)
    rows = tuple(RevisionRow(*names, is_applied=names[0] in applied) for names in known)
    return BindHistory(database.key, database.shown, rows)


def _applied_to(database: Database, migrations: Migrations) -> tuple[str, ...]:
    if words_before_looking(database):
        return ()
    with looking(database) as connection, alembic_at_work(database):
        return migrations.applied(migrations.current(connection))
