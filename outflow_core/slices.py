"""Rows of many ids, and of whole tables, by statements that are short each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from outflow_core.reader import Reads

CHUNK = 450
"""How many values one IN (...) holds: SQLite's older limit is 999."""
SLICE = 20_000
"""How many rows one statement goes over when a whole table has to be counted."""
LARGEST = 2**63 - 1
"""The greatest id that a database can hold."""


def rows_among(reads: Reads, query: Select[Any], key: ColumnElement[Any], ids: Collection[int]) -> Iterator[Any]:
    """The rows of a statement whose key is among these, by as many statements as it takes."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        yield from reads.rows(query.where(key.in_(ordered[start : start + CHUNK])))


def rows_in_slices(
    reads: Reads, query: Select[Any], key: ColumnElement[int], *, at_least: int | None = None
) -> Iterator[Any]:
    """The rows of a statement that goes over a table, from one key on or over all of it; no writer waits long."""
    for where in _slices(reads, key, at_least):
        yield from reads.rows(query.where(where))


def _slices(reads: Reads, key: ColumnElement[int], at_least: int | None) -> Iterator[ColumnElement[bool]]:
    """Conditions that part a table by its primary key into slices of at most SLICE rows, whatever the gaps."""
    least = select(func.min(key)) if at_least is None else select(func.min(key)).where(key >= at_least)
    first = reads.rows(least)[0][0]
    while isinstance(first, int):  # texts and bytes, which SQLite takes for greater than all numbers, are no keys
        last = min(first + SLICE - 1, LARGEST)
        yield and_(key >= first, key <= last)
        first = reads.rows(select(func.min(key)).where(key > last))[0][0]
