"""The runs of the books and who records them, kept current by short reads: the part of a ledger that knows no block."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from typing import Any

from outflow_core import run_queries
from outflow_core.reader import Reader
from outflow_core.rows import ProcessRow, RunRow
from outflow_core.states import State

FIRST_RUNS = 60
"""Runs of the first look: more than a screen shows."""
RUNS = 1_000
"""Runs that one statement of the history reads."""
SWEPT_RUNS = 100
RECENT_RUNS = 50
PROCESS_LOOKS = 16
"""Whether there is a table of processes by now is asked again after so many looks."""


class KnownRuns:
    """The runs by id, as of the last read."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.rows: dict[int, RunRow] = {}
        self.open: set[int] = set()
        """The ids of those that are not over."""
        self.changed: set[int] = set()
        """The ids of those that were found to be others than before, until somebody empties it."""
        self.has_all = False
        """Whether the history has been read to its beginning."""
        self.processes: dict[int, tuple[ProcessRow, ...]] = {}
        """The processes that have not ended, of each run that claims to go on."""
        self._values: dict[int, tuple[Any, ...]] = {}
        self._ids: list[int] = []
        self._swept = 0
        self._has_processes = False
        self._processes_of: set[int] = set()
        self._looks_without = 0

    @property
    def sweep_looks(self) -> int:
        """After so many reads each run was looked at once more."""
        return len(self.rows) // SWEPT_RUNS + 1

    def read(self) -> None:
        """New runs, those that are not over, the newest, and a slice of the others."""
        ids = self._sorted_ids()
        if not ids:
            self._keep(run_queries.run_values_below(self._reader, None, FIRST_RUNS))
            return
        beginning = 0 if self.has_all else ids[0]
        recent = ids[-RECENT_RUNS] if len(ids) > RECENT_RUNS else beginning
        self._take(run_queries.run_values_from(self._reader, recent), recent, ids[-1])
        older = {run_id for run_id in self.open if run_id < recent}
        if older:
            found = run_queries.run_values_by_id(self._reader, older)
            self._forget(older - {row[0] for row in found})
            self._keep(found)
        if recent > beginning:
            self._sweep(ids)

    def read_older(self) -> None:
        """Some more of the history, newest first."""
        found = run_queries.run_values_below(self._reader, min(self.rows, default=None), RUNS)
        self.has_all = len(found) < RUNS
        self._keep(found)

    def read_processes(self) -> None:
        """Who records the runs that go on, where a table says that."""
        running = {run_id for run_id in self.open if self.rows[run_id].state is State.RUNNING}
        was_there, self._has_processes = self._has_processes, False  # after a failure it is asked for again
        if running and (was_there or self._finds_processes(running)):
            self.processes = run_queries.processes(self._reader, running)
            self._has_processes = True
        else:
            self.processes = {}

    def _sorted_ids(self) -> list[int]:
        if len(self._ids) != len(self.rows):
            self._ids = sorted(self.rows)
        return self._ids

    def _sweep(self, ids: list[int]) -> None:
        """The next slice of all runs; with the gaps, as ids may be committed late."""
        start = self._swept if self._swept < len(ids) else 0
        end = self._swept = start + SWEPT_RUNS
        first = 0 if self.has_all and not start else ids[start]
        last = ids[end] - 1 if end < len(ids) else ids[-1]
        self._take(run_queries.run_values_between(self._reader, first, last), first, last)

    def _take(self, found: Collection[tuple[Any, ...]], first: int, last: int) -> None:
        """Know the runs of a span of ids as they were found."""
        ids = self._sorted_ids()
        known = ids[bisect_left(ids, first) : bisect_right(ids, last)]
        self._forget(set(known) - {row[0] for row in found})
        self._keep(found)

    def _keep(self, found: Iterable[tuple[Any, ...]]) -> None:
        for values in found:
            number = values[0]
            if self._values.get(number) != values:
                row = self.rows[number] = run_queries.run_row(values)
                self._ids = self._ids if number in self._values else []
                self._values[number] = values
                (self.open.discard if row.state.is_final else self.open.add)(number)
                self.changed.add(number)

    def _forget(self, ids: set[int]) -> None:
        for run_id in ids:
            del self.rows[run_id], self._values[run_id]
        self._ids = []
        self.open -= ids
        self.changed |= ids

    def _finds_processes(self, running: set[int]) -> bool:
        """Whether the table is there: asked when other runs go on, and now and then, for an upgrade makes it."""
        self._looks_without += 1
        if running == self._processes_of and self._looks_without % PROCESS_LOOKS:
            return False
        found = self._reader.has_processes()
        self._processes_of = running
        return found
