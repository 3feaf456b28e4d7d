"""Which tasks of the run that is looked at were tried again, as far as that has been read."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from outflow_core import block_queries, slices
from outflow_core.reader import Reader
from outflow_core.run_page import Shape
from outflow_core.run_shape import RunShape
from outflow_core.tries import Sign, Tries, Try, signs_of, undecided_in
from outflow_tui.snapshot import RunView

MOST = 5_000
"""Of how many tasks of one name and place, and items of one map, it is found out whether some are tries of others."""
MOST_IN_ALL = 10_000
"""The same of all tasks of a run together; of one with more, of those of the newest places."""


class TryReading:
    """Reads the inputs of the tasks that may be tries, for a moment at each look."""

    def __init__(self, reader: Reader, run_id: int) -> None:
        self._reader = reader
        self._run_id = run_id
        self._view: RunView | None = None
        self._shape = RunShape()
        self._read: dict[int, Shape | None] = {}
        """How the blocks looked that were read; none of those of which the inputs say nothing."""
        self._signs: dict[int, tuple[Sign, ...]] = {}
        self._tries = Tries(self._signs)
        self._again: set[int] = set()
        self._wanted: list[int] = []

    @property
    def tries(self) -> Mapping[int, Try]:
        """The tries by block, as far as they are known; another one where they are others."""
        return self._tries.told

    def again(self, ids: Collection[int]) -> None:
        """These blocks may be different."""
        self._again |= set(ids)

    def look_at(self, view: RunView) -> None:
        """What is known by now may be another."""
        self._view = view

    def read_on(self, until: float) -> bool:
        """Read on until then; whether there is more to read."""
        if self._view is not None:
            self._find_wanted(self._view)
            self._view = None
        while self._wanted:
            some, self._wanted = self._wanted[-slices.CHUNK :], self._wanted[: -slices.CHUNK]
            self._read_some(some)
            if time.monotonic() >= until:
                break
        if not self._wanted:
            self._tries.tell()
        return bool(self._wanted)

    def _find_wanted(self, view: RunView) -> None:
        """The blocks whose inputs decide; what was read of one is kept as long as it looks the same."""
        if not view.is_whole:
            return
        self._shape = view.shape
        ids = undecided_in(view.shape, MOST, view.map_sizes, in_all=MOST_IN_ALL)
        again = {number: known for number in self._again if (known := self._read.get(number)) is not None}
        others = {number for number, known in again.items() if known != view.shape.get(number)}
        self._again = set()
        for number in (self._read.keys() - ids) | others:
            self._tries.drop(number)
            del self._read[number]
        self._wanted = sorted(ids - self._read.keys(), reverse=True)

    def _read_some(self, ids: list[int]) -> None:
        unsigned = [block_id for block_id in ids if block_id not in self._signs]
        found = dict(block_queries.inputs_of(self._reader, unsigned)) if unsigned else {}
        signs = {block_id: signs_of(given) for block_id, given in found.items()}
        self._signs |= {block_id: some for block_id, some in signs.items() if any(some)}
        self._read |= {block_id: self._shape.get(block_id) if block_id in self._signs else None for block_id in ids}
        signed = [block_id for block_id in ids if block_id in self._signs]
        for row in block_queries.blocks_by_id(self._reader, self._run_id, signed):
            self._tries.put(row)
