"""Whether the processes that record a run still live: judged by their beats, and by their pids where those count.

The clocks of two hosts need not agree. When a process was last heard of is told by the database's
clock as long as nothing else is known; once a beat has been seen to arrive, by our own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from outflow_core.processes import is_there
from outflow_core.rows import Life, LostProcess, ProcessRow, Sign

MISSED_BEATS = 3
"""After so many beats that did not come a process is taken for dead."""
LONGEST_AGE = 1e9
"""In seconds: what is older is not a time that anybody wrote down, and may lie before the first year."""
JUMP = timedelta(seconds=2)
"""A clock that moved more than this against the ticks was set; less is its gait, and the time it takes to ask."""


class _Sighting(NamedTuple):
    """When the latest beat of a process was read, and how old it was then."""

    beat: datetime | None
    ticks: float
    age: float


class Watch:
    """Remembers when each process was heard of; asked often, it notices when one is not any more."""

    def __init__(
        self, clock: Callable[[], datetime] = datetime.now, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._ticks = ticks
        self._zero = clock() - timedelta(seconds=ticks())
        """What our clock says that the ticks began at; it may be put right meanwhile."""
        self._sightings: dict[int, _Sighting] = {}
        self._looked_at = float("-inf")

    def lives(self, processes: Mapping[int, Sequence[ProcessRow]]) -> dict[int, Life]:
        """What is known of each run that has processes which have not ended."""
        self.look(row for rows in processes.values() for row in rows)
        found = {run_id: [row for row in rows if row.ended_at is None] for run_id, rows in processes.items()}
        return {run_id: self._life(rows) for run_id, rows in found.items() if rows}

    def look(self, rows: Iterable[ProcessRow]) -> None:
        """Take in what the books say now of all processes that are looked at."""
        ticks = self._ticks()
        zero = self._clock() - timedelta(seconds=ticks)
        if abs(zero - self._zero) > JUMP:
            self._zero = zero
        self._sightings = {row.id: self._sighting(row, ticks) for row in rows}
        self._looked_at = ticks

    def sign(self, row: ProcessRow) -> Sign:
        """How a process stands that was looked at."""
        if row.ended_at is not None:
            return Sign.ENDED
        there = is_there(row.pid, row.pid_space, row.start_ticks)
        if there is not None:  # it may be too busy to beat, or not reach the database
            return Sign.ALIVE if there else Sign.GONE
        sighting = self._sightings[row.id]
        age = sighting.age + self._ticks() - sighting.ticks
        return Sign.ALIVE if age <= MISSED_BEATS * row.beat_seconds else Sign.MISSED

    def _sighting(self, row: ProcessRow, ticks: float) -> _Sighting:
        known = self._sightings.get(row.id)
        if known is not None and known.beat == row.last_seen_at:
            return known
        age = min(max(row.age_seconds or 0.0, 0.0), LONGEST_AGE)
        if known is not None:  # it has beaten since the last look, whatever the clocks say
            age = min(age, ticks - self._looked_at)
        return _Sighting(row.last_seen_at, ticks, age)

    def _life(self, rows: Sequence[ProcessRow]) -> Life:
        signs = [(self.sign(row), row) for row in rows]
        lost = [self._lost(row, sign) for sign, row in signs if sign is not Sign.ALIVE]
        latest = max(lost, key=lambda one: (not one.is_gone, one.since), default=None)
        return Life(len(rows) - len(lost), len(lost), latest)

    def _lost(self, row: ProcessRow, sign: Sign) -> LostProcess:
        sighting = self._sightings[row.id]
        since = self._zero + timedelta(seconds=sighting.ticks - sighting.age)
        return LostProcess(row.pid, row.hostname, row.job, since, sign is Sign.GONE)
