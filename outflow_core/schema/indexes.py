"""The indexes that the monitor reads by: made by our migrations, and on request beside the tables of Outflow."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, inspect, text

from outflow_core.errors import SchemaError
from outflow_core.schema.adoption import finds_books
from outflow_core.schema.owner import changing, looking, words_before_looking
from outflow_core.schema.reports import IndexReport
from outflow_core.settings import DEFAULT_BIND, Database, Settings

# what the revision outflow_0002 makes; that script imports nothing of ours, so a test compares the two
INDEXES: Final = {
    "outflow_core_block_run": "outflow_block (run_id, id)",
    "outflow_core_block_state": "outflow_block (run_id, state, type)",
    "outflow_core_edge_downstream": "outflow_edge (downstream_block_id)",
    "outflow_core_exception_block": "outflow_runtime_exception (block_id)",
}


def make_indexes(settings: Settings) -> IndexReport:
    """Make those that are missing from the default database, whoever made its tables.

    Each is a transaction of its own: a pipeline that is writing waits for one index, not for all.
    """
    database = settings.database()
    missing = _missing_from(database)
    for name in missing:
        with changing(database) as connection:
            connection.execute(text(f"CREATE INDEX IF NOT EXISTS {name} ON {INDEXES[name]}"))
    words = f"made {len(missing)} index{'es' * (len(missing) > 1)}" if missing else "all indexes are there"
    return IndexReport(DEFAULT_BIND, database.shown, missing, words)


def _missing_from(database: Database) -> tuple[str, ...]:
    if not words_before_looking(database):
        with looking(database) as connection:
            if finds_books(connection, database):
                return missing_indexes(connection)
    raise SchemaError(f"{database.shown}: no Outflow tables here yet; run 'outflow-db upgrade'.")


def missing_indexes(connection: Connection) -> tuple[str, ...]:
    """Which of the indexes a database lacks."""
    seen = inspect(connection)
    tables = {place.partition(" ")[0] for place in INDEXES.values()}
    there = {index["name"] for table in tables for index in seen.get_indexes(table)}
    return tuple(name for name in INDEXES if name not in there)
