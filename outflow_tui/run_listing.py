"""The runs of all sources as a list that is never written out: a line is made when it is drawn; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from operator import is_
from typing import NamedTuple, TypeVar

from outflow_core.states import State
from outflow_tui import status
from outflow_tui.long_lists import LongList
from outflow_tui.snapshot import RunKey, RunLine

T = TypeVar("T")


class Entry(NamedTuple):
    """A run, and the place of its source."""

    place: int
    line: RunLine

    @property
    def key(self) -> RunKey:
        """What tells it from all others."""
        return self.place, self.line.row.id


class KnownRuns:
    """What was seen of every source, with what follows from it alone: found out once, however many keys come."""

    def __init__(self, runs: Sequence[Sequence[RunLine]] = ()) -> None:
        self._runs = tuple(runs)

    def now(self, runs: Sequence[Sequence[RunLine]]) -> KnownRuns:
        """What is known of these; where they are the very same, this."""
        return self if len(runs) == len(self._runs) and all(map(is_, runs, self._runs)) else KnownRuns(runs)

    @cached_property
    def newest(self) -> list[Entry]:
        """All runs, newest first."""
        entries = list(self._entries())
        if len(self._runs) > 1:
            entries.sort(key=lambda entry: (entry.line.row.start_time or datetime.min, entry.line.row.id), reverse=True)
        return entries

    @cached_property
    def running(self) -> list[Entry]:
        """The runs that say they are running: what they are called depends on the time."""
        return [entry for entry in self._entries() if entry.line.row.state is State.RUNNING]

    def tally(self, now: datetime) -> str:
        """How many there are in each state, in words."""
        return status.tally([entry.line for entry in self.running], now, self._others)

    @cached_property
    def _others(self) -> Counter[str]:
        """How many of all others are in each state."""
        states = Counter(line.row.state for lines in self._runs for line in lines)
        return Counter({state.value: number for state, number in states.items() if state is not State.RUNNING})

    def _entries(self) -> Iterator[Entry]:
        return (Entry(place, line) for place, lines in enumerate(self._runs) for line in lines)


class RunItems(LongList[T]):
    """The chosen runs, each made into an item when it is asked for."""

    def __init__(self, entries: Sequence[Entry], make: Callable[[Entry], T]) -> None:
        self.entries = entries
        self._make = make

    def __len__(self) -> int:
        return len(self.entries)

    def at(self, place: int) -> T:
        """The item at a place."""
        return self._make(self.entries[place])

    def place_of(self, key: RunKey | None) -> int | None:
        """Where a run stands."""
        source, run_id = key or (-1, -1)
        places = enumerate(self.entries)
        return next((at for at, (place, line) in places if line.row.id == run_id and place == source), None)
