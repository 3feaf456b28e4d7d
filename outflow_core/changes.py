"""Ledger: all runs and the state of every block, kept current by short reads, never by a full one twice.

The first look reads the newest runs and blocks; the history follows in pages, newest first: they are
counted, and read only where a run goes on. Later a look costs one cheap question when nothing has
changed, and otherwise: new ids, what was not final in runs that are not over or have just ended, gaps
in the newest ids (they may be committed late), and a page of everything else, so that an edited or
deleted row of the past is noticed too, some time later.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, bindparam, func, select, type_coerce

from outflow_core import queries
from outflow_core.block_index import SIZE, UNKNOWN, BlockIndex, Span
from outflow_core.odd_values import Whole, told
from outflow_core.reader import Reader
from outflow_core.rows import ProcessRow, RunRow, TaskCounts
from outflow_core.states import BlockType, State
from outflow_core.tables import block

SLICE = 4_000
"""Blocks that one statement reads at most."""
HISTORY_SECONDS = 0.05
"""How long one look goes on with the history before it hands in what it has."""
RUNS = 500
PAGE = SIZE
"""Blocks that are counted by one statement."""
SWEPT_BLOCKS = 2_000
SWEPT_RUNS = 100
RECENT_RUNS = 50
NEXT_PENDING = 2_000
RECENT = 2_000

_RUN_ID = func.coalesce(Whole(block.c.run_id), -1)
_ROW: list[ColumnElement[Any]] = [
    block.c.id,
    _RUN_ID,
    type_coerce(block.c.type, String),
    type_coerce(block.c.state, String),
    told(block.c.name),
    queries.as_text(block.c.start_time),
    queries.as_text(block.c.end_time),
]
_KINDS: tuple[ColumnElement[Any], ...] = (
    _RUN_ID,
    type_coerce(block.c.type, String),
    type_coerce(block.c.state, String),
)
_GROUPS: list[ColumnElement[Any]] = [
    *_KINDS,
    func.count(),
    func.min(block.c.id),
    func.max(block.c.id),
    func.sum(block.c.id),
    queries.as_text(func.max(block.c.start_time)),
    queries.as_text(func.max(block.c.end_time)),
]
_IN_SPAN = (block.c.id >= bindparam("first"), block.c.id <= bindparam("last"))
_BETWEEN = select(*_ROW).where(*_IN_SPAN)
_ABOVE = select(*_ROW).where(block.c.id > bindparam("last")).order_by(block.c.id).limit(bindparam("count"))
_COUNTED = select(*_GROUPS).where(*_IN_SPAN).group_by(*_KINDS).order_by(*_KINDS)
_FAILED = select(block.c.id).where(
    *_IN_SPAN, block.c.run_id == bindparam("run"), block.c.type == BlockType.TASK, block.c.state == State.FAILED
)
_Row = tuple[int, int, str, str, str, object, object]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look found to be different from the look before: ids of runs and blocks."""

    runs: frozenset[int] = frozenset()
    blocks: frozenset[int] = frozenset()
    tallies: frozenset[int] = frozenset()
    """The runs whose tasks are counted anew."""
    asked: bool = False
    """Whether the books had changed at all, so that more was read than the pulse."""
    restarted: bool = False
    """Whether another database has taken the place of the one before: nothing read from that one holds."""


class Ledger:
    """The runs by id and the tasks of each by state, as of the last `look`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.identity: Hashable = None
        self._restart()

    def _restart(self) -> None:
        self.runs: dict[int, RunRow] = {}
        self.index = BlockIndex(PAGE)
        self.processes: dict[int, tuple[ProcessRow, ...]] = {}
        """The processes that have not ended, of each run that claims to go on."""
        self._has_processes = False
        self._pulse: Hashable = None
        self._blocks_left: int | None = None
        self._runs_left: int | None = None
        self._swept_block = 0
        self._swept_run = 0
        self.is_complete = False
        self._changed_runs: set[int] = set()
        self._changed_blocks: set[int] = set()

    def counts(self, run_id: int) -> TaskCounts:
        """The tasks of a run by state, as far as they are known."""
        tally = self.index.tallies.get(run_id)
        return tally.counts() if tally else TaskCounts()

    def failed_tasks(self, run_id: int) -> list[int]:
        """The ids of one run's failed tasks, in order; where the blocks were only counted they are asked for."""
        values = ({"run": run_id, **_page(number)} for number in self.index.failed_pages(run_id))
        asked = (row[0] for page in values for row in self._reader.rows(_FAILED, page))
        return sorted([*self.index.failed_of(run_id), *asked])

    def look(self) -> Changes:
        """Bring the ledger up to date with the books, and say what is different.

        Raises SourceError; what was known before stays known.
        """
        pulse = self._reader.pulse()
        restarted = self._reader.identity != self.identity
        if restarted:
            self.identity = self._reader.identity
            self._restart()
        changed = pulse != self._pulse
        if changed:
            self._read_runs()
            self._read_blocks()
        was_complete = self.is_complete
        if not was_complete:
            self._read_history()
        if changed or not was_complete:
            self._read_processes()
        self._pulse = pulse
        return Changes(*self._hand_in(), changed, restarted)

    def _hand_in(self) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
        """What changed since the last look that did not fail."""
        kept = self._changed_runs, self._changed_blocks, self.index.touched
        runs, blocks, tallies = map(frozenset, kept)
        for changed in kept:
            changed.clear()
        return runs, blocks, tallies

    def _read_runs(self) -> None:
        """New runs, those that are not over, the newest, and a slice of the others."""
        if not self.runs:
            self._keep_runs(queries.runs(self._reader, count=RUNS))
            return
        open_ids = {run_id for run_id, row in self.runs.items() if not row.state.is_final}
        found = queries.runs_by_id(self._reader, open_ids)
        self._forget_runs(open_ids - {row.id for row in found})
        self._keep_runs(found)
        for first, last in self._run_spans():
            found = queries.runs_between(self._reader, first, last)
            self._forget_runs({run_id for run_id in self.runs if first <= run_id <= last} - {row.id for row in found})
            self._keep_runs(found)
        while found := queries.runs_above(self._reader, max(self.runs, default=-1), count=RUNS):
            self._keep_runs(found)

    def _run_spans(self) -> tuple[Span, ...]:
        """The newest runs, and the next slice of all; with the gaps, as ids may be committed late."""
        ids = sorted(self.runs)
        if not ids:
            return ()
        starts = [0, *ids[1:]] if self._runs_left == 0 else ids
        ends = [*(first - 1 for first in starts[1:]), ids[-1]]
        start = self._swept_run if self._swept_run < len(ids) else 0
        self._swept_run = start + SWEPT_RUNS
        return (starts[-RECENT_RUNS:][0], ends[-1]), (starts[start], ends[start : start + SWEPT_RUNS][-1])

    def _keep_runs(self, rows: Iterable[RunRow]) -> None:
        news = {row.id: row for row in rows if self.runs.get(row.id) != row}
        self.runs.update(news)
        self._changed_runs |= news.keys()

    def _forget_runs(self, ids: set[int]) -> None:
        for run_id in ids:
            del self.runs[run_id]
        self._changed_runs |= ids

    def _read_blocks(self) -> None:
        """New blocks, the gaps, those that are not final, and a slice of the others."""
        if self._blocks_left is None:
            self._read_newest()
            return
        self._read_new()
        self._know_unfinished()
        last = self.index.last
        for span in list(self.index.spans(UNKNOWN, (max(last - RECENT, 0), last)))[-50:]:
            self._read_span(span)
        tallies = self.index.tallies
        waiting = {
            run_id: tallies[run_id].waiting
            for run_id, row in self.runs.items()
            if run_id in tallies and (not row.state.is_final or run_id in self._changed_runs)
        }
        for run_id, number in waiting.items():
            self._read_unfinished(run_id, number)
        known_from = self._blocks_left  # what is older will be counted: read before, it would count twice
        self._sweep(self._swept_block if known_from <= self._swept_block <= last else known_from)

    def _know_unfinished(self) -> None:
        """Read the pages that were only counted, but in which a run goes on or has just ended."""
        followed = {run_id for run_id, row in self.runs.items() if not row.state.is_final} | self._changed_runs
        for number in self.index.unfinished_pages(followed):
            found = self._read_page(number)
            self._changed_blocks |= found if self.is_complete else set()

    def _read_page(self, number: int) -> set[int]:
        """Know every block of a page; their ids."""
        rows = self._rows(_BETWEEN, _page(number))
        self.index.uncount(number)
        return self.index.learn(rows)

    def _count_page(self, number: int) -> bool:
        """Count the blocks of a page; whether they are others than before."""
        return self.index.count(number, [tuple(row) for row in self._reader.rows(_COUNTED, _page(number))])

    def _sweep(self, start: int) -> None:
        """Look once more at some blocks, wherever they are."""
        number = start // PAGE
        end = min(start + SWEPT_BLOCKS, (number + 1) * PAGE)
        if not self.index.is_counted(number):
            self._read_span((start, end - 1))
        else:
            end = (number + 1) * PAGE
            if self._count_page(number):
                self._changed_blocks.update(range(number * PAGE, end))
                self._know_unfinished()
        self._swept_block = end

    def _read_new(self) -> None:
        while True:
            rows = self._rows(_ABOVE, {"last": self.index.last, "count": SLICE})
            self._changed_blocks |= self.index.learn(rows)
            if len(rows) < SLICE:
                return

    def _read_unfinished(self, run_id: int, waiting: int) -> None:
        """The blocks of a run that were running, and of the `waiting` ones as far as they go on changing.

        When the run is over this is the last time that anybody asks: then all of them.
        """
        tally, is_over = self.index.tallies[run_id], self.runs[run_id].state.is_final
        for span, _ in self.index.spans_of(run_id, State.RUNNING):
            self._read_span(span)
        for window in _windows(self.index.spans_of(run_id, State.PENDING), NEXT_PENDING):
            for span in window:
                self._read_span(span)
            if tally.waiting == waiting and not is_over:
                return
            waiting = tally.waiting

    def _read_span(self, span: Span) -> None:
        first, last = span
        for start in range(first, last + 1, SLICE):
            end = min(start + SLICE - 1, last)
            rows = self._rows(_BETWEEN, {"first": start, "last": end})
            self._changed_blocks |= self.index.learn(rows)
            self._changed_blocks |= self.index.keep_only((start, end), {row[0] for row in rows})

    def _read_processes(self) -> None:
        """Who records the runs that go on, where a table says that."""
        running = {run_id for run_id, row in self.runs.items() if row.state is State.RUNNING}
        was_there, self._has_processes = self._has_processes, False  # after a failure it is asked for again
        if running and (was_there or self._reader.has_processes()):
            self.processes = queries.processes(self._reader, running)
            self._has_processes = True
        else:
            self.processes = {}

    def _read_history(self) -> None:
        """Some more of what was there before the first look."""
        until = time.monotonic() + HISTORY_SECONDS
        while time.monotonic() < until and not self.is_complete:
            if self._runs_left != 0:
                self._read_older_runs()
            else:
                self._read_older()
                self.is_complete = self._blocks_left == 0

    def _read_older_runs(self) -> None:
        rows = queries.runs(self._reader, count=RUNS, below=min(self.runs, default=None))
        self._runs_left = None if len(rows) == RUNS else 0
        self._keep_runs(rows)

    def _read_newest(self) -> None:
        """The newest blocks, each by itself, down to the beginning of a page."""
        count = max(SLICE, RECENT)
        rows = self._rows(select(*_ROW).order_by(block.c.id.desc()).limit(count))
        if len(rows) == count:
            first = rows[-1][0]
            rows += self._rows(_BETWEEN, {"first": first // PAGE * PAGE, "last": first - 1})
        self._changed_blocks |= self.index.learn(rows)
        self._blocks_left = rows[-1][0] // PAGE * PAGE if len(rows) >= count else 0

    def _read_older(self) -> None:
        """Count the next page that holds any blocks."""
        older = self._reader.rows(select(func.max(block.c.id)).where(block.c.id < self._blocks_left))[0][0]
        if older is None or older < 0:
            self._blocks_left = 0
            return
        number = older // PAGE
        self._count_page(number)
        self._blocks_left = number * PAGE
        self._know_unfinished()

    def _rows(self, query: Select[_Row], values: Mapping[str, int] | None = None) -> list[_Row]:
        return [tuple(row) for row in self._reader.rows(query, values)]


def _page(number: int) -> dict[str, int]:
    """The first and the last id of a page, as a statement's values."""
    return {"first": number * PAGE, "last": (number + 1) * PAGE - 1}


def _windows(spans: Iterable[tuple[Span, int]], count: int) -> Iterator[list[Span]]:
    """The spans in portions of at least `count` blocks."""
    window: list[Span] = []
    blocks = 0
    for span, number in spans:
        window.append(span)
        blocks += number
        if blocks >= count:
            yield window
            window, blocks = [], 0
    if window:
        yield window
