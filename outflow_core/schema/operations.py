"""Alembic's operations made fit for a script: differences in words, constraints with names, types of no pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

from sqlalchemy import Column, Connection, Constraint, Enum, ForeignKeyConstraint, Table, inspect
from sqlalchemy.types import TypeDecorator

from outflow_core.schema.grants import quoted_name, quoted_text

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation, MigrationScript, OpContainer

_POSTGRESQL = "from sqlalchemy.dialects import postgresql"
_LONGEST_NAME = 63  # of PostgreSQL
_PLACES = {
    "add_table": "table {0} is missing",
    "add_column": "column {0} is missing",
    "remove_column": "column {0} is in the database only",
    "add_index": "index {0} is missing",
    "remove_index": "index {0} is in the database only",
    "add_constraint": "constraint {0} is missing",
    "remove_constraint": "constraint {0} is in the database only",
    "add_fk": "foreign key {0} is missing",
    "remove_fk": "foreign key {0} is in the database only",
    "modify_type": "column {0}: its type is {1}, the model's is {2}",
    "modify_nullable": "column {0}: nullable is {1}, the model's is {2}",
    "modify_default": "column {0}: its default is {1}, the model's is {2}",
}


def difference_words(script: MigrationScript) -> tuple[str, ...]:
    """What a database and the models disagree on, a phrase for each difference."""
    found = script.upgrade_ops.as_diffs() if script.upgrade_ops else []
    return tuple(_words(*one) for entry in found for one in (entry if isinstance(entry, list) else [entry]))


def _words(kind: str, *about: Any) -> str:
    if kind.startswith("modify_"):
        _, table, column, _, old, new = about
        return _PLACES.get(kind, f"column {{0}}: {kind}").format(f"{table}.{column}", old, new)
    return _PLACES.get(kind, f"{kind} {{0}}").format(_place(about[-1]))


def _place(thing: Any) -> str:
    if isinstance(thing, Table):
        return thing.name
    table = getattr(thing, "table", None)
    columns = ", ".join(column.name for column in getattr(thing, "columns", ()))
    if isinstance(thing, Column):
        return f"{table.name}.{thing.name}" if table is not None else thing.name
    name = f"{thing.name} of " if getattr(thing, "name", None) else ""
    return f"{name}{table.name if table is not None else '?'} ({columns})"


def polish(script: MigrationScript, connection: Connection) -> None:
    """Name the constraints that are added, which SQLite needs; make PostgreSQL's types before they are used."""
    from alembic.operations.ops import CreateTableOp

    assert script.upgrade_ops is not None and script.downgrade_ops is not None
    for step in _steps(script.upgrade_ops):
        _name_constraint(step)
        if isinstance(step, CreateTableOp):
            step.info = {}  # it holds the bind key, which the script's folder says already
    script.upgrade_ops.reverse_into(script.downgrade_ops)
    if connection.dialect.name == "postgresql":
        _make_types(script, connection)


def _steps(container: OpContainer) -> Iterator[MigrateOperation]:
    for step in container.ops:
        if hasattr(step, "ops"):
            yield from _steps(cast("OpContainer", step))
        else:
            yield step


def _name_constraint(step: Any) -> None:
    if not hasattr(step, "constraint_name") or step.constraint_name is not None or not hasattr(step, "to_constraint"):
        return
    constraint: Constraint = step.to_constraint()
    columns = "_".join(getattr(column, "name", str(column)) for column in getattr(constraint, "columns", ()))
    kind = "fk" if isinstance(constraint, ForeignKeyConstraint) else "uq"
    table = getattr(step, "source_table", None) or step.table_name
    step.constraint_name = f"{kind}_{table}_{columns}"[:_LONGEST_NAME]


def _make_types(script: MigrationScript, connection: Connection) -> None:
    """A type belongs to no table: it is made once, before the first, and dropped after the last."""
    from alembic.operations.ops import ExecuteSQLOp

    assert script.upgrade_ops is not None and script.downgrade_ops is not None
    seen: Any = inspect(connection)
    there = {kind["name"] for kind in seen.get_enums()}
    new = {kind.name: kind for kind in _enums(script.upgrade_ops) if kind.name not in there}
    for name, kind in new.items():
        values = ", ".join(map(quoted_text, kind.enums))
        script.upgrade_ops.ops.insert(0, ExecuteSQLOp(f"CREATE TYPE {quoted_name(name or '')} AS ENUM ({values})"))
        script.downgrade_ops.ops.append(ExecuteSQLOp(f"DROP TYPE {quoted_name(name or '')}"))


def _enums(container: OpContainer) -> Iterator[Enum]:
    """The named types of the columns that are added, alone or with their table."""
    for step in _steps(container):
        added = [getattr(step, "column", None), *getattr(step, "columns", ())]
        for column in added:
            kind = getattr(column, "type", None)
            if isinstance(kind, Enum) and _is_named_type(kind):
                yield kind


def _is_named_type(kind: Enum) -> bool:
    return kind.native_enum and bool(kind.name)


def render_type(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """A type of the pipeline's own as the type beneath it: a script must run when the pipeline has moved on."""
    if kind != "type":
        return False
    if isinstance(item, TypeDecorator):
        from alembic.autogenerate.render import _repr_type

        return _repr_type(item.impl_instance, context)
    if isinstance(item, Enum) and _is_named_type(item) and context.dialect.name == "postgresql":
        context.imports.add(_POSTGRESQL)
        return f"postgresql.ENUM({', '.join(map(repr, item.enums))}, name={item.name!r}, create_type=False)"
    if type(item).__module__.startswith("sqlalchemy.dialects.postgresql"):
        return _render_postgresql(item, context)
    return False


def _render_postgresql(item: Any, context: AutogenContext) -> str | Literal[False]:
    """A type of PostgreSQL, also where SQLite is compared: alembic leaves the types inside it unqualified there."""
    from alembic.runtime.migration import MigrationContext

    rendered = MigrationContext.configure(dialect_name="postgresql").impl.render_type(item, context)
    if rendered:
        context.imports.add(_POSTGRESQL)
    return rendered
