"""A table from its newest row to its oldest, in slices as large as can be gone over in a moment."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, func, select

from outflow_core.reader import Reader
from outflow_core.slices import CHUNK, LARGEST

SLICES: Mapping[str, int] = {"outflow_block": 20_000, "outflow_runtime_exception": 4_000, "outflow_configuration": 200}
"""How many rows one statement goes over at most; fewer where they hold so much that it takes long."""
SLICE_SECONDS = 0.05
LETTERS = 1_000_000
"""How much text one statement fetches, about."""


class Walk:
    """A table by its primary key, from its newest row to its oldest."""

    def __init__(self, reader: Reader, table: Table) -> None:
        self.table = table
        self.is_over = False
        self.total = self.passed = 0
        self._reader = reader
        self._key: Column[Any] = table.c.id
        self._below: int | None = None
        self._following: int | None = None
        self._last = 0
        self._most = SLICES.get(table.name, SLICES["outflow_block"])
        self._size = max(self._most // 16, 1)
        self._asked_at: float | None = None

    def following(self) -> ColumnElement[bool] | None:
        """The condition for the next slice; None when there is none. The same again until `move`."""
        if self._below is None and not self._begin():
            return None
        if self._asked_at is not None:  # it failed, perhaps for it went on for too long
            self._size = next_size(self._size, math.inf, self._most)
        self._asked_at = time.monotonic()
        assert self._below is not None
        key, below = self._key, self._below
        beyond = self._reader.rows(select(key).where(key < below).order_by(key.desc()).offset(self._size - 1).limit(1))
        self._following = beyond[0][0] if beyond else None
        return and_(key < below, key >= self._following) if beyond else key < below

    def _begin(self) -> bool:
        first, last = self._reader.rows(select(func.min(self._key), func.max(self._key)))[0]
        self.is_over = last is None
        if last is not None:
            self._below = self._last = min(last + 1, LARGEST)
            self.total = last + 1 - first
        return last is not None

    def move(self) -> None:
        """This slice is done."""
        assert self._asked_at is not None
        self._size = next_size(self._size, time.monotonic() - self._asked_at, self._most)
        self._asked_at = None
        self.is_over = self._following is None
        self.passed = self.total if self._following is None else self._last - self._following
        self._below = self._following


def next_size(size: int, seconds: float, most: int) -> int:
    """How many rows to go over next, when so many took so long.

    >>> next_size(1_000, 0.01, 20_000), next_size(16_000, 0.01, 20_000), next_size(1_000, 0.3, 20_000)
    (2000, 20000, 250)
    >>> next_size(1_000, 0.04, 20_000), next_size(1, math.inf, 20_000)
    (1000, 1)
    """
    if seconds < SLICE_SECONDS / 2:
        return min(2 * size, most)
    return size if seconds < SLICE_SECONDS else max(size // 4, 1)


def portions(found: Sequence[Sequence[Any]]) -> Iterator[list[int]]:
    """The ids of rows, newest first, in portions of about LETTERS letters at most."""
    portion: list[int] = []
    letters = 0
    for number, size in sorted(map(tuple, found), reverse=True):
        if portion and (letters + size > LETTERS or len(portion) == CHUNK):
            yield portion
            portion, letters = [], 0
        portion.append(number)
        letters += size
    if portion:
        yield portion
