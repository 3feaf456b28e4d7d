"""The newest blocks of a run row by row, for who needs their times; read only while somebody looks at these."""

from __future__ import annotations

import time
from collections.abc import Collection

from outflow_core import block_queries
from outflow_core.reader import Reader
from outflow_core.rows import BlockRow
from outflow_core.run_page import Page
from outflow_tui.snapshot import RunView

MOST = 50_000
"""How many of the newest blocks are read, in whole pages."""
FEW = 400
"""Up to so many blocks are read by their ids, more with their whole pages."""


class RunRows:
    """Read once, page by page from the newest on; then only what changed is read again."""

    def __init__(self, reader: Reader, run_id: int) -> None:
        self.run_id = run_id
        self.rows: tuple[BlockRow, ...] | None = None
        """In order of their ids; None until they have been read."""
        self.left_out = 0
        """How many older blocks there are."""
        self._reader = reader
        self._known: dict[int, dict[int, BlockRow]] = {}
        self._again: set[int] = set()

    def again(self, ids: Collection[int]) -> None:
        """These blocks may be different."""
        self._again |= set(ids)

    def read(self, view: RunView, until: float) -> bool:
        """Read on until then; whether there is more to read."""
        if not view.is_whole:
            return True
        pages = _newest(view.shape.pages)
        self.left_out = len(view.shape) - sum(map(len, pages))
        has_changed = self._forget(pages) | self._read_again(pages, view.shape.size)
        for page in pages:
            if page.first not in self._known:
                if time.monotonic() >= until:
                    return True
                self._read_page(page.first, view.shape.size)
                has_changed = True
        if has_changed or self.rows is None:
            by_id = {number: row for some in self._known.values() for number, row in some.items()}
            self.rows = tuple(by_id[number] for number in sorted(by_id))
        return False

    def _forget(self, pages: Collection[Page]) -> bool:
        gone = self._known.keys() - {page.first for page in pages}
        for first in gone:
            del self._known[first]
        return bool(gone)

    def _read_page(self, first: int, size: int) -> None:
        rows = block_queries.blocks_between(self._reader, self.run_id, first, first + size - 1)
        self._known[first] = {row.id: row for row in rows}

    def _read_again(self, pages: Collection[Page], size: int) -> bool:
        """Read what may be different; whether anything is."""
        firsts = {page.first for page in pages} & self._known.keys()
        ids = {number for number in self._again if number // size * size in firsts}
        self._again = set()
        if len(ids) > FEW:
            for first in {number // size * size for number in ids}:
                del self._known[first]
            return True
        found = {row.id: row for row in block_queries.blocks_by_id(self._reader, self.run_id, ids)}
        changed = False
        for number in ids:
            known = self._known[number // size * size]
            row = found.get(number)
            changed = changed or known.get(number) != row
            if row is None:
                known.pop(number, None)
            else:
                known[number] = row
        return changed


def _newest(pages: Collection[Page]) -> list[Page]:
    """The newest pages, with as many blocks together as are read, from the newest on."""
    found: list[Page] = []
    count = 0
    for page in reversed(list(pages)):
        if count >= MOST:
            break
        found.append(page)
        count += len(page)
    return found
