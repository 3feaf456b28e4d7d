"""What is known of the blocks in at most three bytes each: their runs, types and states; pure.

The ids are parted into pages. The tasks of a run by state are always counted.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from outflow_core.block_codes import ASIDE, CODES, OTHER, STRANGE_TASK, TASK, Stretch
from outflow_core.rows import TaskCounts
from outflow_core.states import BlockType, State

SIZE = 8192
GAP = 32
"""So many blocks are rather read along than left out."""
FAILED_TASK = CODES[BlockType.TASK, State.FAILED]
_RUNNING = tuple(CODES[kind, State.RUNNING] for kind in BlockType)
_PENDING = tuple(CODES[kind, State.PENDING] for kind in BlockType)
_UNFINISHED = (*_RUNNING, *_PENDING)
_codes = b"".join(b"\\x%02x" % code for code in _RUNNING)
_STRETCH_RUNNING = re.compile(b"[%s](?:[^%s]{0,%d}[%s])*" % (_codes, _codes, GAP, _codes), re.DOTALL)
_UNKNOWN = re.compile(b"\\x00+")

Span = tuple[int, int]
"""The first and the last id of a stretch."""


@dataclass(slots=True)
class Tally:
    """What one run's blocks amount to."""

    first: int
    last: int
    last_sign: Any = None
    numbers: list[int] = field(default_factory=lambda: [0] * (OTHER + 1))

    def counts(self) -> TaskCounts:
        """The run's tasks by state."""
        return TaskCounts(*self.numbers[TASK : STRANGE_TASK + 1])

    @property
    def waiting(self) -> int:
        """How many blocks are pending, workflows among them."""
        return sum(self.numbers[code] for code in _PENDING)


class _Page:
    """The blocks of one page: a code for each id, 0 where there is none, and the run it belongs to."""

    __slots__ = ("codes", "high", "owners", "runs")

    def __init__(self, size: int, high: int) -> None:
        self.codes = bytearray(size)
        self.owners: array[int] = array("H", bytes(2 * size))
        """Never changed, but taken over by another one: pages of one run share theirs."""
        self.high = high
        self.runs: set[int] = set()

    def make_wide(self) -> None:
        """Keep whole ids of runs, for the lower halves do not tell them apart any more."""
        if self.owners.typecode == "H":
            self.owners, self.high = _whole(self.codes, self.owners, self.high), 0

    def own(self, start: int, owners: array[int]) -> None:
        """Know the runs of the blocks from a place on."""
        end = start + len(owners)
        if self.owners[start:end] != owners:
            self.owners = self.owners[:start] + owners + self.owners[end:]

    def is_open(self) -> bool:
        """Whether any of its blocks is not over."""
        return any(code in self.codes for code in _UNFINISHED)


class BlockIndex:
    """The blocks by id, in pages of `size` ids."""

    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self._pages: dict[int, _Page] = {}
        self._of_one_run: dict[tuple[str, int], array[int]] = {}
        self._open: set[int] = set()
        self.tallies: dict[int, Tally] = {}
        self.touched: set[int] = set()
        """The runs whose tallies have changed; who takes note of them empties it."""
        self.last = 0

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self._pages)

    def take(self, found: Stretch) -> Collection[int]:
        """Know a stretch of one page as it was found; the ids of the blocks that are others than before."""
        number, start = divmod(found.first, self.size)
        end = start + len(found.codes)
        page = self._pages.get(number)
        if page is None:
            if not any(found.codes):
                return ()
            page = self._pages[number] = _Page(self.size, found.high)
        if (page.high, page.owners.typecode) != (found.high, found.owners.typecode):
            found = self._alike(page, found)
        if page.codes[start:end] == found.codes and page.owners[start:end] == found.owners:
            return ()
        changed = self._put(page, start, end, found)
        (self._open.add if page.is_open() else self._open.discard)(number)
        return changed

    def _alike(self, page: _Page, found: Stretch) -> Stretch:
        """The stretch with runs told as the page tells them; else both tell whole ids from now on."""
        if not any(found.codes):
            nothing = array(page.owners.typecode, bytes(page.owners.itemsize * len(found.codes)))
            return found._replace(owners=nothing, high=page.high)
        page.make_wide()
        return found._replace(owners=_whole(found.codes, found.owners, found.high), high=0)

    def _put(self, page: _Page, start: int, end: int, found: Stretch) -> Collection[int]:
        if any(page.codes[start:end]):
            columns = page.codes[start:end], found.codes, page.owners[start:end], found.owners
            places = [
                place
                for place, (code, news, owner, other) in enumerate(zip(*columns, strict=True))
                if code != news or owner != other
            ]
            for place in places:
                self._exchange(page, start + place, found.codes[place], found.owners[place], found.first + place)
            return [found.first + place for place in places]
        page.codes[start:end] = found.codes
        if len(found.codes) == self.size and len(found.segments) == 1:
            page.owners = self._of_one_run.setdefault((found.owners.typecode, found.owners[0]), found.owners)
        else:
            page.own(start, found.owners)
        for run_id, first, last in found.segments:
            self._add(run_id, found.codes[first:last], found.first + first, page)
        return found.ids()

    def _add(self, run_id: int, codes: bytes, first: int, page: _Page) -> None:
        """Count blocks of one run that nothing was known of."""
        last = first + len(codes.rstrip(b"\0")) - 1
        first += len(codes) - len(codes.lstrip(b"\0"))
        if first > last:
            return
        tally = self._tally(run_id, first)
        tally.last = max(tally.last, last)
        for code in set(codes) - {0}:
            tally.numbers[code] += codes.count(code)
        page.runs.add(run_id)
        self.last = max(self.last, last)

    def _exchange(self, page: _Page, place: int, code: int, owner: int, block_id: int) -> None:
        """Know one block as another one."""
        before, owner_before = page.codes[place], page.owners[place]
        page.codes[place] = code
        page.own(place, array(page.owners.typecode, (owner,)))
        if before and code and owner == owner_before:
            numbers = self._tally(owner + page.high, block_id).numbers
            numbers[before], numbers[code] = numbers[before] - 1, numbers[code] + 1
            return
        if before:
            self._tally(owner_before + page.high, block_id).numbers[before] -= 1
        if code:
            self._tally(owner + page.high, block_id).numbers[code] += 1
            page.runs.add(owner + page.high)
            if block_id > self.last:
                self.last = block_id

    def _tally(self, run_id: int, block_id: int) -> Tally:
        self.touched.add(run_id)
        tally = self.tallies.get(run_id)
        if tally is None:
            tally = self.tallies[run_id] = Tally(block_id, block_id)
        elif block_id < tally.first:
            tally.first = block_id
        elif block_id > tally.last:
            tally.last = block_id
        return tally

    def hear(self, run_id: int, moments: Iterable[Any]) -> None:
        """Take note of the latest sign of life of a run that is known."""
        tally = self.tallies[run_id]
        for moment in moments:
            if moment is not None and (tally.last_sign is None or moment > tally.last_sign):
                tally.last_sign = moment
                self.touched.add(run_id)

    def unknown(self, within: Span) -> Iterator[Span]:
        """The stretches of ids within a span of which no block is known, in the pages of which any is."""
        for number in self._numbers(within):
            places, codes = self._places(number, within), self._pages[number].codes
            start = codes.find(0, places.start, places.stop)  # quicker than the expression, and most often all
            for found in _UNKNOWN.finditer(codes, start, places.stop) if start >= 0 else ():
                yield number * self.size + found.start(), number * self.size + found.end() - 1

    def waiting_in(self, first: int, last: int) -> int:
        """How many blocks of a span are pending, those aside too."""
        found = 0
        for number in self._numbers((first, last)):
            places, codes = self._places(number, (first, last)), self._pages[number].codes
            found += sum(codes.count(code, places.start, places.stop) for code in (ASIDE, *_PENDING))
        return found

    def owned(self, run_id: int, first: int, last: int) -> int:
        """How many blocks of a span belong to a run."""
        found = 0
        for number in self._numbers((first, last)):
            places, page = self._places(number, (first, last)), self._pages[number]
            found += page.owners[places.start : places.stop].count(run_id - page.high)
        return found

    def runs_at(self, block_id: int) -> Collection[int]:
        """The runs that have, or had, blocks in the page of this one."""
        page = self._pages.get(block_id // self.size)
        return page.runs if page is not None else ()

    def running(self, run_id: int) -> Iterator[Span]:
        """The stretches within which blocks of a run are running, in order."""
        for number in self._pages_with(run_id, self._open):
            page, first = self._pages[number], number * self.size
            starts = [place for code in _RUNNING if (place := page.codes.find(code)) >= 0]
            end = max(map(page.codes.rfind, _RUNNING)) + 1  # to find these is quicker than the expression
            for found in _STRETCH_RUNNING.finditer(page.codes, min(starts, default=end), end):
                if run_id - page.high in page.owners[found.start() : found.end()]:
                    yield first + found.start(), first + found.end() - 1

    def next_pending(self, run_id: int, after: int) -> int | None:
        """The first of a run's pending blocks whose id is above another."""
        for number in self._pages_with(run_id, self._open):
            if (number + 1) * self.size - 1 > after:
                place = self._next_of(self._pages[number], run_id, max(after + 1 - number * self.size, 0), _PENDING)
                if place is not None:
                    return number * self.size + place
        return None

    def _next_of(self, page: _Page, run_id: int, place: int, codes: Collection[int]) -> int | None:
        """The first place from another one on with a block of a run that has one of these codes."""
        while True:
            places = [found for code in codes if (found := page.codes.find(code, place)) >= 0]
            if not places or page.owners[min(places)] + page.high == run_id:
                return min(places, default=None)
            try:
                place = page.owners.index(run_id - page.high, min(places))
            except ValueError:
                return None

    def failed_among(self, ids: Iterable[int]) -> dict[int, int]:
        """Which of these blocks are known to be failed tasks, and of which run."""
        pages = ((block_id, self._pages.get(block_id // self.size), block_id % self.size) for block_id in ids)
        return {
            block_id: page.owners[place] + page.high
            for block_id, page, place in pages
            if page and page.codes[place] == FAILED_TASK
        }

    def failed_of(self, run_id: int) -> list[int]:
        """The ids of one run's failed tasks, in order."""
        tally = self.tallies.get(run_id)
        if tally is None or not tally.counts().failed:
            return []
        return [block_id for number in self.pages_of(run_id) for block_id in self._failed_in(number, run_id)]

    def _failed_in(self, number: int, run_id: int) -> Iterator[int]:
        page, place = self._pages[number], -1
        while (found := self._next_of(page, run_id, place + 1, (FAILED_TASK,))) is not None:
            place = found
            yield number * self.size + place

    def pages_of(self, run_id: int) -> list[int]:
        """The pages in which a run may have blocks, as far as they are known."""
        return self._pages_with(run_id, self._pages)

    def next_page(self, number: int) -> int | None:
        """The first page from this one on of which any block was known."""
        if number in self._pages:
            return number
        return min((known for known in self._pages if known > number), default=None)

    def _pages_with(self, run_id: int, among: Collection[int]) -> list[int]:
        tally = self.tallies.get(run_id)
        numbers = self._numbers((tally.first, tally.last), among) if tally else ()
        return [number for number in numbers if run_id in self._pages[number].runs]

    def _numbers(self, span: Span, among: Collection[int] | None = None) -> list[int]:
        """Those of these pages (without: of all) that a span touches."""
        pages = self._pages if among is None else among
        first, last = span[0] // self.size, span[1] // self.size
        if last - first < len(pages):
            return [number for number in range(first, last + 1) if number in pages]
        return sorted(number for number in pages if first <= number <= last)

    def _places(self, number: int, span: Span) -> range:
        start = number * self.size
        return range(max(span[0] - start, 0), min(span[1] - start, self.size - 1) + 1)


def _whole(codes: Iterable[int], owners: Iterable[int], high: int) -> array[int]:
    """The whole ids of the runs of blocks."""
    return array("q", (owner + high if code else 0 for code, owner in zip(codes, owners, strict=True)))
