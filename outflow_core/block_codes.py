"""Runs, types and states of a stretch of blocks, written by the database: a letter each, and the id of the run.

A million rows cost seconds to fetch and a million groups to sort; one text that the database joins costs neither.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, case, func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import String

from outflow_core.odd_values import Whole
from outflow_core.rows import TOP_LEVEL
from outflow_core.states import BlockType, State
from outflow_core.tables import block

STATES = tuple(state.value for state in State)
ASIDE = 1
"""The workflow around a run, which Outflow never starts: pending, but not waited for."""
WORKFLOW = 2
TASK = WORKFLOW + len(STATES)
CODES: Final = {
    (kind, state): first + index
    for kind, first in ((BlockType.WORKFLOW, WORKFLOW), (BlockType.TASK, TASK))
    for index, state in enumerate(State)
}
STRANGE_TASK = TASK + len(STATES)
"""A task in a state that only a newer version knows."""
OTHER = STRANGE_TASK + 1
"""What else a newer version knows."""
_LOW = 1 << 16
"""Two bytes tell so many runs apart."""


class Joined(FunctionElement[Any]):
    """A column of many rows as one text, with a sign (second) between them, in the order of another column (third)."""

    type = String()
    inherit_cache = True


@compiles(Joined, "sqlite")
def _joined_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    # a walk along the primary key gives the rows in its order; to sort them once more costs as much again
    given, sign, _ = (compiler.process(clause, **options) for clause in element.clauses)
    return f"group_concat({given}, {sign})"


@compiles(Joined, "postgresql")
def _joined_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    given, sign, order = (compiler.process(clause, **options) for clause in element.clauses)
    return f"string_agg(CAST({given} AS text), {sign} ORDER BY {order})"


def _of_states(kind: BlockType) -> Any:
    """The letter of a block of this kind."""
    letters: dict[str, Any] = {state.value: _letter(CODES[kind, state]) for state in _LIKELIEST}
    waiting = letters[State.PENDING.value]
    letters[State.PENDING.value] = _chosen(block.c.name, {TOP_LEVEL: _letter(ASIDE)}, waiting)
    return _chosen(block.c.state, letters, _letter(STRANGE_TASK if kind is BlockType.TASK else OTHER))


_LIKELIEST = (State.SUCCESS, State.PENDING, State.FAILED, State.RUNNING, State.SKIPPED)


def _chosen(column: Any, values: dict[str, Any], otherwise: Any) -> Any:
    return case({_word(word): value for word, value in values.items()}, value=column, else_=otherwise)


def _letter(code: int) -> Any:
    return _word(chr(96 + code))


def _word(value: str) -> Any:
    return literal_column(f"'{value}'")


_LETTERS = bytes.maketrans(bytes(range(97, 97 + OTHER)), bytes(range(1, OTHER + 1)))
_SPAN = (block.c.id >= bindparam("first"), block.c.id <= bindparam("last"))
_RUN = func.coalesce(Whole(block.c.run_id), -1)
_kinds = {kind.value: _of_states(kind) for kind in BlockType}
_letters = Joined(_chosen(block.c.type, _kinds, _letter(OTHER)), _word(""), block.c.id)
STRETCH: Final = select(_letters, Joined(_RUN, _word(" "), block.c.id)).where(*_SPAN)
"""The blocks with ids from `first` to `last`: all that has to be asked where no id is missing."""
STRETCH_WITH_GAPS: Final = STRETCH.add_columns(Joined(block.c.id, _word(" "), block.c.id))

Segment = tuple[int, int, int]
"""Blocks beside each other that belong to one run: (run, first place, place after the last)."""


class Stretch(NamedTuple):
    """What the blocks of a stretch of ids are: a code for each id, 0 where there is none, and its run."""

    first: int
    codes: bytes
    owners: array[int]
    high: int
    """What has to be added to each of the `owners` for the id of its run."""
    segments: Sequence[Segment]

    @property
    def last(self) -> int:
        """The last id of the stretch."""
        return self.first + len(self.codes) - 1

    def ids(self) -> Collection[int]:
        """The ids of the blocks that are there."""
        if 0 not in self.codes:
            return range(self.first, self.last + 1)
        return [self.first + place for place, code in enumerate(self.codes) if code]


def has_gaps(first: int, last: int, letters: str | None) -> bool:
    """Whether what `STRETCH` gave does not tell which ids its blocks have."""
    return letters is not None and len(letters) != last - first + 1


def stretch_of(first: int, last: int, letters: str | None, runs: str | None, ids: str = "") -> Stretch:
    """The stretch as the columns of a statement tell it."""
    size = last - first + 1
    if letters is None:
        return Stretch(first, bytes(size), array("H", bytes(2 * size)), 0, ())
    codes, segments = letters.encode("ascii").translate(_LETTERS), _segments(f"{runs} ")
    owners, high = _owners(segments)
    if len(codes) == size:
        return Stretch(first, codes, owners, high, segments)
    spread, spread_owners = bytearray(size), array(owners.typecode, bytes(owners.itemsize * size))
    for number, code, owner in zip(map(int, ids.split()), codes, owners, strict=True):
        spread[number - first], spread_owners[number - first] = code, owner
    return Stretch(first, bytes(spread), spread_owners, high, _segments_of(spread_owners, high))


def _segments(words: str) -> list[Segment]:
    """The segments of runs that are told by their ids, each with a space behind it.

    Runs are often as long as the one before: that is tried first.
    """
    found, place, end, number = list[Segment](), 0, 0, 1
    while end < len(words):
        start = end
        word = words[start : words.index(" ", start) + 1]
        end += len(word) * (number if words.startswith(word * number, start) else 1)
        repeated = word
        while words.startswith(repeated, end):
            end += len(repeated)
            repeated += repeated
        while len(repeated) > len(word):
            repeated = repeated[: len(repeated) // 2]
            if words.startswith(repeated, end):
                end += len(repeated)
        number = (end - start) // len(word)
        found.append((int(word), place, place + number))
        place += number
    return found


def _segments_of(owners: Iterable[int], high: int) -> list[Segment]:
    """The same of the runs that are told by what is left above `high`."""
    found, place = list[Segment](), 0
    for owner, some in groupby(owners):
        end = place + len(list(some))
        found.append((owner + high, place, end))
        place = end
    return found


def _owners(segments: Iterable[Segment]) -> tuple[array[int], int]:
    """The run of each block, in two bytes if they tell the runs apart, and what these lack."""
    highs = {run_id // _LOW for run_id, _, _ in segments}
    kind, high = ("H", min(highs) * _LOW) if len(highs) == 1 else ("q", 0)
    owners = array(kind)
    for run_id, first, end in segments:
        owners.extend(array(kind, (run_id - high,)) * (end - first))
    return owners, high
