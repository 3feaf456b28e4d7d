"""The blocks of one run: what is inside what, its name, state and how long it took; pure.

They stand in pages by their ids. A page is never changed: where a block is another, its page is
another one, and all the others stay the very same.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from operator import is_

from outflow_core.packed_columns import Gathered
from outflow_core.run_page import SIZE, UNTOLD, Page, Shape, ShapeRow, code_of, shortest

SOME = 1024
"""So many rows are made into a page at once."""


def page_of(first: int, rows: Iterable[ShapeRow]) -> Page | None:
    """The page that begins at an id and holds these blocks, which are in order; None for no blocks.

    The rows are taken some at a time: many of them at once would be most of the memory that a run needs.
    """
    places, codes, took = array("H"), bytearray(), array("f")
    parents, names, hosts = Gathered[int | None](), Gathered[str](), Gathered[str | None]()
    rows = iter(rows)
    while some := list(islice(rows, SOME)):
        ids, some_parents, kinds, states, some_names, some_hosts, seconds = zip(*some, strict=True)
        places.extend([number - first for number in ids])
        codes += bytes(map(code_of, kinds, states, some_names))
        took.extend([UNTOLD if one is None else one for one in seconds])
        parents.add(some_parents)
        names.add(some_names)
        hosts.add(some_hosts)
    if not codes:
        return None
    return Page(first, shortest(places), bytes(codes), parents.column(), names.column(), hosts.column(), took)


def patched(page: Page, changed: Mapping[int, ShapeRow | None]) -> Page | None:
    """The page with these blocks as they are now, by their ids; None for one that is gone.

    It is the very same page when nothing is different.
    """
    news: dict[int, ShapeRow] = {}
    others = False
    for block_id, row in changed.items():
        index = page.index(block_id)
        if row is None or index is None:
            others = others or row is not None or index is not None
        elif page.row(index) != _as_kept(row):
            news[index] = row
    if others:
        return _laid_out_anew(page, changed)
    return _with_rows(page, news) if news else page


def _with_rows(page: Page, news: Mapping[int, ShapeRow]) -> Page:
    """The page with other values for some of its blocks, by their order in it."""
    codes, seconds = bytearray(page.codes), page.seconds[:]
    for index, row in news.items():
        codes[index] = code_of(row[2], row[3], row[4])
        seconds[index] = UNTOLD if row[6] is None else row[6]
    parents = page.parents.changed({index: row[1] for index, row in news.items()}, len(page))
    names = page.names.changed({index: row[4] for index, row in news.items()}, len(page))
    hosts = page.hosts.changed({index: row[5] for index, row in news.items()}, len(page))
    return Page(page.first, page.places, bytes(codes), parents, names, hosts, seconds)


def _laid_out_anew(page: Page, changed: Mapping[int, ShapeRow | None]) -> Page | None:
    """The page with other blocks than before."""
    rows: dict[int, ShapeRow | None] = {row[0]: row for row in map(page.row, range(len(page)))}
    kept = rows | dict(changed)
    return page_of(page.first, [row for _, row in sorted(kept.items()) if row is not None])


def _as_kept(row: ShapeRow) -> ShapeRow:
    """A row with its seconds as exact as they are kept."""
    return row if row[6] is None else (*row[:6], array("f", [row[6]])[0])


@dataclass(frozen=True)
class RunShape:
    """All blocks of one run, as far as they have been read, in pages of `size` ids."""

    pages: tuple[Page, ...] = ()
    size: int = SIZE

    @cached_property
    def _by_number(self) -> dict[int, Page]:
        return {page.first // self.size: page for page in self.pages}

    def __len__(self) -> int:
        return sum(map(len, self.pages))

    def page(self, block_id: int) -> Page | None:
        """The page in which a block stands, if it is there."""
        return self._by_number.get(block_id // self.size)

    def find(self, block_id: int | None) -> tuple[Page, int] | None:
        """The page of a block and where it is in it; None when it is not there."""
        page = self.page(block_id) if block_id is not None else None
        index = page.index(block_id) if page is not None and block_id is not None else None
        return (page, index) if page is not None and index is not None else None

    def get(self, block_id: int | None) -> Shape | None:
        """What is kept of a block; None when it is not there."""
        found = self.find(block_id)
        return found[0].shape(found[1]) if found else None

    def shapes(self) -> Iterator[Shape]:
        """Every block."""
        return (page.shape(index) for page in self.pages for index in range(len(page)))

    def with_pages(self, changed: Mapping[int, Page | None]) -> RunShape:
        """The run with these pages, by their numbers; the very same when they are the same."""
        kept = {**self._by_number, **changed}
        pages = tuple(page for _, page in sorted(kept.items()) if page is not None)
        is_same = len(pages) == len(self.pages) and all(map(is_, pages, self.pages))
        return self if is_same else replace(self, pages=pages)


def shape_of(rows: Iterable[ShapeRow], size: int = SIZE) -> RunShape:
    """The shape of a run with these blocks."""
    pages: dict[int, list[ShapeRow]] = {}
    for row in sorted(rows, key=lambda row: row[0]):
        pages.setdefault(row[0] // size, []).append(row)
    return RunShape(size=size).with_pages({number: page_of(number * size, rows) for number, rows in pages.items()})
