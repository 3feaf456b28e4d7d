"""The statements that write the books: each entry is one short transaction on the recorder's own connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError, StatementError

from outflow_core import tables
from outflow_core.column_values import columns_for, json_for
from outflow_core.engines import Engines, driver_words
from outflow_core.entries import BlockChanged, BlocksAdded, Entry, RunBegun, RunChanged
from outflow_core.errors import BooksAwayError, NotWrittenYetError, OutflowError, RecordError, RefusedError
from outflow_core.settings import DEFAULT_BIND
from outflow_core.states import State

Answer = TypeVar("Answer")
KNOWN_IDS = 10_000
_NO_TABLE = re.compile(r"no such table|relation .* does not exist")
_MISTAKE = re.compile(
    r"no such table|does not exist|readonly database|authentication failed|no password supplied"
    r"|no pg_hba\.conf entry|not a database|malformed"
)
_CHANGE_RUN = update(tables.run).where(tables.run.c.uuid == bindparam("wanted"))
_CHANGE_BLOCK = update(tables.block).where(tables.block.c.uuid == bindparam("wanted"))
_CHANGE_OPEN_BLOCK = _CHANGE_BLOCK.where(tables.block.c.state.in_([State.PENDING, State.RUNNING]))
_DROP_EXCEPTIONS = delete(tables.runtime_exception).where(tables.runtime_exception.c.block_id == bindparam("wanted"))
_BLOCK = select(tables.block.c.id, tables.block.c.state, tables.block.c.start_time, tables.block.c.end_time)


class Books:
    """Writes entries into one database; those that follow up on others find them by their uuids."""

    def __init__(self, engines: Engines, key: str = DEFAULT_BIND) -> None:
        self._engines = engines
        self._key = key
        database = engines.settings.database(key)
        self.name = database.shown
        self._dialect = database.dialect
        self._insert: Any = postgresql.insert if database.dialect == "postgresql" else sqlite.insert
        self._ids: dict[str, int] = {}

    def write(self, entry: Entry) -> None:
        """Write one entry.

        Raises BooksAwayError when trying later may do, NotWrittenYetError when what the entry
        follows up on is not there, RefusedError when the database will never take it, and
        RecordError when somebody has to put the database or the configuration right.
        """
        self._written(lambda connection: _WRITERS[type(entry)](self, connection, entry, False))

    def write_again(self, entries: Sequence[Entry]) -> None:
        """Write entries in one transaction, some of which may be there already: nothing is written twice.

        Raises as `write` does, and then nothing of them is written.
        """

        def write(connection: Connection) -> None:
            for entry in entries:
                _WRITERS[type(entry)](self, connection, entry, True)

        self._written(write)

    def run_id(self, uuid: str) -> int:
        """The id of the run of this uuid; NotWrittenYetError when there is none."""
        return self._written(lambda connection: self._id(connection, tables.run, uuid))

    def _begin_run(self, connection: Connection, entry: RunBegun, again: bool) -> None:
        table = tables.configuration
        values = {name: json_for(self._dialect, getattr(entry, name)) for name in ("config", "settings")}
        connection.execute(self._insert(table).on_conflict_do_nothing(), {**values, "hash": entry.hash})
        configuration_id = connection.execute(select(table.c.id).where(table.c.hash == entry.hash)).scalar_one()
        row = {"uuid": entry.run, "configuration_id": configuration_id, **columns_for(self._dialect, entry.columns)}
        connection.execute(self._insert(tables.run).on_conflict_do_nothing(), row)

    def _add_blocks(self, connection: Connection, entry: BlocksAdded, again: bool) -> None:
        place = {"run_id": self._id(connection, tables.run, entry.run), "parent_id": None}
        if entry.parent is not None:
            place["parent_id"] = self._id(connection, tables.block, entry.parent)
        rows = [{**columns_for(self._dialect, columns), **place} for columns in entry.blocks]
        statement = self._insert(tables.block).on_conflict_do_nothing() if again else insert(tables.block)
        if rows:
            connection.execute(statement, rows)
        self._add_edges(connection, entry.upstream, [columns["uuid"] for columns in entry.blocks])

    def _change_block(self, connection: Connection, entry: BlockChanged, again: bool) -> None:
        values = {**columns_for(self._dialect, entry.columns), "wanted": entry.block}
        is_usual = not again and not entry.if_open
        if is_usual and connection.execute(_CHANGE_OPEN_BLOCK, values).rowcount:
            self._add_edges(connection, entry.upstream, [entry.block])
        elif self._is_news(connection, entry):
            connection.execute(_CHANGE_BLOCK, values)
            self._add_edges(connection, entry.upstream, [entry.block])
        else:
            return
        if entry.exception is not None:
            row = {**columns_for(self._dialect, entry.exception), "block_id": self._new_id(connection, entry.block)}
            connection.execute(insert(tables.runtime_exception), row)

    def _is_news(self, connection: Connection, entry: BlockChanged) -> bool:
        """Whether an entry tells of a block what the books do not know; the later word counts.

        A block that was closed by others, when its worker seemed lost, or is tried again begins
        anew: its exception goes. The row is locked, for a transaction of ours that a lost
        connection left behind may still commit.
        """
        found = _BLOCK.where(tables.block.c.uuid == entry.block).with_for_update()
        row = connection.execute(found).one_or_none()
        if row is None:
            raise self._not_there(tables.block, entry.block)
        if (row.state.is_final and entry.if_open) or _is_late(_moment(entry.columns), _moment(row._mapping)):
            return False
        if row.state.is_final:
            connection.execute(_DROP_EXCEPTIONS, {"wanted": row.id})
        return True

    def _change_run(self, connection: Connection, entry: RunChanged, again: bool) -> None:
        values = columns_for(self._dialect, entry.columns)
        if not connection.execute(_CHANGE_RUN, {**values, "wanted": entry.run}).rowcount:
            raise self._not_there(tables.run, entry.run)

    def _add_edges(self, connection: Connection, upstream: Sequence[str], downstream: Sequence[str]) -> None:
        if not upstream or not downstream:
            return
        above = [self._id(connection, tables.block, uuid) for uuid in upstream]
        below = [self._new_id(connection, uuid) for uuid in downstream]
        pairs = [{"upstream_block_id": first, "downstream_block_id": second} for second in below for first in above]
        connection.execute(self._insert(tables.edge).on_conflict_do_nothing(), pairs)

    def _id(self, connection: Connection, table: Table, uuid: str) -> int:
        """The id of what others go under or come after: asked for once."""
        if uuid not in self._ids:
            found = connection.execute(select(table.c.id).where(table.c.uuid == uuid)).scalar_one_or_none()
            if found is None:
                raise self._not_there(table, uuid)
            if len(self._ids) >= KNOWN_IDS:
                self._ids.clear()
            self._ids[uuid] = int(found)
        return self._ids[uuid]

    def _new_id(self, connection: Connection, uuid: str) -> int:
        """The id of a block of this transaction, which may yet be taken back."""
        return int(connection.execute(select(tables.block.c.id).where(tables.block.c.uuid == uuid)).scalar_one())

    def _not_there(self, table: Table, uuid: str) -> NotWrittenYetError:
        kind = "run" if table is tables.run else "block"
        return NotWrittenYetError(f"{self.name}: no {kind} has the uuid {uuid!r}; it must have begun before.")

    def _written(self, write: Callable[[Connection], Answer]) -> Answer:
        engine = self._engines.engine(self._key)  # asked for each time: a fork has its own
        try:
            with engine.begin() as connection:
                return write(connection)
        except OutflowError as error:
            self._ids.clear()
            if isinstance(error, NotWrittenYetError):
                engine.dispose()  # as below: an update of the old file changes nothing, without an error
            raise error.with_traceback(None) from None  # the frames of the connection pool tell a user nothing
        except SQLAlchemyError as error:
            self._ids.clear()
            engine.dispose()  # an open SQLite connection stays with a file that another one has replaced
            raise self._failure(error) from None  # of a hundred frames of a driver a user learns nothing
        except BaseException:
            engine.dispose()  # interrupted amid a commit, it may hold the file still
            raise

    def _failure(self, error: SQLAlchemyError) -> RecordError:
        words = driver_words(error)
        is_odd = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
        if isinstance(error, (IntegrityError, DataError)) or is_odd:
            return RefusedError(f"{self.name}: refuses what was to be recorded: {words}")
        hint = "; run 'outflow-db upgrade' to make the tables" if _NO_TABLE.search(words) else ""
        is_mistake = isinstance(error, ProgrammingError) or _MISTAKE.search(words)
        return (RecordError if is_mistake else BooksAwayError)(f"{self.name}: cannot be written: {words}{hint}")


def _moment(columns: Mapping[Any, Any]) -> tuple[datetime, bool] | None:
    """When a block came to be as its columns say, if they do; of one moment the end comes after the start."""
    end, start = columns.get("end_time"), columns.get("start_time")
    last: datetime | None = end or start
    return None if last is None else (last, end is not None)


def _is_late(told: tuple[datetime, bool] | None, known: tuple[datetime, bool] | None) -> bool:
    return told is not None and known is not None and told <= known


_WRITERS: dict[type[Any], Callable[[Books, Connection, Any, bool], None]] = {
    RunBegun: Books._begin_run,
    BlocksAdded: Books._add_blocks,
    BlockChanged: Books._change_block,
    RunChanged: Books._change_run,
}
