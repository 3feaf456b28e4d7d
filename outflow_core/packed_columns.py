"""Columns of a few values for many rows, in a byte a row or less; pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from operator import ne
from typing import Generic, TypeVar

FEW = 256
"""Up to so many values take one byte for each row."""
LONG = 8
"""Where equal values stand together, so many or more on average, each stretch of them is told once."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A value for each row; nothing is kept for each where it is always the same."""

    values: tuple[T, ...]
    which: array[int] | None = None
    """Which of the values each row has, or each stretch."""
    ends: array[int] | None = None
    """Behind which row each stretch ends."""

    def ends_in(self, count: int) -> Sequence[int]:
        """Behind which of the `count` rows a stretch of equal values ends."""
        return [count] if self.which is None else _ends(self.which) if self.ends is None else self.ends

    def changed(self, news: Mapping[int, T], count: int) -> Column[T]:
        """The column of `count` rows in which some have other values."""
        if all(self[index] == value for index, value in news.items()):
            return self
        which = array("H", self._numbers(count))
        table = {value: number for number, value in enumerate(self.values)}
        for index, value in news.items():
            which[index] = table.setdefault(value, len(table))
        if len(table) > count:
            gathered = Gathered[T]()
            gathered.add(map(tuple(table).__getitem__, which))
            return gathered.column()
        return Column(tuple(table), which if len(table) > FEW else array("B", which))

    def __getitem__(self, index: int) -> T:
        if self.which is None:
            return self.values[0]
        return self.values[self.which[index if self.ends is None else bisect_right(self.ends, index)]]

    def _numbers(self, count: int) -> Iterable[int]:
        if self.which is None:
            return repeat(0, count)
        if self.ends is None:
            return self.which
        lengths = (end - begin for begin, end in zip(chain([0], self.ends), self.ends, strict=False))
        return chain.from_iterable(map(repeat, self.which, lengths))


class Gathered(Generic[T]):
    """The values of a column, as they come in."""

    def __init__(self) -> None:
        self._table: dict[T, int] = {}
        self._which = array("H")

    def add(self, values: Iterable[T]) -> None:
        """Those of the next rows."""
        table = self._table
        self._which.extend([table.setdefault(value, len(table)) for value in values])

    def column(self) -> Column[T]:
        """The column that holds all of them in their order."""
        values, which = tuple(self._table), self._which
        if len(values) <= 1:
            return Column(values)
        ends = _ends(which)
        if LONG * len(ends) <= len(which):
            return Column(values, array("H", [which[end - 1] for end in ends]), array("I", ends))
        return Column(values, which if len(values) > FEW else array("B", which))


def _ends(which: array[int]) -> list[int]:
    return [*(row for row, differs in enumerate(map(ne, which, islice(which, 1, None)), 1) if differs), len(which)]
