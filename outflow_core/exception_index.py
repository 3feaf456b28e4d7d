"""ExceptionIndex: which exceptions each block has, learnt once in slices of ids and then by new ids only.

Outflow makes no index on the block of an exception. Ids ascend with time: what is new is above the
greatest that is known, or in one of the gaps among the newest when it was committed late. A slice that
goes round finds what was edited or deleted; whoever reads an exception looks whether it is the block's.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import bindparam, func, select

from outflow_core.odd_values import Whole
from outflow_core.reader import Reads
from outflow_core.slices import LARGEST
from outflow_core.tables import runtime_exception

SIZE = 4_096
"""Ids of a page: so many exceptions one statement reads at most."""
RECENT = 512
"""Among so many of the newest ids gaps are looked into."""
SWEPT = 512
"""Ids that are looked at once more each time that the books have changed."""
BOTTOM, TOP = -LARGEST, LARGEST

_C = runtime_exception.c
_SPAN = _C.id >= bindparam("first"), _C.id <= bindparam("last")
_PAIRS = select(_C.id, Whole(_C.block_id)).where(*_SPAN).order_by(_C.id)
_ABOVE = select(func.min(_C.id)).where(_C.id > bindparam("last"))
_NEWEST = select(func.max(_C.id))

Pair = tuple[int, int]
"""The id of an exception and that of its block."""


class ExceptionIndex:
    """The ids of the exceptions of each block, sixteen bytes for one."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._pages: dict[int, _Page] = {}
        self._last = self._swept = BOTTOM
        self._is_current = False

    def again(self) -> None:
        """The books have changed: there may be more to learn."""
        self._is_current = False

    def learn(self) -> bool:
        """Read one more slice, if there is any; whether there may be more."""
        if self._is_current:
            return False
        first = self._ask_above(self._last)
        if first is not None:
            found = self._read(first, min((first // SIZE + 1) * SIZE - 1, TOP))
            self._last = max(found, default=first)
            return True
        self._look_back()
        self._sweep()
        self._is_current = True
        return False

    def places(self, block_ids: Collection[int]) -> Iterator[Pair]:
        """The exceptions of these blocks, oldest first."""
        wanted = frozenset(block_ids)
        least, greatest = min(wanted, default=0), max(wanted, default=-1)
        for number in sorted(self._pages):
            page = self._pages[number]
            if page.least <= greatest and page.greatest >= least:
                yield from page.among(wanted)

    def _look_back(self) -> None:
        """What was committed late among the newest; when those are gone, their ids are given anew."""
        newest = self._reads.rows(_NEWEST, {})[0][0]
        self._last = BOTTOM if newest is None else min(self._last, newest)
        first = self._last - RECENT + 1
        spans = (page.known(first, self._last) for page in self._pages.values())
        if newest is not None and sum(spans) < RECENT:
            self._read(max(first, BOTTOM), self._last)

    def _sweep(self) -> None:
        """Look once more at some exceptions, wherever they are."""
        there = self._ask_above(self._swept)
        last = TOP if there is None else min(there + SWEPT - 1, TOP)
        self._read(self._swept + 1, last)
        self._swept = BOTTOM if there is None else last

    def _read(self, first: int, last: int) -> list[int]:
        """Know the exceptions of a span of ids as they are now; their ids."""
        found = [(row[0], row[1]) for row in self._reads.rows(_PAIRS, {"first": first, "last": last})]
        pages: dict[int, list[Pair]] = {n: [] for n in self._pages if first // SIZE <= n <= last // SIZE}
        for number, block_id in found:
            if block_id is not None:
                pages.setdefault(number // SIZE, []).append((number, block_id))
        for number, pairs in pages.items():
            self._pages.setdefault(number, _Page()).take(first, last, pairs)
            if not self._pages[number].ids:
                del self._pages[number]
        return [number for number, _ in found]

    def _ask_above(self, last: int) -> int | None:
        found: int | None = self._reads.rows(_ABOVE, {"last": last})[0][0]
        return found


class _Page:
    """The exceptions of some ids, in their order, and between which blocks theirs are."""

    def __init__(self) -> None:
        self.ids, self.blocks = array("q"), array("q")
        self.least, self.greatest = 0, -1

    def take(self, first: int, last: int, pairs: Iterable[Pair]) -> None:
        """Have these pairs, in order, and no others from the first to the last id."""
        numbers, blocks = zip(*pairs, strict=True) if (pairs := list(pairs)) else ((), ())
        start, end = bisect_left(self.ids, first), bisect_right(self.ids, last)
        self.ids[start:end], self.blocks[start:end] = array("q", numbers), array("q", blocks)
        self.least, self.greatest = min(self.blocks, default=0), max(self.blocks, default=-1)

    def known(self, first: int, last: int) -> int:
        """How many ids of a span are there."""
        return max(bisect_right(self.ids, last) - bisect_left(self.ids, first), 0)

    def among(self, wanted: frozenset[int]) -> Iterator[Pair]:
        """The exceptions of these blocks."""
        return (pair for pair in zip(self.ids, self.blocks, strict=True) if pair[1] in wanted)
