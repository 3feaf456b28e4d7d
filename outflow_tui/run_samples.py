"""What the tasks of a run took, from its two ends: of most runs these are all. Lives in the poller's thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from outflow_core.changes import Ledger
from outflow_core.reader import Reader
from outflow_core.rows import BlockRow
from outflow_core.states import State
from outflow_tui.snapshot import RunLine, last_success_before

if TYPE_CHECKING:  # the first rows wait for none of them
    from outflow_tui.run_profile import RunProfile
    from outflow_tui.usual import Earlier

SAMPLE = 4_000
"""How many ids at either end of a run are read."""


class RunSamples:
    """Each run is read once; one that goes on again, when it has grown."""

    def __init__(self, reader: Reader, ledger: Ledger) -> None:
        self._reader = reader
        self._ledger = ledger
        self._earlier: Earlier | None = None
        self._profiles: Mapping[int, RunProfile] = MappingProxyType({})
        self._profiled: dict[int, tuple[State, int]] = {}

    def earlier(self, lines: Sequence[RunLine], run_id: int) -> Earlier | None:
        """What tasks took in the last success before a run; `lines` are all runs, newest first."""
        before = last_success_before(lines, run_id)
        if before is None or not self._ledger.is_complete or before.row.id not in self._ledger.index.tallies:
            return None
        if self._earlier is None or self._earlier.run_id != before.row.id:
            from outflow_tui.usual import earlier_of

            self._earlier = earlier_of(before.row.id, self._two_ends(before.row.id))
        return self._earlier

    def profiles(self, run_ids: Collection[int]) -> Mapping[int, RunProfile]:
        """Hosts and durations of these runs; of one that goes on, anew when twice as many tasks are over."""
        if not self._ledger.is_complete:
            return MappingProxyType({})
        rows = self._ledger.runs
        counted = [number for number in run_ids if number in rows and number in self._ledger.index.tallies]
        grown = {number: (rows[number].state, self._ledger.counts(number).done.bit_length()) for number in counted}
        kept = {number: self._profiles[number] for number in grown if self._profiled.get(number) == grown[number]}
        if kept.keys() != grown.keys() or kept.keys() != self._profiles.keys():
            read = {number: self._profile(number) for number in grown if number not in kept}
            self._profiled, self._profiles = grown, MappingProxyType(kept | read)
        return self._profiles

    def _profile(self, run_id: int) -> RunProfile:
        from outflow_tui.run_profile import profile_of

        return profile_of(run_id, self._two_ends(run_id))

    def _two_ends(self, run_id: int) -> list[BlockRow]:
        from outflow_core import block_queries

        tally = self._ledger.index.tallies[run_id]
        middle = min(tally.first + SAMPLE, tally.last + 1)
        spans = ((tally.first, middle - 1), (max(middle, tally.last - SAMPLE), tally.last))
        return [row for span in spans for row in block_queries.blocks_between(self._reader, run_id, *span)]
