"""Data rights for the user role of a PostgreSQL database, given by the role that owns the tables.

The server itself writes every statement, because its format() quotes any role's or table's name.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from outflow_core.settings import Database

_OWNED = (
    "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND pg_has_role(c.relowner, 'USAGE')"
)
_LATER = "ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT"
_STATEMENTS: Final = (
    "SELECT format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), CAST(:role AS text))",
    "SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %I.%I TO %I', "
    f"n.nspname, c.relname, CAST(:role AS text)) {_OWNED} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
    "SELECT format('REVOKE INSERT, UPDATE, DELETE ON TABLE %I.%I FROM %I', "
    f"n.nspname, c.relname, CAST(:role AS text)) {_OWNED} AND c.relname = ANY(:kept)",
    "SELECT format('GRANT USAGE, SELECT ON SEQUENCE %I.%I TO %I', "
    f"n.nspname, c.relname, CAST(:role AS text)) {_OWNED} AND c.relkind = 'S'",
    f"SELECT format('{_LATER} SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', current_schema(), CAST(:role AS text))",
    f"SELECT format('{_LATER} USAGE, SELECT ON SEQUENCES TO %I', current_schema(), CAST(:role AS text))",
)


def grant_data_rights(connection: Connection, database: Database, kept: tuple[str, ...]) -> None:
    """Let the user role use the owner's tables, present and later ones; those in `kept` it may only read."""
    if database.user is None or database.admin is None or database.user.name == database.admin.name:
        return
    for question in _STATEMENTS:
        statements = connection.execute(text(question), {"role": database.user.name, "kept": list(kept)})
        for statement in statements.scalars().all():
            # a role's name may hold a percent sign, which the driver would take for a parameter
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
