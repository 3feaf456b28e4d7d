"""Model: the declarative base whose classes each live in one database, named by `__bind_key__`."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase

from outflow_core import tables
from outflow_core.errors import BindError
from outflow_core.settings import DEFAULT_BIND

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
        if _wants_own_table(cls):
            _claim(cls)
        super().__init_subclass__(**options)
        table = cls.__dict__.get("__table__")
        if isinstance(table, Table):
            table.info.setdefault("bind_key", cls.__bind_key__)


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
    taken = cls.metadata.tables.get(name) if isinstance(name, str) else None
    if taken is not None:
        raise BindError(
            f"{cls.__module__}.{cls.__qualname__}: the table name {name!r} is taken already, in bind "
            f"{bind_key_of(taken)!r}; table names are unique across all binds. Set __tablename__ to another one."
        )


def bind_key_of(table: Table) -> str:
    """The bind key of a table; tables made without a Model carry it in `info={"bind_key": ...}`."""
    return str(table.info.get("bind_key", DEFAULT_BIND))
