"""Several configurations side by side: the paths at which any two differ, and which of them go with failure; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outflow_core.config_diff import APART, Path, Section, edge, sign
from outflow_core.rows import ConfigurationRow

Place = tuple[Section, Path]


class Absent:
    """Stands where a configuration has no value at a path."""


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class TableRow:
    """One path, and the value of each configuration there, in their order; ABSENT where there is none."""

    section: Section
    path: Path
    values: tuple[Any, ...]
    groups: tuple[int, ...]
    """Equal numbers stand at equal values; types count, the order of keys does not."""


def table(rows: Sequence[ConfigurationRow]) -> tuple[TableRow, ...]:
    """The paths at which the configurations differ, in the order in which they are first met.

    A list is one value: which of its elements belong together is not known of more than two.
    """
    leaves = [dict(_leaves_of(row)) for row in rows]
    edges = [(row, {"config": edge(row, "config"), "settings": edge(row, "settings")}) for row in rows]
    cut = [(row, found) for row, found in edges if any(found.values())]
    places = dict.fromkeys(
        place for found in leaves for place in found if not any(_is_unread(row, place, ends) for row, ends in cut)
    )
    found = (_row(place, [values.get(place, ABSENT) for values in leaves]) for place in places)
    return tuple(row for row in found if len(set(row.groups)) > 1)


def goes_with(row: TableRow, chosen: Sequence[bool | None]) -> bool:
    """Whether each value is either one of the chosen configurations only, or of the others only (None: neither).

    What is different in every configuration, such as a seed, goes with nothing.

    >>> row = TableRow("config", ("tolerance",), (1, 2, 2), (0, 1, 1))
    >>> goes_with(row, [False, True, True]), goes_with(row, [False, True, False]), goes_with(row, [None, True, True])
    (True, False, False)
    """
    decided = [group for group, is_chosen in zip(row.groups, chosen, strict=True) if is_chosen is not None]
    ours = {group for group, is_chosen in zip(row.groups, chosen, strict=True) if is_chosen is True}
    theirs = {group for group, is_chosen in zip(row.groups, chosen, strict=True) if is_chosen is False}
    return bool(ours) and bool(theirs) and not ours & theirs and len(set(decided)) < len(decided)


def _is_unread(row: ConfigurationRow, place: Place, edges: Mapping[str, Collection[Path]]) -> bool:
    """Whether the value at a place, or a part of it, may stand behind what was read of a configuration."""
    section, path = place
    found, value = 0, getattr(row, section)
    while found < len(path) and isinstance(value, Mapping) and path[found] in value:
        value, found = value[path[found]], found + 1
    return path[:found] in edges[section]


def _row(place: Place, values: Sequence[Any]) -> TableRow:
    numbers: dict[str, int] = {}
    signs = ["" if value is ABSENT else sign(value) for value in values]
    return TableRow(*place, tuple(values), tuple(numbers.setdefault(text, len(numbers)) for text in signs))


def _leaves_of(row: ConfigurationRow) -> Iterator[tuple[Place, Any]]:
    sections: tuple[tuple[Section, Mapping[str, Any]], ...] = (("config", row.config), ("settings", row.settings))
    for section, values in sections:
        for path, value in _leaves(values, ()):
            if path[:1] not in [(key,) for key in APART]:
                yield (section, path), value


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif path:
        yield path, value
