"""Which database a statement belongs to; refuses one that spans two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, TableClause, TextClause
from sqlalchemy.sql import visitors

from outflow_core.errors import BindError
from outflow_core.homes import known_home

_WAY_OUT = "Query each on its own and join the results in Python."


def tables_in(clause: Any) -> Iterator[TableClause]:
    """Every table that a statement names, through aliases, joins and subqueries."""
    seen: set[int] = set()
    waiting = [clause]
    while waiting:
        for element in visitors.iterate(waiting.pop()):
            if id(element) in seen:
                continue
            seen.add(id(element))
            waiting += _values_of_rows(element)
            selectable: Any = getattr(element, "table", element)
            while not isinstance(selectable, TableClause) and hasattr(selectable, "element"):
                selectable = selectable.element
            if isinstance(selectable, TableClause):
                yield selectable
            elif selectable is not element and id(selectable) not in seen and hasattr(selectable, "get_children"):
                waiting.append(selectable)


def _values_of_rows(element: Any) -> list[Any]:
    """The expressions among the rows of `insert().values([...])`, which SQLAlchemy's own walk passes by."""
    rows = [row for rows in getattr(element, "_multi_values", None) or () for row in rows]
    values = [value for row in rows for value in (row.values() if isinstance(row, dict) else row)]
    return [value for value in values if hasattr(value, "get_children")]


def bind_of(clause: Any) -> str | None:
    """The one bind key of a statement's tables, None when it names none of the models' tables.

    Raises BindError when the tables live in several databases.
    """
    homes = {home: table.name for table in tables_in(clause) if (home := known_home(table)) is not None}
    if len(homes) > 1:
        places = " and ".join(f"{name!r} (bind {key!r})" for key, name in sorted(homes.items()))
        raise BindError(f"One statement cannot reach two databases: {places}. {_WAY_OUT}")
    return next(iter(homes), None)


def is_raw(clause: Any) -> bool:
    """Whether there is raw SQL in a statement, whose tables cannot be seen."""
    return any(isinstance(element, TextClause) for element in visitors.iterate(clause))


def keep_to_bind(engine: Engine, key: str) -> None:
    """Let an engine refuse whatever names a table of another database when it is turned into SQL.

    Only there is everything seen: joins of eager loading, column properties, criteria, expressions in objects.
    """
    compiler: Any = engine.dialect.statement_compiler

    class OneBind(compiler):  # type: ignore[misc]
        def visit_table(self, table: Any, *arguments: Any, **options: Any) -> Any:
            _refuse_stranger(table, key)
            return super().visit_table(table, *arguments, **options)

        def visit_insert(self, insert_stmt: Any, *arguments: Any, **options: Any) -> Any:
            _refuse_stranger(insert_stmt.table, key)
            return super().visit_insert(insert_stmt, *arguments, **options)

    engine.dialect.statement_compiler = OneBind


def _refuse_stranger(table: Any, key: str) -> None:
    home = known_home(table)
    if home not in (None, key):
        raise BindError(
            f"One statement cannot reach two databases: it runs in bind {key!r} and names {table.name!r} "
            f"(bind {home!r}). {_WAY_OUT}"
        )
