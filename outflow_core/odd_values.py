"""Columns that hold what their type says, whatever somebody put there: SQLite lets anybody store anything anywhere."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, String, Text, cast, func, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class Whole(FunctionElement[int]):
    """The whole number in a column; none where it holds anything else."""

    type = Integer()
    inherit_cache = True


@compiles(Whole)
def _checked_by_the_server(element: Whole, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(Whole, "sqlite")
def _on_sqlite(element: Whole, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"(CASE typeof({column}) WHEN 'integer' THEN {column} END)"


def as_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as the database itself writes it: drivers refuse times and JSON that they cannot express."""
    return cast(column, Text)


def told(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The text in a column that should never be without one."""
    return func.coalesce(as_text(column), "")


def plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as the driver gives it: no conversion that fails on values that nobody foresaw."""
    return type_coerce(column, String)
