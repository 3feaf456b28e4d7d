"""Makes, changes and judges the tables of every bind; the only room that knows alembic."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from outflow_core.adoption import ORIGIN, VERSION_TABLE, finds_books, is_ours, refuse_lost_tables
from outflow_core.errors import OutflowError, SchemaError
from outflow_core.grants import grant_data_rights
from outflow_core.migration_folders import migrations_home, version_folders
from outflow_core.owner import changing, looking
from outflow_core.schema_rows import BindReport, BindStatus, DowngradePlan
from outflow_core.settings import DEFAULT_BIND, Database, Settings

if TYPE_CHECKING:
    from alembic.config import Config

BOOKS: Final = "outflow_0001"
_READ_ONLY_TABLES = (VERSION_TABLE, ORIGIN, "alembic_version")
_NO_MIGRATIONS = "no migrations for this bind"
_ALEMBIC = threading.Lock()  # it keeps what it works on in globals of its modules


def upgrade(settings: Settings, key: str | None = None) -> tuple[BindReport, ...]:
    """Bring one bind's database, or all of them, to the newest revisions.

    Each is one transaction: it succeeds, or the report says why the database stays as it was.
    """
    return tuple(_report_upgrade(settings, database) for database in _chosen(settings, key))


def _chosen(settings: Settings, key: str | None) -> tuple[Database, ...]:
    return tuple(settings.databases.values()) if key is None else (settings.database(key),)


def _report_upgrade(settings: Settings, database: Database) -> BindReport:
    try:
        return _upgrade_bind(settings, database)
    except OutflowError as error:
        return BindReport(database.key, database.shown, (), (), str(error), is_trouble=True)


def _upgrade_bind(settings: Settings, database: Database) -> BindReport:
    from alembic import command

    migrations = _Migrations(settings, database)
    if not migrations.heads:
        return BindReport(database.key, database.shown, (), (), _NO_MIGRATIONS)
    with changing(database, create=True) as connection, _alembic_at_work(database):
        before = migrations.current(connection)
        config = migrations.config(connection)
        adopts = migrations.has_books and BOOKS not in migrations.applied(before) and finds_books(connection, database)
        if adopts:
            command.stamp(config, BOOKS)
        command.upgrade(config, "heads")
        if migrations.has_books:
            refuse_lost_tables(connection, database)
        grant_data_rights(connection, database, _READ_ONLY_TABLES)
        after = migrations.current(connection)
    return BindReport(database.key, database.shown, before, after, _upgrade_words(before, after, adopts))


def _upgrade_words(before: tuple[str, ...], after: tuple[str, ...], adopts: bool) -> str:
    if adopts:
        return "adopted the tables that Outflow made"
    if before == after:
        return "up to date, nothing to do"
    return f"upgraded from {', '.join(before)}" if before else "tables made"


def downgrade(settings: Settings, key: str, revision: str) -> BindReport:
    """Take one bind's database back to a revision, or by `base` to before the first one.

    Tables that Outflow made stay; of an adopted database only the version table goes.
    """
    from alembic import command

    database = settings.database(key)
    migrations = _Migrations(settings, database)
    with changing(database) as connection, _alembic_at_work(database):
        before = migrations.current(connection)
        stay = BOOKS in migrations.applied(before) and not is_ours(connection)
        if before:
            command.downgrade(migrations.config(connection), revision)
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
    migrations = _Migrations(settings, database)
    with looking(database) as connection, _alembic_at_work(database):
        current = migrations.current(connection)
        undone = migrations.undone(current, revision)
        losses = [f"what the revision {name} made" for name in undone if name != BOOKS]
        if BOOKS in undone and is_ours(connection):
            runs = connection.execute(text("SELECT count(*) FROM outflow_run WHERE id >= 0")).scalar_one()
            losses += [f"all that is recorded of {runs} run{'s' * (runs > 1)}"] if runs else []
    return DowngradePlan(undone, " and ".join(losses))


def status(settings: Settings, key: str | None = None) -> tuple[BindStatus, ...]:
    """How each bind's database stands; nothing is written and no file is made."""
    return tuple(_status_of(settings, database) for database in _chosen(settings, key))


def _status_of(settings: Settings, database: Database) -> BindStatus:
    heads: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    try:
        migrations = _Migrations(settings, database)
        heads = migrations.heads
        words = _words_before_looking(database) if heads else _NO_MIGRATIONS
        if not words:
            with looking(database) as connection, _alembic_at_work(database):
                current = migrations.current(connection)
                words = _standing(connection, migrations, current)
    except OutflowError as error:
        return BindStatus(database.key, database.shown, current, heads, str(error), is_trouble=True)
    return BindStatus(database.key, database.shown, current, heads, words)


def _words_before_looking(database: Database) -> str:
    if database.path is None:
        return ""
    if not database.path.exists():
        return "no file yet"
    return "" if database.path.stat().st_size else "no tables yet"


def _standing(connection: Connection, migrations: _Migrations, current: tuple[str, ...]) -> str:
    applied = migrations.applied(current)
    if BOOKS in applied:
        refuse_lost_tables(connection, migrations.database)
    elif migrations.has_books and finds_books(connection, migrations.database):
        return "made by Outflow, not adopted yet"
    if set(migrations.heads) <= set(applied):
        return "up to date"
    return "needs upgrade" if applied else "no tables yet"


class _Migrations:
    """The revisions that concern one bind: ours, and the pipeline's own."""

    def __init__(self, settings: Settings, database: Database) -> None:
        from alembic.script import ScriptDirectory

        self.database = database
        self._folders = version_folders(settings, database.key)
        with _alembic_at_work(database):
            self._scripts = ScriptDirectory.from_config(self.config())
            self.heads = tuple(sorted(self._scripts.get_heads())) if self._folders else ()
        self.has_books = database.key == DEFAULT_BIND

    def config(self, connection: Connection | None = None) -> Config:
        """What alembic wants to know, without an ini file; it works on an open connection."""
        from alembic.config import Config

        config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
        for name, value in (
            ("script_location", str(migrations_home())),
            ("path_separator", "newline"),
            ("version_locations", "\n".join(str(folder) for folder in self._folders)),
        ):
            config.set_main_option(name, value.replace("%", "%%"))
        return config

    def current(self, connection: Connection) -> tuple[str, ...]:
        """The revisions that the database is at, one for each branch; SchemaError for one that has no script."""
        from alembic.runtime.migration import MigrationContext

        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        current = tuple(sorted(context.get_current_heads()))
        for stranger in set(current) - {script.revision for script in self._scripts.walk_revisions()}:
            raise SchemaError(
                f"{self.database.shown}: is at revision {stranger!r}, which has no script here; use the newer version "
                "that made it, or let 'migrations' in the configuration name the right directory."
            )
        return current

    def applied(self, current: Collection[str]) -> tuple[str, ...]:
        """Every revision up to the current ones, newest first."""
        return self.undone(current, "base")

    def undone(self, current: Collection[str], revision: str) -> tuple[str, ...]:
        """The revisions between the current ones and an older one, newest first."""
        if not current:
            return ()
        steps = self._scripts.iterate_revisions(tuple(current), revision, select_for_downgrade=True)
        return tuple(step.revision for step in steps)


@contextmanager
def _alembic_at_work(database: Database) -> Iterator[None]:
    """One thread at a time; whatever a migration's script raises is a SchemaError, the database's own errors pass."""
    try:
        with _ALEMBIC:
            yield
    except (OutflowError, SQLAlchemyError):
        raise
    except Exception as error:  # a pipeline's script may raise anything
        raise SchemaError(f"{database.shown}: {_sentence(error)}; nothing was changed.") from error


def _sentence(error: Exception) -> str:
    from alembic.script.revision import RevisionError
    from alembic.util import CommandError

    words = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, (CommandError, RevisionError)):
        return words
    return f"a migration failed with {type(error).__name__}: {words}"
