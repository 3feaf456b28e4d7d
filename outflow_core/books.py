"""The statements that write the books: each call is one short transaction on the recorder's own connection."""

from __future__ import annotations

import math
import os
import re
import socket
import traceback as traceback_module
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from outflow_core import tables
from outflow_core.engines import Engines, driver_words
from outflow_core.errors import OutflowError, RecordError
from outflow_core.masking import mask_text
from outflow_core.settings import DEFAULT_BIND, Database, Settings
from outflow_core.states import State

Answer = TypeVar("Answer")
NAME_LENGTH = 256
TYPE_LENGTH = 64
_LENGTHS = {"name": NAME_LENGTH, "plugin": NAME_LENGTH}
_NO_TABLE = re.compile(r"no such table|relation .* does not exist")


class Books:
    """Writes rows of runs, blocks, edges and exceptions into one database."""

    def __init__(self, engines: Engines, key: str = DEFAULT_BIND) -> None:
        self._engines = engines
        self._key = key
        database = engines.settings.database(key)
        self._name = database.shown
        self._is_postgresql = database.dialect == "postgresql"
        self.hostname = text_for_books(socket.gethostname())[:NAME_LENGTH]

    def __reduce__(self) -> tuple[Any, ...]:
        """Into another process goes what to connect to, not the connections."""
        return _books_here, (self._engines.settings, self._key)

    def run_of(self, uuid: str) -> int | None:
        """The id of the run of this uuid, if there is one."""
        statement = select(tables.run.c.id).where(tables.run.c.uuid == uuid)
        return self._written(lambda connection: connection.execute(statement).scalar_one_or_none())

    def configuration(self, config: Mapping[str, Any], settings: Mapping[str, Any], digest: str) -> int:
        """The id of the row that holds this configuration, made when it is the first of its hash."""
        table = tables.configuration
        values = {"config": self._json(config), "settings": self._json(settings), "hash": digest}
        insert_new: Any = postgresql.insert if self._is_postgresql else sqlite.insert
        made = insert_new(table).values(values).on_conflict_do_nothing()

        def write(connection: Connection) -> int:
            connection.execute(made)
            return int(connection.execute(select(table.c.id).where(table.c.hash == digest)).scalar_one())

        return self._written(write)

    def add(self, table: Table, row: Mapping[str, Any]) -> int:
        """Insert one row; its id."""
        statement = insert(table).values(self._row(row)).returning(table.c.id)
        return self._written(lambda connection: int(connection.execute(statement).scalar_one()))

    def add_blocks(self, rows: Sequence[Mapping[str, Any]], upstream: Sequence[int] = ()) -> list[int]:
        """Insert blocks in one commit, each downstream of the same others; their ids in the same order."""
        statement = insert(tables.block).returning(tables.block.c.id, sort_by_parameter_order=True)

        def write(connection: Connection) -> list[int]:
            ids = list(connection.execute(statement, [self._row(row) for row in rows]).scalars())
            _insert_edges(connection, upstream, ids)
            return ids

        return self._written(write) if rows else []

    def add_edges(self, upstream: Sequence[int], downstream: Sequence[int]) -> None:
        """Record that each of these blocks comes after all of those."""
        if upstream and downstream:
            self._written(lambda connection: _insert_edges(connection, upstream, downstream))

    def change(self, table: Table, row_id: int, **values: Any) -> None:
        """Set columns of one row."""
        statement = update(table).where(table.c.id == row_id).values(self._row(values))
        self._written(lambda connection: connection.execute(statement) and None)

    def fail_unfinished(self, block_id: int, error: BaseException) -> None:
        """Close a block whose worker went away without a word; one that is over stays as it is."""
        table = tables.block
        values = self._row({"state": State.FAILED, "end_time": datetime.now()})
        is_open = table.c.state.in_([State.PENDING, State.RUNNING])
        change = update(table).where(table.c.id == block_id, is_open).values(values)

        def write(connection: Connection) -> None:
            if connection.execute(change).rowcount:
                connection.execute(insert(tables.runtime_exception).values(exception_row(block_id, error)))

        self._written(write)

    def finish_block(self, block_id: int, error: BaseException | None, **values: Any) -> None:
        """Set the last columns of a block, and keep the exception that ended it in the same commit."""
        change = update(tables.block).where(tables.block.c.id == block_id).values(self._row(values))

        def write(connection: Connection) -> None:
            connection.execute(change)
            if error is not None:
                connection.execute(insert(tables.runtime_exception).values(exception_row(block_id, error)))

        self._written(write)

    def _written(self, write: Callable[[Connection], Answer]) -> Answer:
        try:
            with self._engines.engine(self._key).begin() as connection:  # asked for each time: a fork has its own
                return write(connection)
        except OutflowError as error:
            raise error.with_traceback(None) from None  # the frames of the connection pool tell a user nothing
        except DBAPIError as error:
            words = driver_words(error)
            hint = "; run 'outflow-db upgrade' to make the tables" if _NO_TABLE.search(words) else ""
            raise RecordError(f"{self._name}: cannot be written: {words}{hint}") from error

    def _row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(value, _LENGTHS.get(name)) for name, value in values.items()}

    def _value(self, value: Any, length: int | None) -> Any:
        if isinstance(value, (dict, list)):
            return self._json(value)
        if isinstance(value, str) and not isinstance(value, Enum):
            return text_for_books(value)[:length]
        return value

    def _json(self, value: Any) -> Any:
        """The value as PostgreSQL accepts it: it knows no NaN, no NUL and no half characters in JSON."""
        return _json_for_postgresql(value) if self._is_postgresql else value


_HERE: dict[tuple[int, Database], Books] = {}


def _books_here(settings: Settings, key: str) -> Books:
    """The books of a database in this process: one for all items that a worker is handed."""
    place = (os.getpid(), settings.database(key))
    if place not in _HERE:
        _HERE[place] = Books(Engines(settings), key)
    return _HERE[place]


def _insert_edges(connection: Connection, upstream: Sequence[int], downstream: Sequence[int]) -> None:
    pairs = [{"upstream_block_id": above, "downstream_block_id": below} for below in downstream for above in upstream]
    if pairs:
        connection.execute(insert(tables.edge), pairs)


def exception_row(block_id: int, error: BaseException) -> dict[str, Any]:
    """The row of an exception, as Outflow keeps it: the message is the traceback's last line."""
    text = text_for_books(mask_text("".join(traceback_module.format_exception(error))))
    return {
        "block_id": block_id,
        "exception_type": text_for_books(type(error).__name__)[:TYPE_LENGTH],
        "exception_msg": text.rstrip("\n").rpartition("\n")[2],
        "traceback": text,
        "time": datetime.now(),
    }


def text_for_books(text: str) -> str:
    """The text as every database can keep it: NUL and lone surrogates written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _json_for_postgresql(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {text_for_books(str(key)): _json_for_postgresql(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_for_postgresql(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return text_for_books(value) if isinstance(value, str) else value
