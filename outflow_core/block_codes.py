"""Runs, types and states of a stretch of blocks, written by the database in four bytes each.

A million rows cost seconds to fetch and a million groups to sort; one value that the database joins costs neither.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, case, func, literal_column, select, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import LargeBinary, String

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
OTHER = TASK + len(STATES)
"""What a newer version knows."""
_LOW = 1 << 16
"""The lower half of a value is that of the run's id, the upper half is the code."""


class JoinedValues(FunctionElement[Any]):
    """Small numbers (first column) of many rows as one value, four bytes each, in the order of the second column."""

    type = LargeBinary()
    inherit_cache = True


class JoinedLetters(FunctionElement[Any]):
    """Letters of many rows as one text, in the same way."""

    type = String()
    inherit_cache = True


@compiles(JoinedValues, "sqlite")
@compiles(JoinedLetters, "sqlite")
def _joined_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    # a walk along the primary key gives the rows in its order; to sort them once more costs as much again
    given, _ = (compiler.process(clause, **options) for clause in element.clauses)
    return f"group_concat({f'char({given})' if isinstance(element, JoinedValues) else given}, '')"


@compiles(JoinedValues, "postgresql")
@compiles(JoinedLetters, "postgresql")
def _joined_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    given, order = (compiler.process(clause, **options) for clause in element.clauses)
    if isinstance(element, JoinedValues):
        return f"string_agg(int4send({given}), ''::bytea ORDER BY {order})"
    return f"string_agg({given}, '' ORDER BY {order})"


def _code(written: Callable[[int], str]) -> Any:
    """A block's code, written in some way."""
    kinds = {kind.value: _of_states(kind, written) for kind in BlockType}
    return _chosen(block.c.type, kinds, literal_column(written(OTHER)))


def _of_states(kind: BlockType, written: Callable[[int], str]) -> Any:
    codes: dict[str, Any] = {state.value: literal_column(written(CODES[kind, state])) for state in _LIKELIEST}
    waiting = codes[State.PENDING.value]
    codes[State.PENDING.value] = _chosen(block.c.name, {TOP_LEVEL: literal_column(written(ASIDE))}, waiting)
    return _chosen(block.c.state, codes, literal_column(written(OTHER)))


_LIKELIEST = (State.SUCCESS, State.PENDING, State.FAILED, State.RUNNING, State.SKIPPED)


def _chosen(column: Any, values: dict[str, Any], otherwise: Any) -> Any:
    return case({_word(word): value for word, value in values.items()}, value=column, else_=otherwise)


def _number(value: int) -> Any:
    return literal_column(str(value))


def _word(value: str) -> Any:
    return literal_column(f"'{value}'")


_LETTERS = bytes.maketrans(bytes(range(97, 97 + OTHER)), bytes(range(1, OTHER + 1)))
_SPAN = (block.c.id >= bindparam("first"), block.c.id <= bindparam("last"))
_RUN = func.coalesce(Whole(block.c.run_id), -1)
_numbers = func.count(), *(end(column) for column in (block.c.id, _RUN) for end in (func.min, func.max))
_letters = JoinedLetters(_code(lambda code: f"'{chr(96 + code)}'"), block.c.id)
_values = JoinedValues(
    _code(lambda code: str(code * _LOW)) + _RUN.op("&")(_number(_LOW - 1)), block.c.id
)  # no code is 0: SQLite writes a character, and not every small number is one
_places = JoinedValues((block.c.id - bindparam("first")) + _number(_LOW), block.c.id)
SOLE: Final = select(*_numbers, _letters).where(*_SPAN)
"""The blocks with ids from `first` to `last`: all that has to be asked where they are of one run, without gaps."""
STRETCH: Final = select(*_numbers, type_coerce(_values, String)).where(*_SPAN)
"""The same where they are of several runs."""
STRETCH_WITH_GAPS: Final = STRETCH.add_columns(type_coerce(_places, String))
OWNERS: Final = select(block.c.id, _RUN).where(*_SPAN)


class Stretch(NamedTuple):
    """What the blocks of a stretch of ids are: a code for each id, 0 where there is none, and its run."""

    first: int
    codes: bytes
    owners: array[int]
    high: int
    """What has to be added to each of the `owners` for the id of its run."""

    @property
    def last(self) -> int:
        """The last id of the stretch."""
        return self.first + len(self.codes) - 1

    def ids(self) -> Collection[int]:
        """The ids of the blocks that are there."""
        if 0 not in self.codes:
            return range(self.first, self.last + 1)
        return [self.first + place for place, code in enumerate(self.codes) if code]


def has_gaps(row: Sequence[Any]) -> bool:
    """Whether what `STRETCH` gave lacks ids between its first and its last."""
    return bool(row[0]) and row[0] != row[2] - row[1] + 1


def spans_many(row: Sequence[Any]) -> bool:
    """Whether the runs are so many that the lower halves of their ids do not tell which they are."""
    return bool(row[0]) and row[3] // _LOW != row[4] // _LOW


def is_sole(row: Sequence[Any]) -> bool:
    """Whether what `SOLE` gave says everything."""
    return not row[0] or (row[3] == row[4] and not has_gaps(row))


def sole_stretch(first: int, last: int, row: Sequence[Any]) -> Stretch:
    """The stretch as the row of `SOLE` tells it."""
    if not row[0]:
        return stretch_of(first, last, row)
    codes = row[5].encode("ascii").translate(_LETTERS)
    before, after = row[1] - first, last - row[2]
    high = row[3] // _LOW * _LOW
    owners = array("H", [0]) * before + array("H", [row[3] - high]) * row[0] + array("H", [0]) * after
    return Stretch(first, bytes(before) + codes + bytes(after), owners, high)


def stretch_of(first: int, last: int, row: Sequence[Any]) -> Stretch:
    """The stretch as the row of a statement tells it: one with gaps names the places, too."""
    if not row[0]:
        return Stretch(first, bytes(last - first + 1), array("H", bytes(2 * (last - first + 1))), 0)
    codes, owners = _halves(row[5])
    high = row[3] // _LOW * _LOW
    if len(row) == 6:
        before, after = bytes(row[1] - first), bytes(last - row[2])
        lows = array("H", bytes(2 * len(before))) + owners + array("H", bytes(2 * len(after)))
        return Stretch(first, before + codes + after, lows, high)
    spread, lows = bytearray(last - first + 1), array("H", bytes(2 * (last - first + 1)))
    for place, code, owner in zip(_halves(row[6])[1], codes, owners, strict=True):
        spread[place], lows[place] = code, owner
    return Stretch(first, bytes(spread), lows, high)


def with_owners(stretch: Stretch, rows: Sequence[Sequence[int]]) -> Stretch:
    """The stretch with the runs that are told by their whole ids; a block whose run is not among them is none."""
    owners, codes = array("q", bytes(8 * len(stretch.codes))), bytearray(len(stretch.codes))
    for block_id, run_id in rows:
        place = block_id - stretch.first
        owners[place], codes[place] = run_id, stretch.codes[place]
    return Stretch(stretch.first, bytes(codes), owners, 0)


def _halves(value: Any) -> tuple[bytes, array[int]]:
    """The upper and the lower halves of the joined values: characters on SQLite, numbers on PostgreSQL."""
    is_text = isinstance(value, str)
    data = value.encode("utf-32-le") if is_text else bytes(value)
    halves = array("H", data)
    if (sys.byteorder == "little") is not is_text:
        halves.byteswap()
    return (data[2::4], halves[0::2]) if is_text else (data[1::4], halves[1::2])


def segments(stretch: Stretch) -> list[tuple[int, int, int]]:
    """The parts of a stretch that belong to one run each: (run, first place, place after the last)."""
    found, place = [], 0
    for owner, some in groupby(stretch.owners):
        end = place + len(list(some))
        found.append((owner + stretch.high, place, end))
        place = end
    return found
