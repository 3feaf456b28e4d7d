"""Lists of blocks that are never written out: what stands at a place is found when it is asked for; pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:  # the first frame does not wait for it
    from outflow_core.run_page import Indices, Page

T = TypeVar("T")


class LongList(Sequence[T]):
    """What all of them share; a subclass says how long it is, what stands at a place, and where a key stands."""

    def at(self, place: int) -> T:
        """What stands at a place that there is."""
        raise NotImplementedError

    def place_of(self, key: Any) -> int | None:
        """Where the item of a key stands, without going through all of them; None when it is not there."""
        raise NotImplementedError

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        if isinstance(place, slice):
            return [self.at(one) for one in range(*place.indices(len(self)))]
        place = place + len(self) if place < 0 else place
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self.at(place)


class Listed(LongList[T]):
    """A short list, written out."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = list(items)
        self._places = {item: place for place, item in enumerate(self._items)}

    def __len__(self) -> int:
        return len(self._items)

    def at(self, place: int) -> T:
        """What stands at a place."""
        return self._items[place]

    def place_of(self, key: Any) -> int | None:
        """Where something stands."""
        return self._places.get(key)


class Ids(LongList[int]):
    """The ids of some blocks of some pages, in order of the ids."""

    def __init__(self, parts: Sequence[tuple[Page, Indices]]) -> None:
        self._parts = parts
        self._starts = [0, *accumulate(len(indices) for _, indices in parts)]
        self._firsts = [page.first for page, _ in parts]

    def __len__(self) -> int:
        return self._starts[-1]

    def at(self, place: int) -> int:
        """The id at a place."""
        number = bisect_right(self._starts, place) - 1
        page, indices = self._parts[number]
        return page.id(indices[place - self._starts[number]])

    def place_of(self, key: Hashable) -> int | None:
        """Where an id stands."""
        number = bisect_right(self._firsts, key) - 1 if isinstance(key, int) else -1
        if number < 0 or not isinstance(key, int):
            return None
        page, indices = self._parts[number]
        index = page.index(key)
        found = bisect_left(indices, index) if index is not None else len(indices)
        return self._starts[number] + found if found < len(indices) and indices[found] == index else None


class Together(LongList[int]):
    """The ids of a list, but some of them (in rows) right behind the first of their row."""

    def __init__(self, ids: Ids, rows: Iterable[Sequence[int]]) -> None:
        self._ids = ids
        self._pieces: list[Sequence[int]] = []
        self._moved: dict[int, tuple[int, int]] = {}
        begin = 0
        for place, behind in sorted(self._events(rows)):
            self._pieces.append(range(begin, place + bool(behind)))
            self._moved |= {key: (len(self._pieces), offset) for offset, key in enumerate(behind)}
            self._pieces.append(behind)
            begin = place + 1
        self._pieces.append(range(begin, len(ids)))
        self._starts = [0, *accumulate(map(len, self._pieces))]
        self._begins = [piece.start for piece in self._pieces[::2] if isinstance(piece, range)]

    def _events(self, rows: Iterable[Sequence[int]]) -> Iterable[tuple[int, tuple[int, ...]]]:
        """At which place of the list what comes behind; nothing comes behind what is taken away."""
        for row in rows:
            places = {key: place for key in row if (place := self._ids.place_of(key)) is not None}
            if len(places) > 1:
                first, *behind = sorted(places)
                yield places[first], tuple(behind)
                yield from ((places[key], ()) for key in behind)

    def __len__(self) -> int:
        return self._starts[-1]

    def at(self, place: int) -> int:
        """The id at a place."""
        number = bisect_right(self._starts, place) - 1
        found = self._pieces[number][place - self._starts[number]]
        return found if number % 2 else self._ids.at(found)

    def place_of(self, key: Hashable) -> int | None:
        """Where an id stands."""
        if isinstance(key, int) and key in self._moved:
            number, offset = self._moved[key]
            return self._starts[number] + offset
        place = self._ids.place_of(key)
        if place is None:
            return None
        number = 2 * (bisect_right(self._begins, place) - 1)
        return self._starts[number] + place - self._begins[number // 2]


class Chain(LongList[Any]):
    """Two lists, one behind the other."""

    def __init__(self, first: Ids | Together, second: Listed[Any]) -> None:
        self._first, self._second = first, second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def at(self, place: int) -> Any:
        """What stands at a place."""
        return self._first.at(place) if place < len(self._first) else self._second.at(place - len(self._first))

    def place_of(self, key: Hashable) -> int | None:
        """Where something stands."""
        found = self._first.place_of(key)
        if found is None and (behind := self._second.place_of(key)) is not None:
            return len(self._first) + behind
        return found
