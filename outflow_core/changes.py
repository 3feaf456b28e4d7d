"""Ledger: all runs and the state of every block, kept current by short reads, never by a full one twice.

The first look reads the newest runs; the next ones their blocks, then the history, newest first. Later
a look costs one cheap question when nothing has changed, and otherwise: new ids, the blocks that run
and those that are next, gaps among the newest ids (they may be committed late), and two slices that go
round: of what waits in runs that go on (a run's blocks may begin in any order), and of everything, so
that an edited or deleted row of the past is noticed too. `sweep_looks` says how many looks one round takes.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from outflow_core import odd_values
from outflow_core.block_codes import STRETCH, STRETCH_WITH_GAPS, Stretch, has_gaps, stretch_of
from outflow_core.block_index import GAP, SIZE, BlockIndex, Span
from outflow_core.known_runs import KnownRuns
from outflow_core.reader import Reader
from outflow_core.rows import ProcessRow, RunRow, TaskCounts
from outflow_core.states import State
from outflow_core.tables import block

PAGE = SIZE
"""Blocks that one statement reads at most."""
HISTORY_SECONDS = 0.1
"""How long one look goes on with the history before it hands in what it has."""
SWEPT_BLOCKS = 512
"""Ids that are looked at once more at each look; more where little else has changed."""
CALM_BLOCKS = 4_096
CALM = 16
"""Little: so many blocks."""
WAITING = 512
"""So many of the ids that are next are read at each look, and so many of a slice that goes round are counted."""
RECENT = 2_000
"""Among so many of the newest ids gaps are looked into."""
FEW_GAPS = 4

_SPAN = (block.c.id >= bindparam("first"), block.c.id <= bindparam("last"))
_ABOVE = select(func.min(block.c.id)).where(block.c.id > bindparam("known"))
_WAITING = select(func.count()).where(*_SPAN, block.c.state == State.PENDING)
ALONE = 5
"""So many blocks that stand alone are asked for by one statement."""
_SOME_IDS = [f"id{place}" for place in range(ALONE)]
_STILL_RUNNING = select(func.count()).where(block.c.state == State.RUNNING, block.c.id.in_(map(bindparam, _SOME_IDS)))
_AT_ONCE = select(*(one.scalar_subquery() for one in (_ABOVE, _STILL_RUNNING, _WAITING)))
"""Three questions by one statement: on PostgreSQL to ask costs more than to answer."""
_moments = [odd_values.as_text(func.max(column)) for column in (block.c.start_time, block.c.end_time)]
_LIVE_STRETCH = STRETCH.add_columns(*_moments)
_SIGNS = select(block.c.run_id, *_moments).where(*_SPAN).group_by(block.c.run_id)
_BELOW = select(func.max(block.c.id)).where(block.c.id < bindparam("first"))
_NEWEST = select(func.max(block.c.id))


class Changes(NamedTuple):
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
        self._runs = KnownRuns(self._reader)
        self.index = BlockIndex(PAGE)
        self._pulse: Hashable = None
        self._blocks_left: int | None = None
        self._swept_block = 0
        self._round = (0, -1)
        self.is_complete = False
        self._changed_blocks: set[int] = set()

    @property
    def runs(self) -> Mapping[int, RunRow]:
        """The runs by id."""
        return self._runs.rows

    @property
    def processes(self) -> Mapping[int, tuple[ProcessRow, ...]]:
        """The processes that have not ended, of each run that claims to go on."""
        return self._runs.processes

    def counts(self, run_id: int) -> TaskCounts:
        """The tasks of a run by state, as far as they are known."""
        tally = self.index.tallies.get(run_id)
        return tally.counts() if tally else TaskCounts()

    def failed_tasks(self, run_id: int) -> list[int]:
        """The ids of one run's failed tasks, in order."""
        return self.index.failed_of(run_id)

    @property
    def sweep_looks(self) -> int:
        """After so many looks that find a change everything was looked at once more."""
        return max((self.index.pages + 1) * -(-PAGE // SWEPT_BLOCKS), self._runs.sweep_looks) + 1

    def look(self) -> Changes:
        """Bring the ledger up to date with the books, and say what is different.

        Raises SourceError; what was known before stays known.
        """
        pulse = self._reader.pulse()
        restarted = self._reader.identity != self.identity
        if restarted:
            self.identity = self._reader.identity
            self._restart()
        changed, was_complete, is_first = pulse != self._pulse, self.is_complete, self._pulse is None
        if changed:
            self._runs.read()
            self._read_blocks()
        if not was_complete and not is_first:
            self._read_history()
        if (changed or not was_complete) and not is_first:
            self._runs.read_processes()
        self._pulse = pulse
        return Changes(*self._hand_in(), changed, restarted)

    def _hand_in(self) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
        """What changed since the last look that did not fail."""
        kept = self._runs.changed, self._changed_blocks, self.index.touched
        runs, blocks, tallies = map(frozenset, kept)
        for changed in kept:
            changed.clear()
        return runs, blocks, tallies

    # blocks

    def _read_blocks(self) -> None:
        """New blocks, the gaps, those that are not final, and a slice of the others."""
        if self._blocks_left is None:
            return
        above = self._ask_at_once()
        self._read_new(above)
        self._read_gaps()
        for run_id in self._unfinished():
            self._read_unfinished(run_id)
        self._sweep()

    def _unfinished(self) -> list[int]:
        """The runs that go on, or did until now."""
        among = self.index.tallies.keys() & self.runs.keys()
        return sorted((self._runs.open | self._runs.changed) & among)

    def _ask_at_once(self) -> int | None:
        """Whether other blocks run alone or wait in the next slice than before; and the first id above all others."""
        spans = (span for run_id in self._unfinished() for span in self.index.running(run_id))
        alone = [first for first, last in spans if first == last]
        some, (first, last) = alone[:ALONE], self._next_round()
        values = {"known": self.index.last, "first": first, "last": last, **_among(some)}
        before = self.index.waiting_in(first, last)
        ((above, running, waiting),) = self._reader.rows(_AT_ONCE, values)
        if running != len(some):
            self._read_each(some)
        for start in range(ALONE, len(alone), ALONE):
            some = alone[start : start + ALONE]
            if self._ask(_STILL_RUNNING, _among(some)) != len(some):
                self._read_each(some)
        if waiting != before:
            self._read(first, last)
        return above  # type: ignore[no-any-return]

    def _read_each(self, ids: Iterable[int]) -> None:
        for block_id in ids:
            self._read(block_id, block_id)

    def _read(self, first: int, last: int, *, is_live: bool = False) -> list[int]:
        """Know the blocks of a span of ids as they are now, and live ones' signs; those that are others than before."""
        changed = [number for start, end in self._parts(first, last) for number in self._take(start, end, is_live)]
        self._changed_blocks.update(changed)
        return changed

    def _parts(self, first: int, last: int) -> list[Span]:
        """A span page by page."""
        numbers = range(first // PAGE, last // PAGE + 1)
        return [(max(first, number * PAGE), min(last, (number + 1) * PAGE - 1)) for number in numbers]

    def _take(self, first: int, last: int, is_live: bool = False) -> Collection[int]:
        """Know a part of a page; the ids of the blocks that are others than before."""
        found, moments = self._stretch(first, last, is_live)
        changed = self.index.take(found)
        if changed and moments and len(found.segments) == 1:
            self.index.hear(found.segments[0][0], moments)
        elif changed:
            self._hear(min(changed), max(changed))
        return changed

    def _stretch(self, first: int, last: int, is_live: bool) -> tuple[Stretch, Sequence[Any]]:
        """A part of a page as it is now, and of a live one the latest signs of life, unless ids are missing."""
        span = {"first": first, "last": last}
        if last <= self.index.last and not any(self.index.unknown((first, last))):
            ((letters, runs, *moments),) = self._reader.rows(_LIVE_STRETCH if is_live else STRETCH, span)
            if not has_gaps(first, last, letters):
                return stretch_of(first, last, letters, runs), moments
        (found,) = self._reader.rows(STRETCH_WITH_GAPS, span)
        return stretch_of(first, last, *found), ()

    def _hear(self, first: int, last: int) -> None:
        """Ask for the latest signs of life in a span, if one of the runs there says that it is running."""
        owners = self.index.runs_at(first)
        if any(run_id in self._runs.open for run_id in owners):
            for run_id, *moments in self._reader.rows(_SIGNS, {"first": first, "last": last}):
                if run_id in self.index.tallies:
                    self.index.hear(run_id, moments)

    def _read_new(self, first: int | None) -> None:
        while first is not None:
            last = int(first // PAGE + 1) * PAGE - 1
            self._read(first, last)
            first = self._ask(_ABOVE, {"known": last})

    def _read_gaps(self) -> None:
        """What may have been committed late among the newest."""
        last = self.index.last
        gaps = list(self.index.unknown((max(last - RECENT, 0), last)))
        for first, end in gaps if len(gaps) <= FEW_GAPS else [(gaps[0][0], gaps[-1][1])]:
            self._read(first, min(end, last))

    def _read_unfinished(self, run_id: int) -> None:
        """The blocks of a run that were running, and of the waiting ones as far as they go on changing.

        When the run is over this is the last time that anybody asks: then all of them.
        """
        read, went_on = self._read_running(run_id)
        first, tally = self.index.next_pending(run_id, -1), self.index.tallies[run_id]
        left, count = PAGE * PAGE if self.runs[run_id].state.is_final else WAITING, WAITING
        while first is not None and left > 0:
            is_read, waiting = read[0] <= first <= read[1], tally.waiting
            end = read[1] if is_read else first + count - 1
            left -= WAITING if is_read else self.index.owned(run_id, first, end)
            if went_on if is_read else self._recount(first, end) and tally.waiting != waiting:
                left, count = max(left, 1), min(2 * count, PAGE)
            first = self.index.next_pending(run_id, end)

    def _read_running(self, run_id: int) -> tuple[Span, bool]:
        """The blocks of a run that were running, and what is next: the last span, and if much of that changed."""
        read, went_on = (0, -1), False
        for first, last in [span for span in self.index.running(run_id) if span[0] != span[1]]:
            following = self.index.next_pending(run_id, last)
            is_near = following is not None and following <= last + GAP
            read = first, last + WAITING if is_near else last
            changed = self._read(*read, is_live=True)
            went_on = is_near and bool(changed) and max(changed) > last + WAITING // 2
        return read, went_on

    def _recount(self, first: int, last: int) -> bool:
        """Whether other blocks of a span wait than before; then they are read."""
        waiting = self.index.waiting_in(first, last)
        return self._ask(_WAITING, {"first": first, "last": last}) != waiting and bool(self._read(first, last))

    def _next_round(self) -> Span:
        """The next slice of what waits in the runs that go on."""
        run_id, after = self._round
        first = self.index.next_pending(run_id, after) if run_id in self._runs.open else None
        if first is None:
            waiting = sorted(self._runs.open)
            run_id = next((number for number in waiting if number > run_id), waiting[0] if waiting else 0)
            first = self.index.next_pending(run_id, -1)
        self._round = run_id, after if first is None else first + WAITING - 1
        return (0, -1) if first is None else (first, first + WAITING - 1)

    def _sweep(self) -> None:
        """Look once more at some blocks, wherever they are."""
        first = self._swept_block if self._swept_block <= self.index.last else 0
        if self.index.next_page(first // PAGE) != first // PAGE:
            first = self._next_place(first)
        count = SWEPT_BLOCKS if len(self._changed_blocks) > CALM else max(CALM_BLOCKS, SWEPT_BLOCKS)
        last = min(first + count, (first // PAGE + 1) * PAGE) - 1
        self._read(first, last)
        self._swept_block = last + 1

    def _next_place(self, first: int) -> int:
        """Where the sweep goes on from a page of which no block is known: at the next page with any."""
        there, number = self._ask(_ABOVE, {"known": first - 1}), self.index.next_page(first // PAGE)
        places = [there // PAGE * PAGE] if there is not None else []
        return min([*places, *([number * PAGE] if number is not None else [])], default=0)

    # history

    def _read_history(self) -> None:
        """Some more of what was there before the first look."""
        until = time.monotonic() + HISTORY_SECONDS
        self._read_step()
        while not self.is_complete and time.monotonic() < until:
            self._read_step()

    def _read_step(self) -> None:
        """The newest blocks, then the older runs, then the older blocks."""
        if self._blocks_left is None:
            self._read_older(self._ask(_NEWEST, {}))
        elif not self._runs.has_all:
            self._runs.read_older()
        else:
            self._read_older(self._ask(_BELOW, {"first": self._blocks_left}))
            self.is_complete = self._blocks_left == 0

    def _read_older(self, newest: int | None) -> None:
        """The page that this block is in, and no more if there is none."""
        if newest is None or newest < 0:
            self._blocks_left = 0
            return
        number = newest // PAGE
        self._take(number * PAGE, (number + 1) * PAGE - 1)
        self._blocks_left = number * PAGE

    def _ask(self, statement: Any, values: Mapping[str, Any]) -> Any:
        """The one value that a statement gives."""
        return self._reader.rows(statement, values)[0][0]


def _among(ids: list[int]) -> dict[str, int]:
    """The values for some ids, fewer or as many as `_SOME_IDS`: the last one fills up."""
    return dict(zip(_SOME_IDS, ids + (ids[-1:] or [-1]) * ALONE, strict=False))
