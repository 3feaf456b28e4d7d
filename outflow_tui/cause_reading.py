"""The causes of the run that is looked at, as far as they have been read: first these, then their history."""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from outflow_core import block_queries
from outflow_core.cause_history import Earlier, earlier_runs, with_history
from outflow_core.changes import Ledger
from outflow_core.exception_index import ExceptionIndex
from outflow_core.failures import Cause
from outflow_core.reader import Reader
from outflow_core.run_causes import EarlierCauses, RunFailures
from outflow_core.tries import mended
from outflow_tui.snapshot import RunView

GROWTH = 1.5
"""How many times as many failures have to be read before their causes are shown anew: grouping takes a while too."""


class CauseReading:
    """Reads on for a moment at each look, in the thread of the source; earlier runs are read once for all."""

    def __init__(
        self, reader: Reader, ledger: Ledger, exceptions: ExceptionIndex, known: EarlierCauses, run_id: int
    ) -> None:
        self.run_id = run_id
        self.causes: tuple[Cause, ...] | None = None
        self._ledger = ledger
        self._known = known
        self._failures = RunFailures(reader, partial(block_queries.blocks_by_id, reader, run_id), exceptions)
        self._view: RunView | None = None
        self._earlier: Earlier | None = None
        self._steps: Iterator[None] = iter(())
        self._history_steps: Iterator[None] = iter(())
        self._is_read = False
        self._shown = 0

    def again(self) -> None:
        """The books have changed: exceptions may have come after the states of their tasks."""
        self._view = None

    def read(self, view: RunView, until: float) -> bool:
        """Read on until then; whether there is more to read."""
        if not view.is_whole:
            return True
        if view is not self._view:
            self._view, self._is_read = view, False
            self._steps = self._failures.read(_failed_in(view))
            self._find_earlier()
        if not self._is_read:
            self._is_read = _went_through(self._steps, until)
            if self._is_read or self._failures.number >= GROWTH * self._shown:
                self._shown = self._failures.number
                found = self._failures.causes(mended(view.tries))
                self._show(_told_as_before(found, self.causes or ()))
        is_told = self._is_read and self._ledger.is_complete and _went_through(self._history_steps, until)
        if is_told and self._earlier is not None and self.causes is not None:
            earlier = self._known.known(self._earlier.runs)
            self._show(with_history(self.causes, earlier, is_all=self._earlier.is_all))
        return not is_told

    def _show(self, found: tuple[Cause, ...]) -> None:
        """Keep what was found, once there is something to see; equal causes stay the very same."""
        if (found or self._is_read) and found != self.causes:
            self.causes = found

    def _find_earlier(self) -> None:
        """Which runs have to be looked into; what is begun goes on while they stay the same."""
        row = self._ledger.runs.get(self.run_id)
        earlier = earlier_runs(self._ledger.runs.values(), row) if row else None
        if earlier != self._earlier:
            self._earlier = earlier
            self._history_steps = self._known.read(earlier.runs, self._failed_tasks) if earlier else iter(())

    def _failed_tasks(self, run_ids: Collection[int]) -> Mapping[int, Sequence[int]]:
        return {run_id: self._ledger.failed_tasks(run_id) for run_id in run_ids}


def _failed_in(view: RunView) -> dict[int, Hashable]:
    """The failed tasks, with what differs when one has failed again."""
    return {
        page.id(index): (page.seconds[index], page.hosts[index])
        for page in view.shape.pages
        for index in page.failed_tasks()
    }


def _told_as_before(found: tuple[Cause, ...], before: Sequence[Cause]) -> tuple[Cause, ...]:
    """The causes with the history that is known of them: it is not taken back while more is read."""
    known = {cause.fingerprint: cause.history for cause in before if cause.history is not None}
    return tuple(replace(cause, history=known.get(cause.fingerprint)) for cause in found) if known else found


def _went_through(steps: Iterator[None], until: float) -> bool:
    """Whether the steps came to their end in time."""
    return all(time.monotonic() < until for _ in steps)
