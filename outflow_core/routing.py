"""Which database a statement belongs to; refuses one that spans two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, TextClause
from sqlalchemy.sql import visitors

from outflow_core.errors import BindError


def tables_in(clause: Any) -> Iterator[Table]:
    """Every table that a statement names, through aliases, joins and subqueries; some more than once."""
    for element in visitors.iterate(clause):
        selectable: Any = getattr(element, "table", element)
        while not isinstance(selectable, Table) and hasattr(selectable, "element"):
            selectable = selectable.element
        if isinstance(selectable, Table):
            yield selectable
        elif selectable is not element and selectable is not None and hasattr(selectable, "get_children"):
            yield from tables_in(selectable)


def bind_of(clause: Any) -> str | None:
    """The one bind key of a statement's tables, None when it names no table.

    Raises BindError when the tables live in several databases.
    """
    homes = {str(table.info.get("bind_key", "default")): table.name for table in tables_in(clause)}
    if len(homes) > 1:
        places = " and ".join(f"{name!r} (bind {key!r})" for key, name in sorted(homes.items()))
        raise BindError(
            f"One statement cannot reach two databases: {places}. Query each on its own and join the results in Python."
        )
    return next(iter(homes), None)


def is_raw(clause: Any) -> bool:
    """Whether there is raw SQL in a statement, whose tables cannot be seen."""
    return any(isinstance(element, TextClause) for element in visitors.iterate(clause))
