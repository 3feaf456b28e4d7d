"""Ledger: all runs and the state of every block, kept current by short reads, never by a full one twice.

The first look reads the newest runs and blocks; the history follows in slices, newest first. Later
a look costs one cheap question when nothing has changed, and otherwise: new ids, what was not
final in runs that are not over, gaps in the newest ids (they may be committed late), and a slice
of everything else, so that an edited or deleted row of the past is noticed too, some time later.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Select, String, select, type_coerce

from outflow_core import queries
from outflow_core.block_index import PENDING, RUNNING, UNKNOWN, BlockIndex, Span
from outflow_core.reader import Reader
from outflow_core.rows import RunRow, TaskCounts
from outflow_core.tables import block

SLICE = 4_000
"""Blocks that one statement reads at most."""
HISTORY_SECONDS = 0.05
"""How long one look goes on with the history before it hands in what it has."""
RUNS = 500
SWEPT_BLOCKS = 2_000
SWEPT_RUNS = 100
NEXT_PENDING = 2_000
RECENT = 2_000

_ROW = [
    block.c.id,
    block.c.run_id,
    type_coerce(block.c.type, String),
    type_coerce(block.c.state, String),
    block.c.name,
    type_coerce(block.c.start_time, String),
    type_coerce(block.c.end_time, String),
]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look found to be different from the look before: ids of runs and blocks."""

    runs: frozenset[int] = frozenset()
    blocks: frozenset[int] = frozenset()
    asked: bool = False
    """Whether the books had changed at all, so that more was read than the pulse."""
    restarted: bool = False
    """Whether another database has taken the place of the one before: nothing read from that one holds."""


class Ledger:
    """The runs by id and the tasks of each by state, as of the last `look`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._identity: Hashable = None
        self._restart()

    def _restart(self) -> None:
        self.runs: dict[int, RunRow] = {}
        self.index = BlockIndex()
        self._pulse: Hashable = None
        self._blocks_left: int | None = None
        self._runs_left: int | None = None
        self._swept_block = 0
        self._swept_run = 0
        self.is_complete = False

    def counts(self, run_id: int) -> TaskCounts:
        """The tasks of a run by state, as far as they are known."""
        tally = self.index.tallies.get(run_id)
        return tally.counts() if tally else TaskCounts()

    def look(self) -> Changes:
        """Bring the ledger up to date with the books, and say what is different.

        Raises SourceError; what was known before stays known.
        """
        pulse = self._reader.pulse()
        restarted = self._reader.identity != self._identity
        if restarted:
            self._identity = self._reader.identity
            self._restart()
        runs: set[int] = set()
        blocks: set[int] = set()
        changed = pulse != self._pulse
        if changed:
            runs |= self._read_runs()
            blocks |= self._read_blocks()
        if not self.is_complete:
            more_runs, more_blocks = self._read_history()
            runs |= more_runs
            blocks |= more_blocks
        self._pulse = pulse
        return Changes(frozenset(runs), frozenset(blocks), changed, restarted)

    def _read_runs(self) -> set[int]:
        """New runs, those that are not over, and a slice of the others."""
        if not self.runs:
            return self._keep_runs(queries.runs(self._reader, count=RUNS))
        last = max(self.runs)
        found = list(queries.runs_above(self._reader, last, count=10 * RUNS))
        open_ids = {run_id for run_id, row in self.runs.items() if not row.state.is_final}
        asked = open_ids | set(self._next_runs())
        again = queries.runs_by_id(self._reader, asked)
        gone = asked - {row.id for row in again}
        for run_id in gone:
            del self.runs[run_id]
        return self._keep_runs([*found, *again]) | gone

    def _next_runs(self) -> list[int]:
        """The next slice of runs to look at again; the newest ones are always in it."""
        ids = sorted(self.runs)
        start = self._swept_run if self._swept_run < len(ids) else 0
        self._swept_run = start + SWEPT_RUNS
        return ids[-20:] + ids[start : start + SWEPT_RUNS]

    def _keep_runs(self, rows: Iterable[RunRow]) -> set[int]:
        news = {row.id for row in rows if self.runs.get(row.id) != row}
        self.runs.update((row.id, row) for row in rows if row.id in news)
        return news

    def _read_blocks(self) -> set[int]:
        """New blocks, those that are not final, the gaps, and a slice of the others."""
        if self._blocks_left is None:
            return self._read_older()
        changed = self._read_new()
        for span in self._spans_to_read():
            changed |= self._read_span(span)
        return changed

    def _read_new(self) -> set[int]:
        changed: set[int] = set()
        while True:
            rows = self._rows(select(*_ROW).where(block.c.id > self.index.last).order_by(block.c.id).limit(SLICE))
            changed |= self.index.learn(rows)
            if len(rows) < SLICE:
                return changed

    def _spans_to_read(self) -> Iterator[Span]:
        last = self.index.last
        yield from list(self.index.spans(UNKNOWN, (max(last - RECENT, 0), last)))[-50:]
        for run_id, row in self.runs.items():
            tally = self.index.tallies.get(run_id)
            if tally is not None and not row.state.is_final:
                yield from list(self.index.spans(RUNNING, (tally.first, tally.last)))
                yield from _first_ids(list(self.index.spans(PENDING, (tally.first, tally.last))), NEXT_PENDING)
        start = self._swept_block if self._swept_block <= last else 0
        self._swept_block = start + SWEPT_BLOCKS
        yield start, start + SWEPT_BLOCKS - 1

    def _read_span(self, span: Span) -> set[int]:
        first, last = span
        changed: set[int] = set()
        for start in range(first, last + 1, SLICE):
            end = min(start + SLICE - 1, last)
            rows = self._rows(select(*_ROW).where(block.c.id >= start, block.c.id <= end))
            changed |= self.index.learn(rows)
            changed |= self.index.keep_only((start, end), {row[0] for row in rows})
        return changed

    def _read_history(self) -> tuple[set[int], set[int]]:
        """Some more of what was there before the first look."""
        runs: set[int] = set()
        blocks: set[int] = set()
        until = time.monotonic() + HISTORY_SECONDS
        while time.monotonic() < until and not self.is_complete:
            if self._runs_left != 0:
                runs |= self._read_older_runs()
            else:
                blocks |= self._read_older()
                self.is_complete = self._blocks_left == 0
        return runs, blocks

    def _read_older_runs(self) -> set[int]:
        rows = queries.runs(self._reader, count=RUNS, below=min(self.runs, default=None))
        self._runs_left = None if len(rows) == RUNS else 0
        return self._keep_runs(rows)

    def _read_older(self) -> set[int]:
        query = select(*_ROW).order_by(block.c.id.desc()).limit(SLICE)
        if self._blocks_left is not None:
            query = query.where(block.c.id < self._blocks_left)
        rows = self._rows(query)
        self._blocks_left = rows[-1][0] if len(rows) == SLICE else 0
        return self.index.learn(rows)

    def _rows(
        self, query: Select[tuple[int, int, str, str, str, object, object]]
    ) -> list[tuple[int, int, str, str, str, object, object]]:
        return [tuple(row) for row in self._reader.rows(query)]


def _first_ids(spans: list[Span], count: int) -> Iterator[Span]:
    """The spans as far as `count` ids go."""
    for first, last in spans:
        if count <= 0:
            return
        yield first, min(last, first + count - 1)
        count -= last - first + 1
