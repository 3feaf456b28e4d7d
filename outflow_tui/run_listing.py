"""The runs of all sources as a list that is never written out: a line is made when it is drawn; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from operator import is_
from typing import NamedTuple, TypeVar

from outflow_core.states import State
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

    def are(self, runs: Sequence[Sequence[RunLine]]) -> bool:
        """Whether these are the very same."""
        return len(runs) == len(self._runs) and all(map(is_, runs, self._runs))

    @cached_property
    def newest(self) -> list[Entry]:
        """All runs, newest first."""
        entries = [Entry(place, line) for place, lines in enumerate(self._runs) for line in lines]
        if len(self._runs) > 1:
            entries.sort(key=lambda entry: (entry.line.row.start_time or datetime.min, entry.line.row.id), reverse=True)
        return entries

    @cached_property
    def running(self) -> list[Entry]:
        """The runs that say they are running: what they are called depends on the time."""
        return [entry for entry in self.newest if entry.line.row.state is State.RUNNING]

    @cached_property
    def over(self) -> Counter[str]:
        """How many of all others are in each state."""
        states = Counter(entry.line.row.state for entry in self.newest)
        return Counter({state.value: number for state, number in states.items() if state is not State.RUNNING})


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
