"""Whose tables a database holds: ours, Outflow's, an older Outflow's, or none of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from outflow_core.errors import SchemaError
from outflow_core.settings import Database
from outflow_core.shapes import columns_by_table, missing_columns, refuse_unknown_shape
from outflow_core.tables import OUTFLOW_TABLES

VERSION_TABLE: Final = "outflow_core_version"
ORIGIN: Final = "outflow_core_origin"
_OLDEST_SHAPE = {"configuration", "run", "task"}


def is_ours(connection: Connection) -> bool:
    """Whether our migrations made the books, rather than adopted them: only then may they be dropped."""
    return ORIGIN in columns_by_table(connection)


def finds_books(connection: Connection, database: Database) -> bool:
    """Whether the tables of Outflow 0.7 to 0.9 are there; SchemaError for those of another version."""
    found = columns_by_table(connection)
    if not any(table.name in found for table in OUTFLOW_TABLES) and not found.keys() >= _OLDEST_SHAPE:
        return False
    refuse_unknown_shape(found, database.shown)
    return True


def refuse_lost_tables(connection: Connection, database: Database) -> None:
    """Raise SchemaError when the books that were made here, or adopted, are not all there any more."""
    missing = missing_columns(columns_by_table(connection))
    if missing:
        raise SchemaError(
            f"{database.shown}: {VERSION_TABLE} says that the tables are there, but {', '.join(missing[:3])} cannot be "
            f"found; restore the database, or drop the table {VERSION_TABLE} and upgrade again."
        )
