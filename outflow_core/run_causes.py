"""The causes of a run's failures, what became of them in later tries, and in which earlier runs they were seen.

Everything is read in short steps, so that whoever waits can show what there is meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence

from outflow_core import block_queries, exception_queries, run_counts, run_queries, slices
from outflow_core.cause_history import RunCauses, earlier_runs, with_history
from outflow_core.exception_index import ExceptionIndex
from outflow_core.failures import UNRECORDED, Cause, Failure, Told, fingerprint_of, grouped, told_by
from outflow_core.reader import Reads
from outflow_core.rows import BlockRow, ExceptionRow, RunRow
from outflow_core.states import BlockType, State
from outflow_core.tries import mended, signs_of, tries_of, undecided

STEP = 150
"""How many exceptions are read at once: each may be 100 kB."""
MOST_OF_A_RUN = 1_000
"""How many failures of an earlier run are read at most, spread evenly over it."""

FailedTasks = Callable[[Collection[int]], Mapping[int, Sequence[int]]]
"""The ids of the failed tasks of each of some runs."""


def causes_of_run(reads: Reads, run: RunRow, blocks: Sequence[BlockRow]) -> tuple[Cause, ...]:
    """The causes of the failures among a run's blocks with their history, all at once."""
    failed = {row.id: row for row in blocks if row.type is BlockType.TASK and row.state is State.FAILED}
    exceptions = ExceptionIndex(reads)
    failures = RunFailures(reads, lambda ids: [failed[block_id] for block_id in ids], exceptions)
    earlier = EarlierCauses(reads, exceptions)
    for _ in failures.read(failed):
        pass
    signs = {block_id: signs_of(inputs) for block_id, inputs in block_queries.inputs_of(reads, undecided(blocks))}
    found = failures.causes(mended(tries_of(blocks, signs)))
    runs = earlier_runs(run_queries.runs(reads, count=0, below=run.id, command=run.command), run)
    if not found or runs is None:
        return found
    for _ in earlier.read(runs.runs, lambda ids: run_counts.failed_tasks(reads, ids)):
        pass
    return with_history(found, earlier.known(runs.runs), is_all=runs.is_all)


class RunFailures:
    """What the failed tasks of one run say; one that has been read is not read again until it changes."""

    def __init__(
        self, reads: Reads, blocks: Callable[[Collection[int]], Iterable[BlockRow]], exceptions: ExceptionIndex
    ) -> None:
        self._reads = reads
        self._exceptions = exceptions
        self._blocks = blocks
        self._told: dict[int, Told] = {}
        self._seen: dict[int, Hashable] = {}
        self._silent: set[int] = set()

    def read(self, failed: Mapping[int, Hashable]) -> Iterator[None]:
        """Read what is new of the failed tasks, a step at a time; each is given with what differs when it is another.

        The state is written before the exception: a task without one is asked again.
        """
        self._told = {number: told for number, told in self._told.items() if failed.get(number) == self._seen[number]}
        self._silent &= self._told.keys()
        wanted = failed.keys() - (self._told.keys() - self._silent)
        unheard = set(wanted)
        for step in latest_exceptions(self._reads, self._exceptions, wanted):
            self._tell({block_id: exception for block_id, exception in step.items() if block_id in failed}, failed)
            unheard -= step.keys()
            yield
        ids = sorted(unheard)
        for start in range(0, len(ids), slices.CHUNK):
            self._tell(dict.fromkeys(ids[start : start + slices.CHUNK]), failed)
            yield
        self._silent = unheard

    def _tell(self, exceptions: Mapping[int, ExceptionRow | None], failed: Mapping[int, Hashable]) -> None:
        for block in self._blocks(exceptions.keys()) if exceptions else ():
            self._told[block.id] = told_by(Failure(block, exceptions[block.id]))
            self._seen[block.id] = failed[block.id]

    @property
    def number(self) -> int:
        """How many failures have been read."""
        return len(self._told)

    def causes(self, mended: Collection[int] = ()) -> tuple[Cause, ...]:
        """The causes of what has been read."""
        return grouped((self._told[number] for number in sorted(self._told)), mended=mended)


class EarlierCauses:
    """What runs that are over failed of; each is read once."""

    def __init__(self, reads: Reads, exceptions: ExceptionIndex) -> None:
        self._reads = reads
        self._exceptions = exceptions
        self._known: dict[RunRow, RunCauses] = {}

    def known(self, runs: Iterable[RunRow]) -> list[RunCauses]:
        """What is known of these runs."""
        return [self._known[run] for run in runs if run in self._known]

    def read(self, runs: Iterable[RunRow], failed_tasks: FailedTasks) -> Iterator[None]:
        """Read those of these runs that are not known yet, a step at a time; a run that has changed is another one."""
        missing = [run for run in runs if run not in self._known]
        failed = failed_tasks([run.id for run in missing]) if missing else {}
        some = {run_id: _spread(ids, MOST_OF_A_RUN) for run_id, ids in failed.items()}
        found = dict.fromkeys((block_id for ids in some.values() for block_id in ids), UNRECORDED)
        for step in latest_exceptions(self._reads, self._exceptions, found.keys()):
            found |= {block_id: fingerprint_of(exception) for block_id, exception in step.items()}
            yield
        for run in missing:
            ids = some.get(run.id, ())
            is_whole = len(ids) == len(failed.get(run.id, ()))
            self._known[run] = RunCauses(run, frozenset(found[block_id] for block_id in ids), is_whole)


def latest_exceptions(
    reads: Reads, index: ExceptionIndex, block_ids: Collection[int]
) -> Iterator[dict[int, ExceptionRow]]:
    """The latest exception of each of these blocks that has one, a step at a time."""
    while block_ids and index.learn():
        yield {}
    latest = {block_id: number for number, block_id in index.places(block_ids)}
    ids = sorted(latest.values())
    for start in range(0, len(ids), STEP):
        rows = exception_queries.exceptions_by_id(reads, ids[start : start + STEP])
        yield {row.block_id: row for row in rows if row.block_id is not None and latest.get(row.block_id) == row.id}


def _spread(ids: Sequence[int], most: int) -> Sequence[int]:
    """At most so many of these, spread evenly."""
    return ids if len(ids) <= most else [ids[place * len(ids) // most] for place in range(most)]
