"""Compares a pipeline's models with its database, and writes the revision that would settle what they disagree on.

Only the tables of the models are looked at: whatever else a database holds is never compared, changed or dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection, Table, create_engine

from outflow_core.binds import Model, bind_key_of
from outflow_core.errors import ConfigError, OutflowError, SchemaError
from outflow_core.schema.operations import polish, render_type
from outflow_core.schema.owner import looking, words_before_looking
from outflow_core.schema.pipeline_models import model_modules, pipeline_tables
from outflow_core.schema.reports import NO_MIGRATIONS, UP_TO_DATE, RevisionReport
from outflow_core.schema.revisions import BOOKS, Migrations, alembic_at_work
from outflow_core.schema.upgrades import chosen, status
from outflow_core.settings import Database, Settings
from outflow_core.tables import OUTFLOW_TABLES

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
    from alembic.runtime.migration import MigrationContext

_NO_MODELS: Final = "add 'models: [survey.models]' to it, the modules that hold the pipeline's models, or give --models"


def write_revisions(
    settings: Settings, message: str, key: str | None = None, models: Sequence[str] = ()
) -> tuple[RevisionReport, ...]:
    """Write a revision for each bind whose database is not what the models say; the database stays as it is.

    ConfigError when the configuration does not name the directory for the scripts, or the models.
    """
    if settings.migrations is None:
        raise ConfigError(
            f"{settings.path}: 'migrations' is missing; add 'migrations: my_migrations' to it, a directory for the "
            "pipeline's own migrations."
        )
    modules = model_modules(settings, models)
    if not modules:
        raise ConfigError(f"{settings.path}: 'models' is missing; {_NO_MODELS}.")
    databases = chosen(settings, key)
    tables = pipeline_tables(settings, modules)
    return tuple(_report_revision(settings, database, of_bind(tables, database.key), message) for database in databases)


def of_bind(tables: Sequence[Table], key: str) -> tuple[Table, ...]:
    """Those of the tables that live in one bind."""
    return tuple(table for table in tables if bind_key_of(table) == key)


def _report_revision(settings: Settings, database: Database, own: Sequence[Table], message: str) -> RevisionReport:
    if not own:
        return RevisionReport(database.key, database.shown, None, "no models for this bind, nothing to do")
    try:
        script = _write_revision(settings, database, own, message)
    except OutflowError as error:
        return RevisionReport(database.key, database.shown, None, str(error), is_trouble=True)
    if script is None:
        return RevisionReport(database.key, database.shown, None, "as the models say, nothing to do")
    return RevisionReport(database.key, database.shown, script, f"wrote {script}")


def _write_revision(settings: Settings, database: Database, own: Sequence[Table], message: str) -> Path | None:
    with _folder_for_scripts((settings.migrations or settings.root) / database.key):
        (stands,) = status(settings, database.key)
        if stands.is_trouble:
            raise SchemaError(stands.words)
        if stands.words not in (UP_TO_DATE, NO_MIGRATIONS):
            raise SchemaError(f"{database.shown}: {stands.words}; run 'outflow-db upgrade' first.")
        migrations = Migrations(settings, database)
        with looking_or_empty(database) as connection, alembic_at_work(database):
            context = comparison(connection, own)
            script = compare(context)
            if script.upgrade_ops is None or script.upgrade_ops.is_empty():
                return None
            return _write(migrations, context, script, own, " ".join(message.split()))


@contextmanager
def _folder_for_scripts(folder: Path) -> Iterator[None]:
    """A bind's folder, which is made when it is not there, and taken away again when nothing was put into it."""
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made: {error.strerror}.") from None
    try:
        yield
    finally:
        if is_new and not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def looking_or_empty(database: Database) -> Iterator[Connection]:
    """The database, or an empty one in memory in place of a file that is not there yet."""
    if not words_before_looking(database):
        with looking(database) as connection:
            yield connection
        return
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def comparison(connection: Connection, own: Sequence[Table]) -> MigrationContext:
    """What alembic compares by: these tables of the models and of the database, and no others."""
    from alembic.runtime.migration import MigrationContext

    names = {table.name for table in own}

    def is_known(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in names

    def is_own(thing: Any, _name: object, kind: str, _reflected: bool, compared: object) -> bool:
        return kind != "table" or thing in own or (thing.name in names and thing.metadata is not Model.metadata)

    options = {"include_name": is_known, "include_object": is_own, "compare_type": True}
    return MigrationContext.configure(connection, opts=options)


def compare(context: MigrationContext) -> MigrationScript:
    """The steps from the database to the models."""
    from alembic.autogenerate import produce_migrations

    assert context.connection is not None
    script = produce_migrations(context, Model.metadata)
    polish(script, context.connection)
    return script


def _write(
    migrations: Migrations, context: MigrationContext, script: MigrationScript, own: Sequence[Table], message: str
) -> Path:
    from alembic.util import rev_id

    imports: list[set[str]] = []
    written = migrations.scripts.generate_revision(
        rev_id(),
        message.replace("\\", "/").replace('"', "'"),  # it becomes the script's docstring
        head=migrations.own_heads or "base",
        version_path=migrations.own_folder,
        depends_on=BOOKS if _needs_books(migrations, own) else None,
        upgrades=_rendered(context, script.upgrade_ops, imports),
        downgrades=_rendered(context, script.downgrade_ops, imports),
        imports="\n".join(sorted(set().union(*imports))),
    )
    assert written is not None
    return Path(written.path)


def _needs_books(migrations: Migrations, own: Sequence[Table]) -> bool:
    """Whether a table refers to one of the books, which must be made before it."""
    books = {table.name for table in OUTFLOW_TABLES}
    return migrations.has_books and any(
        key.target_fullname.partition(".")[0] in books for table in own for key in table.foreign_keys
    )


def _rendered(context: MigrationContext, steps: UpgradeOps | DowngradeOps | None, imports: list[set[str]]) -> str:
    """The steps as Python; `imports` collects the sets of import lines that it needs."""
    from alembic.autogenerate import render_python_code

    def render(kind: str, item: Any, rendering: AutogenContext) -> str | Literal[False]:
        imports.append(rendering.imports)
        return render_type(kind, item, rendering)

    if steps is None:
        return "pass"
    return render_python_code(steps, render_as_batch=True, render_item=render, migration_context=context)
