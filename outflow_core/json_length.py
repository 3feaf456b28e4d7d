"""How many values a JSON list holds, counted by the database: a large one need not be read for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class JsonLength(FunctionElement[int]):
    """The length of the list in a JSON column; none where it holds no list."""

    type = Integer()
    inherit_cache = True


@compiles(JsonLength, "sqlite")
def _on_sqlite(element: JsonLength, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    is_list = f"CASE WHEN json_valid({column}) THEN json_type({column}) = 'array' ELSE 0 END"
    return f"(CASE WHEN {is_list} THEN json_array_length({column}) END)"


@compiles(JsonLength, "postgresql")
def _on_postgresql(element: JsonLength, compiler: Any, **options: Any) -> str:
    column = f"CAST({compiler.process(element.clauses, **options)} AS json)"
    return f"(CASE json_typeof({column}) WHEN 'array' THEN json_array_length({column}) END)"
