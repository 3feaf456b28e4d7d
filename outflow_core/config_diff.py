"""Two configurations become changes by path, not by line; pure.

Values are told apart with their types (1, 1.0, True and "1" are four), the order of keys is no
difference, and lists are aligned, so that one inserted element is one change.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from outflow_core.masking import Masked
from outflow_core.rows import ConfigurationRow

Path = tuple[str | int, ...]
Kind = Literal["changed", "added", "removed", "equal"]
Section = Literal["config", "settings"]
Difference = tuple[Path, Kind, Any, Any]
"""The path, what became of the value, the old one, the new one."""

_SECTIONS: tuple[Section, Section] = ("config", "settings")
APART = ("_CONFIG_FILEPATH", "name")
"""Keys that tell where a configuration came from, not what it says."""

_ABSENT: Any = object()
_LEAVES = frozenset({str, int, float, bool, type(None)})
"""Types of which two values that are equal are the same; most leaves are, and need no further look."""

_ALIGNED = 2_000
"""Longer lists are compared place by place: aligning them could take minutes."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, or a value that is `equal`.

    The path's list indices count in the new value, for what was removed in the old one.
    """

    section: Section
    path: Path
    kind: Kind
    old: Any = None
    new: Any = None


def diff(old: ConfigurationRow, new: ConfigurationRow, *, equal: bool = False) -> tuple[Change, ...]:
    """What differs between two stored configurations, in the order of their keys; if wanted, what is `equal` too."""
    if is_same_row(old, new) and not equal:
        return ()
    found: list[Change] = []
    for section in _SECTIONS:
        sides = getattr(old, section), getattr(new, section)
        edges = edge(old, section), edge(new, section)
        compared = changes(_compared(sides[0]), _compared(sides[1]), equal=equal)
        found += (Change(section, *change) for change in compared if not _is_unread(change[0], change[1], *edges))
    return tuple(found)


def edge(row: ConfigurationRow, section: Section) -> frozenset[Path]:
    """The paths of what goes on behind the last value that was read; none where everything was read."""
    if not row.left_out[_SECTIONS.index(section)]:
        return frozenset()
    found, value, path = list[Path](), getattr(row, section), Path()
    while value and isinstance(value, (Mapping, list)):
        found.append(path)
        key = list(value)[-1] if isinstance(value, Mapping) else len(value) - 1
        path, value = (*path, key), value[key]
    return frozenset(found)


def _is_unread(path: Path, kind: Kind, old_edge: Collection[Path], new_edge: Collection[Path]) -> bool:
    """Whether what one side seems to lack may stand behind what was read of it; lists are aligned by all of theirs."""
    if kind not in ("added", "removed") or not (old_edge or new_edge):
        return False
    lacking = old_edge if kind == "added" else new_edge
    return path[:-1] in lacking or (isinstance(path[-1], int) and (path[:-1] in old_edge or path[:-1] in new_edge))


def is_same_row(old: ConfigurationRow, new: ConfigurationRow) -> bool:
    """Whether it is one row of one database, which two runs used."""
    return (old.id, old.hash) == (new.id, new.hash) and old == new


def beyond_comparison(old: ConfigurationRow, new: ConfigurationRow) -> int:
    """How many values were masked in both before they were stored, so that nobody knows whether they differ."""
    return 0 if is_same_row(old, new) else len(set(old.sealed) & set(new.sealed))


def apart(old: ConfigurationRow, new: ConfigurationRow) -> tuple[Change, ...]:
    """Differences in where the configurations came from; they do not count as differences."""
    return tuple(
        Change("config", (key,), "changed", old.config.get(key), new.config.get(key))
        for key in APART
        if old.config.get(key) != new.config.get(key)
    )


def _compared(section: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in APART}


def changes(old: Any, new: Any, path: Path = (), *, equal: bool = False) -> Iterator[Difference]:
    """The changes from one value to another; if wanted, the values too that are `equal`."""
    if isinstance(old, (dict, Mapping)) and isinstance(new, (dict, Mapping)):  # Mapping alone is slow to answer
        yield from _mapping_changes(old, new, path, equal)
    elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        yield from _list_changes(old, new, path, equal)
    elif not _is_same(old, new):
        yield path, "changed", old, new
    elif equal:
        yield path, "equal", old, new


def _mapping_changes(old: Mapping[str, Any], new: Mapping[str, Any], path: Path, equal: bool) -> Iterator[Difference]:
    if equal and path and not old and not new:
        yield path, "equal", old, new
    for key, value in old.items():
        other = new.get(key, _ABSENT)
        if other is _ABSENT:
            yield (*path, key), "removed", value, None
        elif equal or type(value) not in _LEAVES or type(value) is not type(other) or value != other:
            yield from changes(value, other, (*path, key), equal=equal)
    for key, value in new.items():
        if key not in old:
            yield (*path, key), "added", None, value


def _list_changes(old: Sequence[Any], new: Sequence[Any], path: Path, equal: bool) -> Iterator[Difference]:
    if equal and path and not old and not new:
        yield path, "equal", old, new
    for before, after in _aligned(old, new, equal):
        paired = min(len(before), len(after))
        for index, other in zip(before, after, strict=False):
            yield from changes(old[index], new[other], (*path, other), equal=equal)
        for index in before[paired:]:
            yield (*path, index), "removed", old[index], None
        for index in after[paired:]:
            yield (*path, index), "added", None, new[index]


def _aligned(old: Sequence[Any], new: Sequence[Any], equal: bool) -> Iterator[tuple[range, range]]:
    """The stretches in which two lists differ, as the ranges of their indices; or all stretches."""
    if len(old) > _ALIGNED or len(new) > _ALIGNED:
        yield range(len(old)), range(len(new))
        return
    matcher = SequenceMatcher(None, [sign(item) for item in old], [sign(item) for item in new], autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if equal or kind != "equal":
            yield range(start, end), range(other_start, other_end)


def sign(value: Any) -> str:
    """A text that is equal for equal values, types and all, whatever the order of keys."""
    return json.dumps(_told_apart(value), sort_keys=True, default=repr)


def _told_apart(value: Any) -> Any:
    """The value with masked secrets written as what tells them apart."""
    if isinstance(value, Mapping):
        return {key: _told_apart(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_told_apart(item) for item in value]
    return f"{value}{value.digest.hex()}" if isinstance(value, Masked) else value


def _is_same(old: Any, new: Any) -> bool:
    """Equal in type and value; NaN is the same as NaN."""
    if isinstance(old, str) and isinstance(new, str):  # one of them may be masked
        return old == new
    return type(old) is type(new) and (old == new or (old != old and new != new))


def path_text(path: Sequence[str | int]) -> str:
    """A path as people write it.

    >>> path_text(("fit", "steps", 2, "a.b"))
    'fit.steps[2]."a.b"'
    """
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        else:
            name = step if step and "." not in step and " " not in step else f'"{step}"'
            shown += f".{name}" if shown else name
    return shown
