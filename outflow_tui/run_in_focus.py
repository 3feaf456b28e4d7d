"""The run that is looked at: read page by page, then only what changed is read again. Lives in the poller's thread."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from outflow_core import block_queries
from outflow_core.changes import Ledger
from outflow_core.reader import Reader
from outflow_core.run_page import Page
from outflow_core.run_shape import RunShape, patched
from outflow_tui.snapshot import RunView
from outflow_tui.try_reading import TryReading

FIRST = 1_000
"""Blocks that are shown before any more are read."""
FEW = 1_000
"""Up to so many blocks of a page are read by their ids, more with the whole page."""


class RunInFocus:
    """The shape of the run, as far as it has been read."""

    def __init__(self, reader: Reader, ledger: Ledger, run_id: int) -> None:
        self.run_id = run_id
        self.view = RunView(run_id, RunShape(size=ledger.index.size), is_whole=False)
        self.read_again: set[int] = set()
        """Blocks of which more than their shape may be different; who takes note of them empties it."""
        self.fresh: set[int] = set()
        """The blocks that changed, with those that had changed one look before; likewise."""
        self._reader = reader
        self._ledger = ledger
        self._pages: dict[int, Page | None] = {}
        self._unread: set[int] = set()
        self._early: set[int] = set()
        self._was_complete = False
        self._sizes: dict[int, int] = {}
        self._tries = TryReading(reader, run_id)
        self._again: set[int] = set()
        self._find_first()

    @property
    def _size(self) -> int:
        return self._ledger.index.size

    def _find_first(self) -> None:
        """Where to begin; an old run is not met by the ledger before it has counted everything newer."""
        if not self._ledger.is_complete and self.run_id not in self._ledger.index.tallies:
            first = block_queries.first_block(self._reader, self.run_id)
            self._unread |= {first // self._size} if first is not None else set()
        self._find_pages()

    def _find_pages(self) -> None:
        """Take note of pages that the ledger has come to know.

        What changed while it was not complete it does not say: what was read by then is read once more.
        """
        if self._was_complete:
            return
        self._was_complete = self._ledger.is_complete
        self._unread |= set(self._ledger.index.pages_of(self.run_id)) - self._pages.keys()
        if self._was_complete:
            self._unread |= self._early

    def refresh(self, changed: Collection[int]) -> None:
        """Read the blocks that changed, and once more those that changed last time or are running.

        Some columns are written one commit after the state.
        """
        tally = self._ledger.index.tallies.get(self.run_id)
        ours = {number for number in changed if tally is not None and tally.first <= number <= tally.last}
        wanted = ours | self._again | {one for page in self.view.shape.pages for one in page.running}
        self.fresh |= ours | self._again
        self._again = ours
        self._may_differ(wanted)
        by_page: dict[int, list[int]] = {}
        for block_id in wanted:
            by_page.setdefault(block_id // self._size, []).append(block_id)
        few = {number: ids for number, ids in by_page.items() if len(ids) <= FEW and self._pages.get(number)}
        self._unread |= by_page.keys() - few.keys()
        self._read_some(few)

    def _may_differ(self, ids: Collection[int]) -> None:
        self.read_again.update(ids)
        self._tries.again(ids)

    def _read_some(self, ids: Mapping[int, Collection[int]]) -> None:
        wanted = [block_id for some in ids.values() for block_id in some]
        rows = block_queries.shapes_by_id(self._reader, self.run_id, wanted)
        self._take(
            {
                number: patched(page, {block_id: rows.get(block_id) for block_id in some})
                for number, some in ids.items()
                if (page := self._pages[number]) is not None
            }
        )

    def read_on(self, until: float) -> bool:
        """Read on until then, but the first rows at once; whether there is more to read."""
        self._find_pages()
        if not self.view.shape.pages and self._unread and self._read_beginning(min(self._unread)):
            return True
        had_none, read = not self.view.shape.pages, dict[int, Page | None]()
        while self._unread and not (read and time.monotonic() >= until):
            number = min(self._unread, key=lambda number: (number in self._pages, number))
            read[number] = self._read_page(number)
            self._unread.discard(number)
            if had_none and read[number] is not None:
                break
        self._take(read)
        is_reading = bool(self._unread) or not self._was_complete
        if self.view.is_whole is is_reading:
            self.view = self.view._replace(is_whole=not is_reading)
            self._tries.look_at(self.view)
        return is_reading or self._read_tries(until)

    def _read_beginning(self, number: int) -> bool:
        """Show the first rows of a page that has many; whether it has. It is read whole, and known, later."""
        page = block_queries.page_of(self._reader, self.run_id, number, self._size, most=FIRST)
        if page is None or len(page) < FIRST:
            return False
        self.view = self.view._replace(shape=self.view.shape.with_pages({number: page}), is_whole=False)
        return True

    def _read_page(self, number: int) -> Page | None:
        page, known = block_queries.page_of(self._reader, self.run_id, number, self._size), self._pages.get(number)
        if not self._ledger.is_complete:
            self._early.add(number)
        if number in self._pages:
            self._may_differ(_ids(page) | _ids(known))
        return known if page == known else page

    def _take(self, pages: Mapping[int, Page | None]) -> None:
        """Show these pages, if any of them is another one."""
        self._pages |= pages
        shape = self.view.shape.with_pages(pages)
        if shape is not self.view.shape:
            self._find_sizes(page for page in pages.values() if page is not None)
            self.view = self.view._replace(shape=shape, map_sizes=MappingProxyType(self._sizes))
            self._tries.look_at(self.view)

    def _find_sizes(self, pages: Iterable[Page]) -> None:
        unsized = {block_id for page in pages for block_id in page.workflows} - self._sizes.keys()
        if unsized:
            found = block_queries.map_sizes(self._reader, unsized)
            self._sizes = self._sizes | {number: found.get(number, 0) for number in unsized}

    def _read_tries(self, until: float) -> bool:
        is_reading = self._tries.read_on(until)
        if self._tries.tries is not self.view.tries:
            self.view = self.view._replace(tries=self._tries.tries)
        return is_reading


def _ids(page: Page | None) -> set[int]:
    return {page.first + place for place in page.places} if page is not None else set()
