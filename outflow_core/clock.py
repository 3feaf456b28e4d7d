"""The database's own clock in UTC, for statements on both dialects: the hosts that write need not agree on the time.

SQLite has no server: there it is the clock of whoever runs the statement.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class UtcNow(FunctionElement[datetime]):
    """This moment, as the tables keep it: UTC, without a time zone."""

    type = DateTime()
    inherit_cache = True


class SecondsSince(FunctionElement[float]):
    """How many seconds ago a column's time was; less than none for one in the future."""

    type = Float()
    inherit_cache = True


class SecondsBetween(FunctionElement[float]):
    """How many seconds lie between two columns' times; none where one is no time."""

    type = Float()
    inherit_cache = True


@compiles(UtcNow, "sqlite")
def _now_on_sqlite(element: UtcNow, compiler: Any, **options: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f', 'now')"


@compiles(UtcNow, "postgresql")
def _now_on_postgresql(element: UtcNow, compiler: Any, **options: Any) -> str:
    return "timezone('utc', now())"


@compiles(SecondsSince, "sqlite")
def _since_on_sqlite(element: SecondsSince, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"((julianday('now') - julianday({column})) * 86400.0)"


@compiles(SecondsSince, "postgresql")
def _since_on_postgresql(element: SecondsSince, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"CAST(extract(epoch FROM timezone('utc', now()) - {column}) AS double precision)"


@compiles(SecondsBetween, "sqlite")
def _between_on_sqlite(element: SecondsBetween, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(round((julianday({end}) - julianday({start})) * 86400000.0) / 1000.0)"


@compiles(SecondsBetween, "postgresql")
def _between_on_postgresql(element: SecondsBetween, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in element.clauses)
    seconds = f"CAST(extract(epoch FROM {end} - {start}) AS double precision)"
    return f"(CASE WHEN isfinite({start}) AND isfinite({end}) THEN {seconds} END)"
