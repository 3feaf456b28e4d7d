"""What is known of the blocks in a few bytes each: their runs, types and states; pure.

The ids are parted into pages. Of a page that only has to be counted, its groups are known and no block
by itself; of the others every block is. The tasks of a run by state are always counted.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from outflow_core.rows import TOP_LEVEL, TaskCounts
from outflow_core.states import BlockType, State

SIZE = 8192
_STATES = tuple(state.value for state in State)
_ASIDE = 1  # a workflow that Outflow never starts: known, but not waited for
_WORKFLOW = 2
_TASK = _WORKFLOW + len(_STATES)
_CODES = {
    (kind.value, state): first + index
    for kind, first in ((BlockType.WORKFLOW, _WORKFLOW), (BlockType.TASK, _TASK))
    for index, state in enumerate(_STATES)
}
_UNKNOWN = b"\\x00"


def _codes_of(states: Iterable[State]) -> list[int]:
    """The codes of tasks and workflows in these states."""
    return [_CODES[kind.value, state.value] for kind in BlockType for state in states]


def _pattern(states: Iterable[State], gap: int) -> re.Pattern[bytes]:
    """Stretches of blocks in these states; some others between them do not end a stretch."""
    codes = b"".join(b"\\x%02x" % code for code in _codes_of(states))
    return re.compile(b"[%s](?:[^%s]{0,%d}[%s])*" % (codes, codes, gap, codes), re.DOTALL)


GAP = 32
"""So many blocks are rather read along than left out."""
LONGEST = 1_000
RUNNING = _pattern([State.RUNNING], GAP)
PENDING = _pattern([State.PENDING], GAP)
UNKNOWN = re.compile(_UNKNOWN + b"+")
_FAILED = re.compile(b"\\x%02x+" % _CODES[BlockType.TASK.value, State.FAILED.value])

Span = tuple[int, int]
"""The first and the last id of a stretch."""

Group = tuple[int, str, str, int, int, int, int, Any, Any]
"""The blocks of one run, type and state in a page: how many, least and greatest id, sum of ids, last start and end."""
_FAILED_TASK = _CODES[BlockType.TASK.value, State.FAILED.value]
_UNFINISHED = frozenset(_codes_of(state for state in State if not state.is_final))


@dataclass(frozen=True, slots=True)
class PageCount:
    """A page of which only this is known: how many blocks of which run have which code."""

    mark: int
    """Differs when any of the groups does."""
    numbers: tuple[tuple[int, int, int], ...]


@dataclass(slots=True)
class Tally:
    """What one run's blocks amount to."""

    first: int
    last: int
    last_sign: Any = None
    numbers: list[int] = field(default_factory=lambda: [0] * (_TASK + len(_STATES)))

    def counts(self) -> TaskCounts:
        """The run's tasks by state."""
        return TaskCounts(**dict(zip(_STATES, self.numbers[_TASK:], strict=True)))

    @property
    def waiting(self) -> int:
        """How many blocks are pending, workflows among them."""
        return sum(self.numbers[_CODES[kind.value, State.PENDING.value]] for kind in BlockType)


class BlockIndex:
    """The blocks by id, in pages of `size` ids."""

    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self._pages: dict[int, tuple[bytearray, array[int]]] = {}
        self._counted: dict[int, PageCount] = {}
        self.tallies: dict[int, Tally] = {}
        self.touched: set[int] = set()
        """The runs whose tallies have changed; who takes note of them empties it."""
        self.last = 0

    def count(self, number: int, groups: Sequence[Group]) -> bool:
        """Take the groups of a page of which no block is known by itself; whether they are news."""
        mark = hash(tuple(groups))
        if number in self._counted and self._counted[number].mark == mark:
            return False
        self.uncount(number)
        numbers = []
        for run_id, kind, state, blocks, first, last, _, *moments in groups:
            code = _CODES.get((kind, state), _ASIDE)
            tally = self._tally(run_id, first)
            tally.last = max(tally.last, last)
            tally.numbers[code] += blocks
            self.last = max(self.last, last)
            self._hear(run_id, tally, moments)
            numbers.append((run_id, code, blocks))
            self.touched.add(run_id)
        self._counted[number] = PageCount(mark, tuple(numbers))
        return True

    def uncount(self, number: int) -> None:
        """Forget the groups of a page, for its blocks will be known one by one, or were counted anew."""
        before = self._counted.pop(number, None)
        for run_id, code, blocks in before.numbers if before else ():
            self.tallies[run_id].numbers[code] -= blocks
            self.touched.add(run_id)

    def is_counted(self, number: int) -> bool:
        """Whether of this page only the groups are known."""
        return number in self._counted

    def unfinished_pages(self, run_ids: Iterable[int]) -> set[int]:
        """The pages of which only the groups are known, though one of these runs goes on there."""
        return {number for run_id in run_ids for number in self._counted_with(run_id, _UNFINISHED)}

    def failed_pages(self, run_id: int) -> list[int]:
        """The pages of which only the groups are known, and in which tasks of a run have failed, in order."""
        return self._counted_with(run_id, {_FAILED_TASK})

    def _counted_with(self, run_id: int, codes: Set[int]) -> list[int]:
        tally = self.tallies.get(run_id)
        return [
            number
            for number in (self._numbers((tally.first, tally.last), self._counted) if tally else ())
            if any(owner == run_id and code in codes for owner, code, _ in self._counted[number].numbers)
        ]

    def _hear(self, run_id: int, tally: Tally, moments: Iterable[Any]) -> None:
        """Take note of the latest sign of life."""
        for moment in moments:
            if moment is not None and (tally.last_sign is None or moment > tally.last_sign):
                tally.last_sign = moment
                self.touched.add(run_id)

    def learn(self, rows: Iterable[tuple[int, int, str, str, str, Any, Any]]) -> set[int]:
        """Take rows (id, run, type, state, name, start, end); the ids whose type, state or run is news."""
        return {row[0] for row in rows if self._put(*row)}

    def _put(self, block_id: int, run_id: int, kind: str, state: str, name: str, start: Any, end: Any) -> bool:
        code = _CODES.get((kind, state), _ASIDE)
        if name == TOP_LEVEL and state == State.PENDING.value:
            code = _ASIDE
        codes, owners = self._page(block_id // self.size)
        place = block_id % self.size
        tally = self._tally(run_id, block_id)
        self._hear(run_id, tally, (start, end))
        if codes[place] == code and owners[place] == run_id:
            return False
        self._forget(codes, owners, place)
        codes[place], owners[place] = code, run_id
        tally.numbers[code] += 1
        self.touched.add(run_id)
        self.last = max(self.last, block_id)
        return True

    def _tally(self, run_id: int, block_id: int) -> Tally:
        tally = self.tallies.get(run_id)
        if tally is None:
            tally = self.tallies[run_id] = Tally(block_id, block_id)
        elif block_id < tally.first:
            tally.first = block_id
        elif block_id > tally.last:
            tally.last = block_id
        return tally

    def _page(self, number: int) -> tuple[bytearray, array[int]]:
        page = self._pages.get(number)
        if page is None:
            page = self._pages[number] = (bytearray(self.size), array("q", bytes(8 * self.size)))
        return page

    def _forget(self, codes: bytearray, owners: array[int], place: int) -> bool:
        code = codes[place]
        if code:
            self.tallies[owners[place]].numbers[code] -= 1
            self.touched.add(owners[place])
            codes[place] = 0
        return bool(code)

    def failed_among(self, ids: Iterable[int]) -> dict[int, int]:
        """Which of these blocks are known to be failed tasks, and of which run."""
        pages = ((block_id, self._pages.get(block_id // self.size), block_id % self.size) for block_id in ids)
        return {block_id: page[1][place] for block_id, page, place in pages if page and page[0][place] == _FAILED_TASK}

    def keep_only(self, span: Span, ids: set[int]) -> set[int]:
        """Forget the blocks of a span that are not among `ids` any more; the ids of those forgotten."""
        gone = set()
        for number in self._numbers(span):
            codes, owners = self._pages[number]
            for place in self._places(number, span):
                block_id = number * self.size + place
                if codes[place] and block_id not in ids:
                    self._forget(codes, owners, place)
                    gone.add(block_id)
        return gone

    def spans(self, pattern: re.Pattern[bytes], within: Span) -> Iterator[Span]:
        """The stretches of ids within a span whose blocks fit a pattern, in order."""
        for number in self._numbers(within):
            places = self._places(number, within)
            for found in pattern.finditer(self._pages[number][0], places.start, places.stop):
                yield number * self.size + found.start(), number * self.size + found.end() - 1

    def spans_of(self, run_id: int, state: State) -> Iterator[tuple[Span, int]]:
        """The stretches of one run's blocks in a state, in order, and how many of them each holds."""
        tally, wanted = self.tallies[run_id], _codes_of([state])
        for span in self.spans(RUNNING if state is State.RUNNING else PENDING, (tally.first, tally.last)):
            start = latest = number = 0
            for place in self._places_of(run_id, span):
                if self._pages[place // self.size][0][place % self.size] not in wanted:
                    continue
                if number and (place - latest > GAP or number == LONGEST):
                    yield (start, latest), number
                    number = 0
                start = start if number else place
                latest = place
                number += 1
            if number:
                yield (start, latest), number

    def pages_of(self, run_id: int) -> list[int]:
        """The pages in which a run may have blocks, as far as they are known or counted."""
        tally = self.tallies.get(run_id)
        if tally is None:
            return []
        span = tally.first, tally.last
        counted = (number for number in self._numbers(span, self._counted) if self._counts(number, run_id))
        return sorted({*self._numbers(span), *counted})

    def _counts(self, number: int, run_id: int) -> bool:
        return any(owner == run_id for owner, _, _ in self._counted[number].numbers)

    def failed_of(self, run_id: int) -> list[int]:
        """The ids of those of one run's failed tasks that are known by themselves, in order."""
        tally = self.tallies.get(run_id)
        if tally is None or not tally.counts().failed:
            return []
        spans = self.spans(_FAILED, (tally.first, tally.last))
        return [block_id for span in spans for block_id in self._places_of(run_id, span)]

    def _places_of(self, run_id: int, span: Span) -> Iterator[int]:
        """The ids within a span of one page that belong to a run."""
        page = span[0] // self.size * self.size
        owners, place, end = self._pages[span[0] // self.size][1], span[0] - page, span[1] - page + 1
        while True:
            try:
                place = owners.index(run_id, place, end)
            except ValueError:
                return
            yield page + place
            place += 1

    def _numbers(self, span: Span, pages: Collection[int] | None = None) -> list[int]:
        """Those of these pages (without: of those whose blocks are known) that a span touches."""
        among = self._pages if pages is None else pages
        first, last = span[0] // self.size, span[1] // self.size
        if last - first < len(among):
            return [number for number in range(first, last + 1) if number in among]
        return sorted(number for number in among if first <= number <= last)

    def _places(self, number: int, span: Span) -> range:
        start = number * self.size
        return range(max(span[0] - start, 0), min(span[1] - start, self.size - 1) + 1)
