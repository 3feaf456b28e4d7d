"""A statement that was made once, as the driver takes it: SQLAlchemy's part is done before the first execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError


class Prepared:
    """The text of a statement, with the values that are the same each time, for connections in autocommit mode.

    Its columns must be such that the driver gives them as they are wanted.
    """

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        self._text = str(compiled)
        self._names: Sequence[str] | None = compiled.positiontup
        self._fixed = {name: _given(bind, dialect) for name, bind in compiled.binds.items() if not bind.required}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """All rows; DBAPIError when the driver fails."""
        given: Any = {**self._fixed, **values}
        if self._names is not None:
            given = [given[name] for name in self._names]
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        try:
            cursor.execute(self._text, given)
            return list(cursor.fetchall())
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_told(connection, cursor, error, self._text) from None
        finally:
            cursor.close()


def _given(bind: Any, dialect: Dialect) -> Any:
    """A value of the statement's own, as the driver takes it."""
    convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
    return convert(bind.effective_value) if convert else bind.effective_value


def _as_told(connection: Connection, cursor: Any, error: Exception, text: str) -> Exception:
    """The failure as SQLAlchemy tells it; a connection that was cut is given up."""
    dialect = connection.dialect
    is_cut = dialect.is_disconnect(error, connection.connection, cursor)  # type: ignore[arg-type]
    if is_cut:
        connection.invalidate()
    told: Exception = DBAPIError.instance(
        text, None, error, dialect.loaded_dbapi.Error, connection_invalidated=is_cut, dialect=dialect
    )
    return told
