"""Configurations, and what differs between two of them, become lines to read; pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any

from outflow_core.config_diff import Change, Path, apart, beyond_comparison, diff, is_same_row
from outflow_core.config_diff import path_text as path_text
from outflow_core.masking import MASK
from outflow_core.rows import ConfigurationRow
from outflow_tui.format import Glyphs, as_text
from outflow_tui.lines import Line, Piece

Laid = tuple[tuple[str | int, ...], list[Piece]]
_SIGNS = {"added": "+", "removed": "-", "changed": "~", "equal": " "}
_LOOKS = {"equal": "dim"}


def config_lines(row: ConfigurationRow) -> tuple[Line, ...]:
    """A stored configuration and its settings, nested as they were."""
    laid: list[tuple[Hashable, list[Piece], int]] = []
    for title, section in (("configuration", row.config), ("settings", row.settings)):
        keys = f"{len(section)} key{'s' if len(section) > 1 else ''}" if section else "empty"
        laid.append(((title,), [(title, "strong"), (f"  {keys}", "dim")], 0))
        laid.extend((path, pieces, len(path) - 1) for path, pieces in _nested(section, (title,), 1))
        laid.append((f"below {title}", [], 0))
    if row.masked:
        laid.append(("masked", [(f"masked, by the names of their keys: {len(row.masked)}", "dim")], 0))
    return tuple(Line(key, tuple(pieces), depth) for key, pieces, depth in laid)


def place_at(lines: Sequence[Line], section: str, path: str) -> Hashable:
    """The key of the line on which the value of a path stands: its own, or that of the list that holds it."""
    keys = (line.key for line in lines if isinstance(line.key, tuple) and line.key[0] == section)
    return max((key for key in keys if path.startswith(path_text(key[1:]))), key=len, default=(section,))


def _nested(value: Any, path: tuple[str | int, ...], depth: int) -> Iterator[Laid]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    indent = "  " * depth
    for key, item in items:
        name = f"{indent}{key}: " if isinstance(value, Mapping) else f"{indent}- "
        if isinstance(item, (Mapping, list)) and item and not _is_short(item):
            yield (*path, key), [(name, "")]
            yield from _nested(item, (*path, key), depth + 1)
        else:
            yield (*path, key), [(name, ""), (as_text(item), _look(item))]


def _is_short(value: Any) -> bool:
    """Whether a value fits on its key's line: a list of a few plain values."""
    return (
        isinstance(value, list)
        and not any(isinstance(item, (Mapping, list)) for item in value)
        and len(as_text(value)) < 60
    )


def _look(value: Any) -> str:
    return "warning" if isinstance(value, str) and MASK in value else "dim" if value is None else "success"


def diff_lines(
    old: ConfigurationRow, new: ConfigurationRow, glyphs: Glyphs, width: int, *, equal: bool = False
) -> tuple[Line, ...]:
    """What differs, by path, and if wanted what is `equal`; two configurations that are the same say so in words."""
    changes = diff(old, new, equal=equal)
    unknown = set() if is_same_row(old, new) else set(old.sealed) & set(new.sealed)
    laid: list[Laid] = list(_verdict(old, new, [change for change in changes if change.kind != "equal"]))
    for section in ("config", "settings"):
        chosen = [change for change in changes if change.section == section]
        if chosen:
            title = "configuration" if section == "config" else section
            laid.append(((section,), [(title, "strong")]))
            laid.extend(line for change in chosen for line in _shown(change, unknown, glyphs, width))
    laid.extend(_apart(old, new, glyphs))
    return tuple(Line(path, tuple(pieces)) for path, pieces in laid)


def _verdict(old: ConfigurationRow, new: ConfigurationRow, changes: Sequence[Change]) -> Iterator[Laid]:
    if is_same_row(old, new):
        yield ("verdict",), [("Both runs used the same configuration.", "success")]
    elif not changes:
        yield ("verdict",), [("No difference: the same content, recorded twice.", "success")]
    else:
        values = f"{len(changes)} value{'s differ' if len(changes) > 1 else ' differs'}"
        yield ("verdict",), [(values, "changed")]
    hidden = beyond_comparison(old, new)
    if hidden:
        yield ("hidden",), [(f"{hidden} masked value{'s' if hidden > 1 else ''} cannot be compared", "warning")]
    yield ("gap",), []


def _shown(change: Change, unknown: Collection[Path], glyphs: Glyphs, width: int) -> Iterator[Laid]:
    key = (change.section, *change.path)
    if change.kind == "equal" and key in unknown:
        yield key, [(f"  ? {path_text(change.path)}  {as_text(change.new)}", "warning")]
    else:
        yield from _change(change, glyphs, width)


def _change(change: Change, glyphs: Glyphs, width: int) -> Iterator[Laid]:
    """One change on one line where it fits, else the values below the path."""
    look = _LOOKS.get(change.kind, change.kind)
    path = path_text(change.path)
    old, new = as_text(change.old), as_text(change.new)
    key = (change.section, *change.path)
    head: Piece = (f"  {_SIGNS[change.kind]} {path}  ", look)
    if change.kind == "changed" and len(path) + len(old) + len(new) + 10 <= width:
        yield key, [head, (old, "removed"), (f" {glyphs.arrow} ", "dim"), (new, "added")]
    elif change.kind == "changed":
        yield key, [head]
        yield (*key, "old"), [(f"      - {old}", "removed")]
        yield (*key, "new"), [(f"      + {new}", "added")]
    else:
        yield key, [head, (old if change.kind == "removed" else new, look)]


def _apart(old: ConfigurationRow, new: ConfigurationRow, glyphs: Glyphs) -> Iterator[Laid]:
    found = apart(old, new)
    if found:
        yield ("apart",), [("told apart, not counted", "dim")]
    for change in found:
        values = f"{as_text(change.old)} {glyphs.arrow} {as_text(change.new)}"
        yield ("apart", *change.path), [(f"    {path_text(change.path)}  {values}", "dim")]
