"""Reads what stands in a slice of a table of some words that are looked for.

The database leaves out by the text what it can, for escapes are written in many ways; what is
found is decided on what a reader may see: secrets are masked before, and are never found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, false, func, or_, select

from outflow_core.config_diff import path_text
from outflow_core.configuration_queries import configurations
from outflow_core.findings import Finding, Kind, leaves
from outflow_core.json_text import as_json
from outflow_core.masking import mask_said, mask_secrets, mask_text
from outflow_core.odd_values import Whole, as_text, plain, told
from outflow_core.read_values import STATES, TYPES, as_time, bounded, shown_name, text_of
from outflow_core.reader import Reader
from outflow_core.rows import ConfigurationRow, RunRow
from outflow_core.run_queries import runs_by_id
from outflow_core.sought import Sought
from outflow_core.states import BlockType, State
from outflow_core.table_walk import portions
from outflow_core.tables import block, configuration, run, runtime_exception
from outflow_core.wanted_inputs import Holder, decoded

ITEMS = 2_000
"""Of how many inputs it is asked what became of them."""

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Place:
    """The block or the run in which something stands."""

    state: State | None
    time: datetime | None
    block_id: int = 0
    block_name: str = ""
    block_type: BlockType | None = None
    count: int = 1


class FindingReads:
    """Reads the findings of one search; `command` leaves out all runs but its own."""

    def __init__(self, reader: Reader, sought: Sought, command: str | None) -> None:
        self._reader = reader
        self._sought = sought
        self._command = command
        self._runs: dict[int, RunRow] = {}
        self.held: dict[int, Holder] = {}
        """The blocks that hold inputs in which the words stand, by their ids: one that is read again counts once."""
        self.items = 0
        """How many inputs these are."""
        self._look = {
            run.name: self._look_at_runs,
            block.name: self._look_at_blocks,
            runtime_exception.name: self._look_at_exceptions,
            configuration.name: self._look_at_configurations,
        }

    def findings(self, table: Table, where: ColumnElement[bool]) -> Iterator[Finding]:
        """What is found in the rows of a table that fulfil a condition, newest first."""
        return self._look[table.name](where)

    # runs

    def _look_at_runs(self, where: ColumnElement[bool]) -> Iterator[Finding]:
        c = run.c
        fits = or_(self._fits(c.command_name, c.hostname), self._is_uuid(c.uuid))
        ids = [row[0] for row in self._reader.rows(select(c.id).where(where, c.id >= 0, fits))]
        for row in sorted(runs_by_id(self._reader, ids), key=lambda row: -row.id):
            self._runs[row.id] = row
            if self._command not in (None, row.command):
                continue
            at = _Place(row.state, row.start_time)
            yield from self._in_uuid(row.uuid, row, at)
            for kind, words in ((Kind.COMMAND, row.command), (Kind.HOST, row.hostname)):
                yield from self._finding(kind, row, "", words, at)

    def _learn_runs(self, ids: Iterable[int | None]) -> None:
        missing = {number for number in ids if number is not None and number >= 0} - self._runs.keys()
        self._runs |= {row.id: row for row in runs_by_id(self._reader, missing)} if missing else {}

    def _run(self, run_id: int | None) -> RunRow | None:
        """The run that a block belongs to, if it is looked at at all."""
        row = self._runs.get(run_id) if run_id is not None else None
        return row if row is not None and self._command in (None, row.command) else None

    # blocks

    def _look_at_blocks(self, where: ColumnElement[bool]) -> Iterator[Finding]:
        c = block.c
        values = [as_text(column) for column in (c.input_values, c.input_targets, c.output_targets)]
        sizes = [func.coalesce(func.length(value), 0) for value in values]
        fits = or_(self._fits(c.name, c.plugin, c.hostname, *values), self._is_uuid(c.uuid))
        found = self._reader.rows(select(c.id, sizes[0] + sizes[1] + sizes[2]).where(where, fits))
        kinds = [plain(c.type), plain(c.state), as_text(c.start_time)]
        texts = [told(c.name), as_text(c.plugin), as_text(c.hostname), told(c.uuid)]
        query = select(c.id, Whole(c.run_id), *texts, *kinds, *values).order_by(c.id.desc())
        for some in portions(found):
            rows = self._reader.rows(query.where(c.id.in_(some)))
            self._learn_runs(row[1] for row in rows)
            for row in rows:
                yield from self._in_block(row)

    def _in_block(self, row: Row) -> Iterator[Finding]:
        of_run = self._run(row[1])
        if of_run is None:
            return
        at = _place_of(row[0], row[2], row[6], row[7], row[8])
        yield from self._in_inputs(as_json(row[9]), of_run, at)
        name = Kind.WORKFLOW if at.block_type is BlockType.WORKFLOW else Kind.TASK
        yield from self._in_uuid(row[5], of_run, at)
        for what, words in ((name, row[2]), (Kind.PLUGIN, row[3]), (Kind.HOST, row[4])):
            yield from self._finding(what, of_run, "", words, at)
        for targets in row[10:12]:
            for path, words in leaves(mask_secrets(as_json(targets))):
                yield from self._finding(Kind.TARGET, of_run, path_text(path), words, at)

    def _in_inputs(self, inputs: Any, of_run: RunRow, at: _Place) -> Iterator[Finding]:
        """The inputs of one block, or of all items of a map; those that fit are kept for the answer."""
        items = inputs if isinstance(inputs, list) else [inputs]
        fitting = []
        for place, item in enumerate(items):
            values = decoded(item) if self._is_likely(item) else None
            if values is None:
                continue
            is_fitting = False
            for path, words in leaves(values):
                where = path_text(path)
                yield from self._finding(Kind.INPUT, of_run, where, words, at)
                is_fitting = is_fitting or self._sought.is_in_value(where, words)
            if is_fitting:
                fitting.append((place, values))
        before = self.held.get(at.block_id)
        if fitting and (before or self.items < ITEMS):
            self.items += len(fitting) - (len(before.fitting) if before else 0)
            count = len(items) if items is inputs else None
            self.held[at.block_id] = Holder(at.block_id, of_run.id, tuple(fitting), count)

    def _is_likely(self, item: Any) -> bool:
        if not isinstance(item, Mapping) or not all(isinstance(value, str) for value in item.values()):
            return True
        return any(self._sought.may_stand_in(f"{key}={value}") for key, value in item.items())

    # exceptions

    def _look_at_exceptions(self, where: ColumnElement[bool]) -> Iterator[Finding]:
        c, b = runtime_exception.c, block.c
        size = func.length(c.traceback) + func.length(c.exception_msg)
        fits = self._fits(c.exception_type, c.exception_msg, c.traceback)
        found = self._reader.rows(select(c.id, func.coalesce(size, 0)).where(where, fits))
        texts = [c.exception_type, c.exception_msg, c.traceback, as_text(c.time)]
        kinds = [plain(b.state), plain(b.type)]
        query = select(c.id, *texts, b.id, Whole(b.run_id), told(b.name), *kinds).join_from(
            runtime_exception, block, c.block_id == b.id
        )
        for some in portions(found):
            rows = self._reader.rows(query.where(c.id.in_(some)).order_by(c.id.desc()))
            self._learn_runs(row[6] for row in rows)
            for row in rows:
                yield from self._in_exception(row)

    def _in_exception(self, row: Row) -> Iterator[Finding]:
        of_run = self._run(row[6])
        if of_run is None:
            return
        at = _place_of(row[5], row[7], row[9], row[8], row[4])
        name, message, traceback = (mask_said(text_of(value)) for value in row[1:4])
        said = message if name in message else f"{name}: {message}"
        found = list(self._finding(Kind.EXCEPTION, of_run, "", said, at))
        lines = traceback.splitlines() if not found and self._sought.stands_in(traceback) else []
        line = next((line.strip() for line in lines if self._sought.stands_in(line.strip())), None)
        yield from found or self._finding(Kind.TRACEBACK, of_run, "", line, at)

    # configurations

    def _look_at_configurations(self, where: ColumnElement[bool]) -> Iterator[Finding]:
        c = configuration.c
        texts = [as_text(column) for column in (c.config, c.settings)]
        query = select(c.id, func.coalesce(func.length(texts[0]) + func.length(texts[1]), 0)).where(where)
        found = self._reader.rows(query if self._sought.is_number else query.where(self._fits(*texts)))
        for some in portions(found):
            rows = configurations(self._reader, some)
            users = self._users(some)
            for number in sorted(rows.keys() & users.keys(), reverse=True):
                yield from self._in_configuration(rows[number], *users[number])

    def _users(self, ids: Sequence[int]) -> dict[int, tuple[RunRow, int]]:
        """The newest run with each of these configurations, and how many there are."""
        c = run.c
        query = select(c.configuration_id, func.max(c.id), func.count()).where(c.id >= 0, c.configuration_id.in_(ids))
        query = query if self._command is None else query.where(c.command_name == self._command)
        rows = self._reader.rows(query.group_by(c.configuration_id))
        self._learn_runs(row[1] for row in rows)
        return {row[0]: (self._runs[row[1]], row[2]) for row in rows if row[1] in self._runs}

    def _in_configuration(self, row: ConfigurationRow, of_run: RunRow, runs: int) -> Iterator[Finding]:
        for kind, section in ((Kind.CONFIGURATION, row.config), (Kind.SETTINGS, row.settings)):
            for path, words in leaves(section):
                at = _Place(of_run.state, of_run.start_time, count=runs)
                yield from self._finding(kind, of_run, path_text(path), words, at)

    # what all have in common

    def _fits(self, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
        """What the database can say; LIKE tells letters of ASCII apart only on PostgreSQL."""
        pattern, is_sqlite = self._sought.pattern, self._reader.database.dialect == "sqlite"
        tells_apart = not is_sqlite and not self._sought.is_exact
        texts = [plain(column) for column in columns]
        if self._sought.is_foreign:
            operator, foreign = ("GLOB", "*[^ -~]*") if is_sqlite else ("~", "[^ -~]")
            return or_(*(text.op(operator)(foreign) for text in texts), *(text.like("%\\\\u%", "\\") for text in texts))
        like = [text.ilike(pattern, "\\") if tells_apart else text.like(pattern, "\\") for text in texts]
        return or_(*like)

    def _is_uuid(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        begins = column.startswith(self._sought.words, autoescape=True)
        return begins if self._sought.may_begin_a_uuid else false()

    def _in_uuid(self, uuid: str, of_run: RunRow, at: _Place) -> Iterator[Finding]:
        if self._sought.may_begin_a_uuid and uuid.startswith(self._sought.words):
            yield from self._finding(Kind.UUID, of_run, "", uuid, at)

    def _finding(self, kind: Kind, of_run: RunRow, where: str, words: Any, at: _Place) -> Iterator[Finding]:
        """The finding in a text, if the words stand in it or in `where=text`."""
        said = mask_text(text_of(words))
        text = f"{where}={said}" if where else said
        excerpt = self._sought.excerpt(text)
        if excerpt is None:
            return
        yield Finding(
            kind,
            of_run.id,
            bounded(of_run.command),
            at.block_id or None,
            at.block_name,
            where,
            excerpt.text,
            excerpt.start,
            excerpt.end,
            at.state,
            at.time,
            at.count,
            at.block_type,
        )


def _place_of(block_id: int, name: Any, kind: Any, state: Any, time: str | None) -> _Place:
    return _Place(STATES.get(state), as_time(time), block_id, shown_name(name), TYPES.get(kind, BlockType.TASK))
