"""Which tasks of the run that is looked at were tried again, as far as that has been read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType

from outflow_core import block_queries, slices
from outflow_core.reader import Reader
from outflow_core.rows import BlockRow
from outflow_core.run_shape import Shape
from outflow_core.tries import Sign, Try, signs_of, tries_of, undecided_in
from outflow_tui.snapshot import RunView

MOST = 5_000
"""Of how many tasks of one name and place, and items of one map, it is found out whether some are tries of others."""
MOST_IN_ALL = 10_000
"""The same of all tasks of a run together; of one with more, of those of the newest places."""


class TryReading:
    """Reads the inputs of the tasks that may be tries, for a moment at each look."""

    def __init__(self, reader: Reader, run_id: int) -> None:
        self.tries: Mapping[int, Try] = MappingProxyType({})
        self._reader = reader
        self._run_id = run_id
        self._view: RunView | None = None
        self._shapes: dict[int, Shape] = {}
        self._rows: dict[int, tuple[Shape, BlockRow]] = {}
        self._signs: dict[int, tuple[Sign, ...]] = {}
        self._wanted: list[int] = []
        self._is_told = True

    def look_at(self, view: RunView) -> None:
        """What is known by now may be another."""
        self._view, self._is_told = view, False

    def read_on(self, until: float) -> bool:
        """Read on until then; whether there is more to read."""
        if self._view is not None:
            self._find_wanted(self._view)
            self._view = None
        while self._wanted:
            some, self._wanted = self._wanted[-slices.CHUNK :], self._wanted[: -slices.CHUNK]
            self._read(some)
            if time.monotonic() >= until:
                break
        if not self._wanted and not self._is_told:
            self._is_told = True
            self.tries = MappingProxyType(tries_of([row for _, (_, row) in sorted(self._rows.items())], self._signs))
        return bool(self._wanted)

    def _find_wanted(self, view: RunView) -> None:
        """The blocks whose inputs decide; what was read of one is kept as long as it looks the same."""
        ids = undecided_in(view.shape, MOST, view.map_sizes, in_all=MOST_IN_ALL) if view.is_whole else set()
        shapes = {block_id: shape for block_id in ids if (shape := view.shape.get(block_id)) is not None}
        self._rows = {
            block_id: self._rows[block_id]
            for block_id, shape in shapes.items()
            if block_id in self._rows and self._rows[block_id][0] == shape
        }
        self._shapes = shapes
        self._wanted = sorted(shapes.keys() - self._rows.keys(), reverse=True)

    def _read(self, ids: list[int]) -> None:
        for row in block_queries.blocks_by_id(self._reader, self._run_id, ids):
            self._rows[row.id] = self._shapes[row.id], row
        unsigned = [block_id for block_id in ids if block_id not in self._signs]
        found = dict(block_queries.inputs_of(self._reader, unsigned)) if unsigned else {}
        self._signs |= {block_id: signs_of(found.get(block_id)) for block_id in unsigned}
