"""Model: the declarative base whose classes each live in one database, named by `__bind_key__`."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase

from outflow_core import tables
from outflow_core.databases import DEFAULT_BIND
from outflow_core.errors import BindError
from outflow_core.homes import BIND_KEY
from outflow_core.homes import bind_key_of as bind_key_of

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def table_name(class_name: str) -> str:
    """The table's name made from its class's name.

    >>> table_name("TableWithoutBind"), table_name("HTTPRequest")
    ('table_without_bind', 'http_request')
    """
    return _WORD_START.sub("_", class_name).lower()


class Model(DeclarativeBase):
    """The base of a pipeline's tables: `__bind_key__` names the database, without it the default one."""

    __abstract__ = True
    metadata = tables.metadata
    __bind_key__: ClassVar[str] = DEFAULT_BIND

    def __init_subclass__(cls, **options: Any) -> None:
        named = _named_key(cls)
        if named is not None and cls.__bind_key__ != named:  # a mixin behind Model has its say too
            cls.__bind_key__ = named
        _refuse_second_home(cls, named)
        own = cls.__dict__.get("__table__")
        if _wants_own_table(cls):
            _claim(cls)
        super().__init_subclass__(**options)
        table = cls.__dict__.get("__table__")
        if isinstance(table, Table):
            brought = table is own
            cls.__bind_key__ = table.info[BIND_KEY] = named or (bind_key_of(table) if brought else DEFAULT_BIND)


def _named_key(cls: type[Model]) -> str | None:
    """The bind key that the class, a base or a mixin of it names."""
    bases = [base for base in cls.__mro__ if base is not Model]
    named = next((base.__dict__["__bind_key__"] for base in bases if "__bind_key__" in base.__dict__), None)
    if not isinstance(named, str) and any("__bind_key__" in base.__dict__ for base in bases):
        raise BindError(f"{_name(cls)}: __bind_key__ must be the text of a key under 'databases', not {named!r}.")
    return named


def _refuse_second_home(cls: type[Model], named: str | None) -> None:
    """Refuse a table that another model has, and a bind that is not that of the table, or of the parent's."""
    own = cls.__dict__.get("__table__")
    if isinstance(own, Table) and any(own is mapper.local_table for mapper in cls.registry.mappers):
        raise BindError(f"{_name(cls)}: the table {own.name!r} has a model already; one table serves one class.")
    is_concrete = dict(cls.__dict__.get("__mapper_args__", ())).get("concrete")
    parents = [] if is_concrete else [base.__dict__.get("__table__") for base in cls.__mro__[1:]]
    for table in (own, *parents):
        if named is None or not isinstance(table, Table):
            continue
        home = table.info.get(BIND_KEY, named)
        if home != named:
            raise BindError(
                f"{_name(cls)}: __bind_key__ is {named!r}, but its table {table.name!r} lives in bind {home!r}; "
                "a model and its parents live in one database."
            )


def _name(cls: type[Model]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _wants_own_table(cls: type[Model]) -> bool:
    """A class gets a table unless it is abstract, brings one, or shares its parent's (no primary key of its own)."""
    own = cls.__dict__
    if own.get("__abstract__") or "__table__" in own:
        return False
    inherits_table = any(hasattr(base, "__table__") for base in cls.__mro__[1:])
    if not inherits_table or "__tablename__" in own:
        return True
    return any(getattr(getattr(value, "column", value), "primary_key", False) is True for value in own.values())


def _claim(cls: type[Model]) -> None:
    """Give the class its table's name; one name serves one class, whatever the bind."""
    declared = getattr(cls, "__tablename__", None)
    inherited = any("__tablename__" in base.__dict__ for base in cls.__mro__[1:] if hasattr(base, "__table__"))
    if "__tablename__" not in cls.__dict__ and (declared is None or inherited):
        cls.__tablename__ = table_name(cls.__name__)
    name = cls.__tablename__
    taken = _table_called(name, cls) if isinstance(name, str) else None
    if taken is not None:
        raise BindError(
            f"{_name(cls)}: the table name {name!r} is taken already, in bind {bind_key_of(taken)!r}; "
            "table names are unique across all binds. Set __tablename__ to another one."
        )


def _table_called(name: str, cls: type[Model]) -> Table | None:
    """The table of this name; SQLite and people do not tell `Star` from `star`."""
    tables = {**Model.metadata.tables, **cls.metadata.tables}
    return next((table for key, table in tables.items() if key.lower() == name.lower()), None)
