"""A search over everything in the books, newest first, in short reads; it can be left after any of them.

The database leaves out by the text what it can, for escapes are written in many ways; what is
found is decided on what a reader may see: secrets are masked before, and are never found.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, String, Table, and_, false, func, or_, select, type_coerce

from outflow_core import configuration_queries, odd_values, read_values, run_queries, slices
from outflow_core.config_diff import path_text
from outflow_core.findings import Answer, Finding, Found, InputAnswer, Kind, in_order, leaves
from outflow_core.in_force import InForce
from outflow_core.json_text import as_json
from outflow_core.masking import mask_said, mask_secrets
from outflow_core.odd_values import Whole, told
from outflow_core.processings import processings_of_held, successes
from outflow_core.reader import Reader
from outflow_core.rows import ConfigurationRow, ProcessingRow, RunRow
from outflow_core.sought import Sought
from outflow_core.states import BlockType, State
from outflow_core.tables import block, configuration, run, runtime_exception
from outflow_core.wanted_inputs import Holder, decoded

LIMIT = 1_000
"""How many different findings end a search; folded ones count once."""
SLICES: Mapping[str, int] = {"outflow_block": 20_000, "outflow_runtime_exception": 4_000, "outflow_configuration": 200}
"""How many rows one statement goes over at most; fewer where they hold so much that it takes long."""
SLICE_SECONDS = 0.05
LETTERS = 1_000_000
"""How much text one statement fetches, about."""
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


class Search:
    """One search; `go_on` until `is_over`. A read that failed is made again by the next `go_on`."""

    def __init__(
        self,
        reader: Reader,
        typed: str,
        *,
        in_force: Callable[[], InForce | None] = lambda: None,
        command: str | None = None,
        limit: int = LIMIT,
    ) -> None:
        self._reader = reader
        self._sought = Sought.of(typed)
        self._in_force = in_force
        self._command = command
        self._limit = limit
        self._found: dict[tuple[object, ...], Finding] = {}
        self._runs: dict[int, RunRow] = {}
        self._held: list[Holder] = []
        self._items = self._answered = 0
        self._answer: Answer | None = None
        self._blocks = _Walk(reader, block)
        tables = (run, runtime_exception, configuration)
        self._walks = [self._blocks, *(_Walk(reader, table) for table in tables)] if self._sought.words else []
        self._look = {
            run.name: self._look_at_runs,
            block.name: self._look_at_blocks,
            runtime_exception.name: self._look_at_exceptions,
            configuration.name: self._look_at_configurations,
        }
        self._seen: Found | None = None

    @property
    def is_over(self) -> bool:
        """Whether everything was looked at, or enough was found."""
        return (not self._walks or self._is_full) and self._answered == self._items

    @property
    def _is_full(self) -> bool:
        return len(self._found) >= self._limit

    def go_on(self, seconds: float) -> None:
        """Search for about this long, at least one slice; raises SourceError when the books cannot be read."""
        until = time.monotonic() + seconds
        while not self.is_over:
            self._seen = None
            self._step()
            if time.monotonic() >= until:
                return

    def _step(self) -> None:
        """The next slice of one table; of the inputs that were found first, and of all, what became of them."""
        if self._walks and not self._is_full:
            walk = self._walks[0]
            rows = walk.following()
            if rows is not None:
                self._keep(self._look[walk.table.name](rows))
                walk.move()
            self._walks = [*self._walks[1:], *([] if walk.is_over else [walk])]
        if self._items and (
            self._answer is None or ((not self._walks or self._is_full) and self._answered != self._items)
        ):
            self._answer = self._ask()
            self._answered = self._items

    def found(self) -> Found:
        """What there is by now; the same object as long as nothing was added."""
        if self._seen is None:
            self._seen = Found(
                self._sought.words,
                in_order(self._found.values()),
                self._answer,
                self._blocks.passed,
                self._blocks.total,
                self.is_over,
                self._is_full and bool(self._walks),
            )
        return self._seen

    def _keep(self, findings: Iterable[Finding]) -> None:
        news: dict[tuple[object, ...], Finding] = {}
        for one in findings:
            key = one.key
            before = news.get(key) or self._found.get(key)
            if before is None and len(self._found) + len(news) >= self._limit:
                continue
            news[key] = before.with_another(one) if before else one
        self._found |= news

    # runs

    def _look_at_runs(self, where: ColumnElement[bool]) -> Iterator[Finding]:
        c = run.c
        fits = or_(self._fits(c.command_name, c.hostname), self._is_uuid(c.uuid))
        ids = [row[0] for row in self._reader.rows(select(c.id).where(where, c.id >= 0, fits))]
        for row in sorted(run_queries.runs_by_id(self._reader, ids), key=lambda row: -row.id):
            self._runs[row.id] = row
            if self._command not in (None, row.command):
                continue
            at = _Place(row.state, row.start_time)
            yield from self._in_uuid(row.uuid, row, at)
            for kind, words in ((Kind.COMMAND, row.command), (Kind.HOST, row.hostname)):
                yield from self._finding(kind, row, "", words, at)

    def _learn_runs(self, ids: Iterable[int | None]) -> None:
        missing = {number for number in ids if number is not None and number >= 0} - self._runs.keys()
        self._runs |= {row.id: row for row in run_queries.runs_by_id(self._reader, missing)} if missing else {}

    def _run(self, run_id: int | None) -> RunRow | None:
        """The run that a block belongs to, if it is looked at at all."""
        row = self._runs.get(run_id) if run_id is not None else None
        return row if row is not None and self._command in (None, row.command) else None

    # blocks

    def _look_at_blocks(self, where: ColumnElement[bool]) -> Iterator[Finding]:
        c = block.c
        values = [odd_values.as_text(column) for column in (c.input_values, c.input_targets, c.output_targets)]
        sizes = [func.coalesce(func.length(value), 0) for value in values]
        fits = or_(self._fits(c.name, c.plugin, c.hostname, *values), self._is_uuid(c.uuid))
        found = self._reader.rows(select(c.id, sizes[0] + sizes[1] + sizes[2]).where(where, fits))
        plain = [type_coerce(c.type, String), type_coerce(c.state, String), odd_values.as_text(c.start_time)]
        texts = [told(c.name), odd_values.as_text(c.plugin), odd_values.as_text(c.hostname), told(c.uuid)]
        query = select(c.id, Whole(c.run_id), *texts, *plain, *values).order_by(c.id.desc())
        kept: list[Finding] = []
        for some in _portions(found):
            rows = self._reader.rows(query.where(c.id.in_(some)))
            self._learn_runs(row[1] for row in rows)
            kept += [one for row in rows for one in self._in_block(row)]
        yield from kept

    def _in_block(self, row: Row) -> Iterator[Finding]:
        of_run = self._run(row[1])
        if of_run is None:
            return
        kind = BlockType.WORKFLOW if row[6] == BlockType.WORKFLOW.value else BlockType.TASK
        at = _Place(_state(row[7]), read_values.as_time(row[8]), row[0], read_values.shown_name(row[2]), kind)
        yield from self._in_inputs(as_json(row[9]), of_run, at)
        name = Kind.WORKFLOW if kind is BlockType.WORKFLOW else Kind.TASK
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
                is_fitting = is_fitting or self._is_in_value(where, words)
            if is_fitting:
                fitting.append((place, values))
        if fitting and self._items < ITEMS:
            self._items += len(fitting)
            self._held.append(Holder(at.block_id, of_run.id, tuple(fitting), len(items) if items is inputs else None))

    def _is_likely(self, item: Any) -> bool:
        if not isinstance(item, Mapping) or not all(isinstance(value, str) for value in item.values()):
            return True
        return any(self._sought.may_stand_in(f"{key}={value}") for key, value in item.items())

    def _is_in_value(self, where: str, words: str) -> bool:
        """Whether the words are in the value, not in the name alone under which it stands."""
        return self._sought.stands_in(words) or (
            "=" in self._sought.words and self._sought.stands_in(f"{where}={words}")
        )

    # exceptions

    def _look_at_exceptions(self, where: ColumnElement[bool]) -> Iterator[Finding]:
        c, b = runtime_exception.c, block.c
        size = func.length(c.traceback) + func.length(c.exception_msg)
        fits = self._fits(c.exception_type, c.exception_msg, c.traceback)
        found = self._reader.rows(select(c.id, func.coalesce(size, 0)).where(where, fits))
        texts = [c.exception_type, c.exception_msg, c.traceback, odd_values.as_text(c.time)]
        plain = [type_coerce(b.state, String), type_coerce(b.type, String)]
        query = select(c.id, *texts, b.id, Whole(b.run_id), told(b.name), *plain).join_from(
            runtime_exception, block, c.block_id == b.id
        )
        kept: list[Finding] = []
        for some in _portions(found):
            rows = self._reader.rows(query.where(c.id.in_(some)).order_by(c.id.desc()))
            self._learn_runs(row[6] for row in rows)
            kept += [one for row in rows for one in self._in_exception(row)]
        yield from kept

    def _in_exception(self, row: Row) -> Iterator[Finding]:
        of_run = self._run(row[6])
        if of_run is None:
            return
        kind = BlockType.WORKFLOW if row[9] == BlockType.WORKFLOW.value else BlockType.TASK
        at = _Place(_state(row[8]), read_values.as_time(row[4]), row[5], read_values.shown_name(row[7]), kind)
        name, message, traceback = (mask_said(read_values.words(value)) for value in row[1:4])
        said = message if name in message else f"{name}: {message}"
        found = list(self._finding(Kind.EXCEPTION, of_run, "", said, at))
        lines = traceback.splitlines() if not found and self._sought.stands_in(traceback) else []
        line = next((line.strip() for line in lines if self._sought.stands_in(line.strip())), None)
        yield from found or self._finding(Kind.TRACEBACK, of_run, "", line, at)

    # configurations

    def _look_at_configurations(self, where: ColumnElement[bool]) -> Iterator[Finding]:
        c = configuration.c
        texts = [odd_values.as_text(column) for column in (c.config, c.settings)]
        query = select(c.id, func.coalesce(func.length(texts[0]) + func.length(texts[1]), 0)).where(where)
        found = self._reader.rows(query if self._sought.is_number else query.where(self._fits(*texts)))
        kept: list[Finding] = []
        for some in _portions(found):
            rows = configuration_queries.configurations(self._reader, some)
            users = self._users(some)
            for number in sorted(rows.keys() & users.keys(), reverse=True):
                kept += self._in_configuration(rows[number], *users[number])
        yield from kept

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
        texts = [type_coerce(column, String) for column in columns]
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
        said = read_values.shown_name(read_values.words(words))
        text = f"{where}={said}" if where else said
        excerpt = self._sought.excerpt(text)
        if excerpt is None:
            return
        yield Finding(
            kind,
            of_run.id,
            of_run.command,
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

    # what became of the inputs

    def _ask(self) -> Answer:
        """What became of the inputs that were found; of those that are called so exactly, if there are any."""
        current = self._in_force()
        rows = processings_of_held(self._reader, self._held, current, command=self._command)
        by_value: dict[str, list[ProcessingRow]] = {}
        for row in rows:
            for value in self._values(row.inputs):
                by_value.setdefault(value, []).append(row)
        words = self._sought.words.rpartition("=")[2]
        exact = {value: rows for value, rows in by_value.items() if words in (value, value.rpartition("/")[2])}
        answers = [self._answer_of(value, rows, current) for value, rows in (exact or by_value).items()]
        return Answer(tuple(answers), current is not None, self._items >= ITEMS or self._is_full)

    def _values(self, inputs: Any) -> list[str]:
        found = (words for path, words in leaves(inputs) if self._is_in_value(path_text(path), words))
        return list(dict.fromkeys(found))

    @staticmethod
    def _answer_of(value: str, rows: Sequence[ProcessingRow], current: InForce | None) -> InputAnswer:
        done = successes(row for row in rows if row.same_configuration or current is None)
        return InputAnswer(value, done[0] if done else None, rows[0])


class _Walk:
    """A table by its primary key, from its newest row to its oldest."""

    def __init__(self, reader: Reader, table: Table) -> None:
        self.table = table
        self.is_over = False
        self.total = self.passed = 0
        self._reader = reader
        self._key: Column[Any] = table.c.id
        self._below: int | None = None
        self._following: int | None = None
        self._last = 0
        self._most = SLICES.get(table.name, SLICES["outflow_block"])
        self._size = max(self._most // 16, 1)
        self._asked_at: float | None = None

    def following(self) -> ColumnElement[bool] | None:
        """The condition for the next slice; None when there is none. The same again until `move`."""
        if self._below is None and not self._begin():
            return None
        if self._asked_at is not None:  # it failed, perhaps for it went on for too long
            self._size = next_size(self._size, math.inf, self._most)
        self._asked_at = time.monotonic()
        assert self._below is not None
        key, below = self._key, self._below
        beyond = self._reader.rows(select(key).where(key < below).order_by(key.desc()).offset(self._size - 1).limit(1))
        self._following = beyond[0][0] if beyond else None
        return and_(key < below, key >= self._following) if beyond else key < below

    def _begin(self) -> bool:
        first, last = self._reader.rows(select(func.min(self._key), func.max(self._key)))[0]
        self.is_over = last is None
        if last is not None:
            self._below = self._last = min(last + 1, slices.LARGEST)
            self.total = last + 1 - first
        return last is not None

    def move(self) -> None:
        """This slice is done."""
        assert self._asked_at is not None
        self._size = next_size(self._size, time.monotonic() - self._asked_at, self._most)
        self._asked_at = None
        self.is_over = self._following is None
        self.passed = self.total if self._following is None else self._last - self._following
        self._below = self._following


def next_size(size: int, seconds: float, most: int) -> int:
    """How many rows to go over next, when so many took so long.

    >>> next_size(1_000, 0.01, 20_000), next_size(16_000, 0.01, 20_000), next_size(1_000, 0.3, 20_000)
    (2000, 20000, 250)
    >>> next_size(1_000, 0.04, 20_000), next_size(1, math.inf, 20_000)
    (1000, 1)
    """
    if seconds < SLICE_SECONDS / 2:
        return min(2 * size, most)
    return size if seconds < SLICE_SECONDS else max(size // 4, 1)


def _portions(found: Sequence[Row]) -> Iterator[list[int]]:
    """The ids of rows, newest first, in portions of about LETTERS letters at most."""
    portion: list[int] = []
    letters = 0
    for number, size in sorted(map(tuple, found), reverse=True):
        if portion and (letters + size > LETTERS or len(portion) == slices.CHUNK):
            yield portion
            portion, letters = [], 0
        portion.append(number)
        letters += size
    if portion:
        yield portion


def _state(value: str) -> State | None:
    return State(value) if value in [state.value for state in State] else None
