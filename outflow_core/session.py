"""One session for all databases: each statement goes where its tables live."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Executable, event, text
from sqlalchemy.engine import Result
from sqlalchemy.orm import Mapper, ORMExecuteState, Session

from outflow_core.binds import Model, bind_key_of
from outflow_core.engines import Engines, Role
from outflow_core.errors import BindError
from outflow_core.routing import bind_of, is_raw
from outflow_core.settings import DEFAULT_BIND, Database

_live: WeakSet[RoutedSession] = WeakSet()
_inherited: list[RoutedSession] = []
"""The sessions of the process that this one was forked from: were they collected here, their transactions would end."""

os.register_at_fork(before=lambda: _inherited.extend(_live), after_in_parent=_inherited.clear)


class RoutedSession(Session):
    """A SQLAlchemy session whose statements find their database by the tables in them.

    A statement whose tables live in several databases raises BindError. Raw SQL names its bind:
    `session.sql("select 1", bind="another_db")`.
    """

    def __init__(self, engines: Engines, role: Role = "user", **options: Any) -> None:
        refuse_unknown_keys(engines)
        super().__init__(**options)
        _live.add(self)
        self._engines = engines
        self.role: Role = role
        event.listen(self, "do_orm_execute", _name_statement)

    def get_bind(
        self,
        mapper: type[Any] | Mapper[Any] | None = None,
        *,
        clause: Any = None,
        bind: Engine | Connection | None = None,
        bind_key: str | None = None,
        **_others: Any,
    ) -> Engine | Connection:
        """The engine for a statement or a mapped class; `bind_key` decides for raw SQL."""
        if bind is not None:
            return bind
        return self._engines.engine(bind_key or self._key_of(mapper, clause), self.role)

    def _key_of(self, mapper: Any, clause: Any) -> str:
        found = bind_of(clause) if clause is not None else None
        if found is None and mapper is not None:
            found = bind_of(getattr(mapper, "__mapper__", mapper).persist_selectable)
        if found is None and clause is not None and len(self._engines.settings.databases) > 1 and is_raw(clause):
            known = ", ".join(sorted(self._engines.settings.databases))
            raise BindError(f"Raw SQL does not tell its database: use session.sql(..., bind=KEY) (known: {known}).")
        return found or DEFAULT_BIND

    def sql(
        self, statement: str, /, *, bind: str = DEFAULT_BIND, values: Mapping[str, Any] | None = None
    ) -> Result[Any]:
        """Run raw SQL in the database of one bind key; `:name` in it stands for `values["name"]`."""
        return self.execute(text(statement), dict(values or {}), bind_arguments={"bind_key": bind})

    def holds(self, database: Database) -> bool:
        """Whether this session has written into a SQLite file and not committed yet."""
        settings = self._engines.settings
        keys = [key for key, known in settings.databases.items() if known.path == database.path]
        return self.in_transaction() and self.is_active and any(map(self._has_written, keys))

    def _has_written(self, key: str) -> bool:
        connection = self.connection(bind_arguments={"bind": self._engines.engine(key, self.role)})
        return bool(getattr(connection.connection.driver_connection, "in_transaction", False))

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """The rows of a statement, fetched whole; `values` are those of its parameters."""
        return self.execute(statement, values).all()


def _name_statement(state: ORMExecuteState) -> None:
    """Let `get_bind` see the statements that SQLAlchemy keeps from it, such as a UNION of models."""
    state.bind_arguments.setdefault("clause", state.statement)


def refuse_unknown_keys(engines: Engines) -> None:
    """Raise BindError for a model whose bind key the configuration does not know."""
    known = engines.settings.databases
    for table in Model.metadata.tables.values():
        key = bind_key_of(table)
        if key not in known:
            raise BindError(
                f"{engines.settings.path}: the table {table.name!r} wants bind key {key!r}, which is not there "
                f"(known: {', '.join(sorted(known))})."
            )
