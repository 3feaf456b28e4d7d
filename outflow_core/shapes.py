"""Recognises books by their tables and columns, and names the versions of Outflow that made others."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, Executable, text

from outflow_core.errors import SchemaError
from outflow_core.tables import OUTFLOW_TABLES, process

_COLUMNS = {
    "sqlite": "SELECT m.name, p.name FROM sqlite_master AS m, pragma_table_info(m.name) AS p WHERE m.type = 'table'",
    "postgresql": (
        "SELECT c.relname, a.attname FROM pg_catalog.pg_class AS c "
        "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid "
        "WHERE c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped "
        "AND pg_catalog.pg_table_is_visible(c.oid) "
        "AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
    ),
}
_NAMES = ", ".join(f"'{column.name}'" for column in process.columns)
_PROCESS_COLUMNS = {
    "sqlite": f"SELECT count(*) FROM pragma_table_info('{process.name}') WHERE name IN ({_NAMES})",
    "postgresql": (
        f"SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass('{process.name}') "
        f"AND attname IN ({_NAMES}) AND NOT attisdropped AND has_table_privilege(attrelid, 'SELECT')"
    ),
}
_PROCESS_STATEMENTS = {dialect: text(words) for dialect, words in _PROCESS_COLUMNS.items()}
_WAY_OUT = "run 'outflow-db upgrade', or Outflow's own 'management db upgrade'"


def columns_by_table(connection: Connection) -> dict[str, set[str]]:
    """The columns of every table that can be seen, by the table's name."""
    found: dict[str, set[str]] = defaultdict(set)
    for table, column in connection.execute(text(_COLUMNS[connection.dialect.name])):
        found[str(table)].add(str(column))
    return dict(found)


def process_columns(dialect: str) -> tuple[Executable, int]:
    """How to ask for the columns of our table of processes that may be read, and how many there should be."""
    return _PROCESS_STATEMENTS[dialect], len(process.columns)


def missing_columns(found: dict[str, set[str]]) -> list[str]:
    """What the books need and the database lacks, as `table.column`."""
    return [
        f"{table.name}.{column.name}"
        for table in OUTFLOW_TABLES
        for column in table.columns
        if column.name not in found.get(table.name, set())
    ]


def refuse_unknown_shape(found: dict[str, set[str]], name: str) -> None:
    """Raise SchemaError, in words, unless the tables are those of Outflow 0.7 to 0.9."""
    missing = missing_columns(found)
    if not missing:
        return
    tables = {table.name for table in OUTFLOW_TABLES}
    if not tables & found.keys() or "outflow_task" in found:
        raise SchemaError(f"{name}: {_describe(set(found))}")
    missing = sorted(tables - found.keys()) or missing
    raise SchemaError(
        f"{name}: the tables are not those of Outflow 0.7 to 0.9: {', '.join(missing[:3])} "
        f"{'is' if len(missing) == 1 else 'are'} missing; wait if it is being upgraded, else {_WAY_OUT}, restore a "
        "backup, or look for a newer outflow-tui."
    )


def _describe(tables: set[str]) -> str:
    for version, signs in (("0.6", {"outflow_task", "outflow_run"}), ("0.3 to 0.5", {"task", "run", "configuration"})):
        if signs <= tables:
            return (
                f"made by Outflow {version}, whose tables this program does not know; on PostgreSQL Outflow 0.9 "
                "upgrades it ('management db upgrade', after a backup), on SQLite it cannot: name a newer database."
            )
    others = sorted(tables - {"alembic_version"})
    seen = f"it holds {', '.join(others[:4])}{', ...' if len(others) > 4 else ''}" if others else "it has no tables"
    return f"no Outflow tables here ({seen}); {_WAY_OUT}, or name another database."
