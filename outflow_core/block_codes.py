"""Runs, types and states of a stretch of blocks, written by the database in four bytes each.

A million rows cost seconds to fetch and a million groups to sort; one value that the database joins costs neither.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import bindparam, case, func, literal_column, select, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import LargeBinary, String

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
    """Small numbers of many rows as one value, four bytes each, in the order of the rows."""

    type = LargeBinary()
    inherit_cache = True


@compiles(JoinedValues, "sqlite")
def _joined_on_sqlite(element: JoinedValues, compiler: Any, **options: Any) -> str:
    return f"group_concat(char({compiler.process(element.clauses, **options)}), '')"


@compiles(JoinedValues, "postgresql")
def _joined_on_postgresql(element: JoinedValues, compiler: Any, **options: Any) -> str:
    return f"string_agg(int4send({compiler.process(element.clauses, **options)}), ''::bytea)"


def _value() -> Any:
    """A block's code in the upper half, which no character of SQLite's may lack, its run in the lower one."""
    c = block.c
    kinds = {kind.value: _of_states(kind) for kind in BlockType}
    code = _chosen(c.type, kinds, _number(OTHER * _LOW))
    return code + c.run_id.op("&")(_number(_LOW - 1))


def _of_states(kind: BlockType) -> Any:
    numbers: dict[str, Any] = {state.value: _number(CODES[kind, state] * _LOW) for state in _LIKELIEST}
    numbers[State.PENDING.value] = _chosen(
        block.c.name, {TOP_LEVEL: _number(ASIDE * _LOW)}, numbers[State.PENDING.value]
    )
    return _chosen(block.c.state, numbers, _number(OTHER * _LOW))


_LIKELIEST = (State.SUCCESS, State.PENDING, State.FAILED, State.RUNNING, State.SKIPPED)


def _chosen(column: Any, values: dict[str, Any], otherwise: Any) -> Any:
    return case({_word(word): value for word, value in values.items()}, value=column, else_=otherwise)


def _number(value: int) -> Any:
    return literal_column(str(value))


def _word(value: str) -> Any:
    return literal_column(f"'{value}'")


_blocks = (
    select(block.c.id, block.c.run_id, _value().label("value"))
    .where(block.c.id >= bindparam("first"), block.c.id <= bindparam("last"))
    .order_by(block.c.id)
    .subquery()
)
_least, _greatest = func.min(_blocks.c.id), func.max(_blocks.c.id)
_runs = func.min(_blocks.c.run_id), func.max(_blocks.c.run_id)
_values = type_coerce(JoinedValues(_blocks.c.value), String)
_place = (_blocks.c.id - bindparam("first")) + _number(_LOW)
STRETCH: Final = select(func.count(), _least, _greatest, *_runs, _values)
"""The blocks with ids from `first` to `last`; as good as `STRETCH_WITH_GAPS` where there are none."""
STRETCH_WITH_GAPS: Final = STRETCH.add_columns(type_coerce(JoinedValues(_place), String))
OWNERS: Final = select(block.c.id, block.c.run_id).where(
    block.c.id >= bindparam("first"), block.c.id <= bindparam("last")
)


@dataclass(frozen=True, slots=True)
class Stretch:
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
