"""Whether each bind's database is what the revisions and the pipeline's models say, in words."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table

from outflow_core.errors import OutflowError
from outflow_core.schema.autogenerate import compare, comparison, looking_or_empty, of_bind
from outflow_core.schema.operations import difference_words
from outflow_core.schema.pipeline_models import model_modules, pipeline_tables
from outflow_core.schema.reports import NO_MIGRATIONS, UP_TO_DATE, BindCheck, BindStatus
from outflow_core.schema.revisions import alembic_at_work
from outflow_core.schema.upgrades import status
from outflow_core.settings import Database, Settings


def check(settings: Settings, key: str | None = None, models: Sequence[str] = ()) -> tuple[BindCheck, ...]:
    """Whether each bind's database is what the revisions and the models say; nothing is written."""
    modules = model_modules(settings, models)
    tables = pipeline_tables(settings, modules) if modules else ()
    return tuple(_check_of(settings, stands, tables) for stands in status(settings, key))


def _check_of(settings: Settings, stands: BindStatus, tables: Sequence[Table]) -> BindCheck:
    own = of_bind(tables, stands.key)
    if stands.is_trouble:
        return BindCheck(stands.key, stands.database, (), stands.words, is_trouble=True)
    if stands.words not in (UP_TO_DATE, NO_MIGRATIONS):
        return BindCheck(stands.key, stands.database, (f"{stands.words}: run 'outflow-db upgrade'",), "upgrade due")
    if not own:
        return BindCheck(stands.key, stands.database, (), f"{stands.words}; it has no models to compare")
    try:
        differences = _differences(settings.database(stands.key), own)
    except OutflowError as error:
        return BindCheck(stands.key, stands.database, (), str(error), is_trouble=True)
    words = "models differ: run 'outflow-db revision'" if differences else "as the models say"
    return BindCheck(stands.key, stands.database, differences, words)


def _differences(database: Database, own: Sequence[Table]) -> tuple[str, ...]:
    with looking_or_empty(database) as connection, alembic_at_work(database):
        return difference_words(compare(comparison(connection, own)))
