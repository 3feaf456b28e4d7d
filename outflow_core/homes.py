"""Which database a table lives in."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Table
from sqlalchemy.sql.expression import FromClause

from outflow_core.databases import DEFAULT_BIND
from outflow_core.errors import BindError
from outflow_core.tables import metadata

BIND_KEY = "bind_key"


def bind_key_of(table: Table) -> str:
    """The bind key of a table; one without a model carries it in `info={"bind_key": ...}`, or follows its foreign keys.

    Raises BindError when its foreign keys lead into two databases.
    """
    return _home(table, frozenset()) or DEFAULT_BIND


def known_home(table: FromClause) -> str | None:
    """The bind key of what a statement names, None for what is none of the models' tables: it may be anywhere."""
    if isinstance(table, Table) and (BIND_KEY in table.info or table.metadata is metadata):
        return bind_key_of(table)
    named = metadata.tables.get(str(getattr(table, "fullname", ""))) if not isinstance(table, Table) else None
    return bind_key_of(named) if named is not None else None


def _home(table: Table, asked: frozenset[str]) -> str | None:
    if BIND_KEY in table.info:
        return str(table.info[BIND_KEY])
    homes = {_home(target, asked | {table.name}) or DEFAULT_BIND: target.name for target in _targets(table, asked)}
    if len(homes) > 1:
        places = " and ".join(f"{name!r} (bind {key!r})" for key, name in sorted(homes.items()))
        raise BindError(
            f"The foreign keys of the table {table.name!r} lead into two databases: {places}; no database can hold it."
        )
    return next(iter(homes), None)


def _targets(table: Table, asked: frozenset[str]) -> Iterator[Table]:
    """The tables that the foreign keys lead to, as far as they are declared."""
    for key in table.foreign_keys:
        target = table.metadata.tables.get(key.target_fullname.rpartition(".")[0])
        if target is not None and target is not table and target.name not in asked:
            yield target
