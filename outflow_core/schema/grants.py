"""Data rights for the user role of a PostgreSQL database, given by the role that owns the tables.

The server itself writes every statement, because its format() quotes any role's or table's name.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Final

from sqlalchemy import Connection, text

from outflow_core.settings import Database

_OWNED = (
    "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND pg_has_role(c.relowner, 'USAGE')"
)
_PARAMETER = re.compile(":(?:role|kept)")
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
    if not _has_two_roles(database):
        return
    role = database.user.name if database.user else ""
    for question in _STATEMENTS:
        statements = connection.execute(text(question), {"role": role, "kept": list(kept)})
        for statement in statements.scalars().all():
            run_plain(connection, statement)


def grants_script(database: Database, kept: tuple[str, ...]) -> str:
    """The SQL that grants the same, as a script for a server that is not at hand; empty where nothing is granted."""
    if not _has_two_roles(database):
        return ""
    role = quoted_text(database.user.name if database.user else "")
    values = {":role": role, ":kept": f"ARRAY[{', '.join(map(quoted_text, kept))}]"}
    mark = _mark_not_in("".join(values.values()))
    return "\n".join(
        f"DO {mark} DECLARE statement text; BEGIN\n"
        f"  FOR statement IN {_PARAMETER.sub(lambda found: values[found[0]], question)}\n"
        "  LOOP EXECUTE statement; END LOOP;\n"
        f"END {mark};"
        for question in _STATEMENTS
    )


def _mark_not_in(words: str) -> str:
    """What ends a text for PostgreSQL, and does not stand in it: a role may have any name."""
    marks = (f"$outflow_grants{number or ''}$" for number in count())
    return next(mark for mark in marks if mark not in words)


def _has_two_roles(database: Database) -> bool:
    user, admin = database.user, database.admin
    return user is not None and admin is not None and user.name != admin.name


def make_schema(connection: Connection, database: Database) -> None:
    """Make the schema that the configuration names; one that is there needs no right to make any."""
    schema = database.schema
    if schema is None or connection.dialect.name != "postgresql":
        return
    if not connection.execute(
        text("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :name"), {"name": schema}
    ).first():
        run_plain(connection, f"CREATE SCHEMA {quoted_name(schema)}")


def run_plain(connection: Connection, statement: str) -> None:
    """Run a statement as it stands: a name in it may hold a percent sign, which the driver takes for a parameter."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def quoted_name(name: str) -> str:
    """A role's, database's or schema's name as SQL wants it.

    >>> print(quoted_name('we"ird'))
    "we""ird"
    """
    return '"' + name.replace('"', '""') + '"'


def quoted_text(words: str) -> str:
    """A text as SQL wants it; backslashes mean themselves, whatever the server's settings.

    >>> print(quoted_text("o'brien"), quoted_text("a\\\\b"))
    'o''brien' E'a\\\\b'
    """
    doubled = words.replace("'", "''")
    return f"'{doubled}'" if "\\" not in words else "E'" + doubled.replace("\\", "\\\\") + "'"
