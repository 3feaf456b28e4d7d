"""Configurations, and what differs between two of them, become lines to read; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any

from outflow_core.config_diff import Change, Path, apart, beyond_comparison, diff, is_same_row
from outflow_core.config_diff import path_text as path_text
from outflow_core.masking import MASK
from outflow_core.rows import ConfigurationRow
from outflow_tui.format import Glyphs, as_text
from outflow_tui.lines import Line, Piece
from outflow_tui.snapshot import Snapshot

Laid = tuple[tuple[str | int, ...], list[Piece]]
_SIGNS = {"added": "+", "removed": "-", "changed": "~", "equal": " "}
_LOOKS = {"equal": "dim"}
LONGEST = 10_000
"""How many characters of one value are shown; the whole of it is in the answers for scripts."""


def brief(value: Any) -> str:
    """A value as people read it, of a very long one the beginning."""
    words = as_text(value[:LONGEST] if isinstance(value, str) else value)
    length = max(len(words), len(value) if isinstance(value, str) else 0)
    return words if length <= LONGEST else f"{words[:LONGEST]} ... ({length:,} characters)"


def config_lines(row: ConfigurationRow, said: Callable[[Any], str] = as_text) -> tuple[Line, ...]:
    """A stored configuration and its settings, nested as they were, each value as it is `said`."""
    laid: list[tuple[Hashable, list[Piece], int]] = []
    sections = zip(("configuration", "settings"), (row.config, row.settings), row.left_out, strict=True)
    for title, section, left_out in sections:
        keys = f"{len(section)} key{'s' if len(section) > 1 else ''}" if section else "empty"
        laid.append(((title,), [(title, "strong"), (f"  {keys}", "dim")], 0))
        if left_out:
            laid.append((f"left out of {title}", [(f"  {left_out_words(left_out)}", "warning")], 1))
        laid.extend((path, pieces, len(path) - 1) for path, pieces in _nested(section, (title,), 1, said))
        laid.append((f"below {title}", [], 0))
    if row.masked:
        laid.append(("masked", [(f"masked, by the names of their keys: {len(row.masked)}", "dim")], 0))
    return tuple(Line(key, tuple(pieces), depth) for key, pieces, depth in laid)


def place_at(lines: Sequence[Line], section: str, path: str) -> Hashable:
    """The key of the line on which the value of a path stands: its own, or that of the list that holds it."""
    keys = (line.key for line in lines if isinstance(line.key, tuple) and line.key[0] == section)
    return max((key for key in keys if path.startswith(path_text(key[1:]))), key=len, default=(section,))


def left_out_words(number: int) -> str:
    """How many values of a configuration are not shown, and how to see them all."""
    return f"the last {number:,} values are left out; 'outflow-tui config RUN --json' prints all of them"


def missing_line(snapshot: Snapshot, run_id: int) -> Line:
    """That the configuration of a run is not there."""
    line = snapshot.line(run_id)
    number = line.row.configuration_id if line is not None else -1
    which = f"configuration {number} of run {run_id}" if number >= 0 else f"a configuration of run {run_id}"
    return Line(("missing", run_id), ((f"{which} is not in the books", "warning"),))


def _nested(value: Any, path: tuple[str | int, ...], depth: int, said: Callable[[Any], str]) -> Iterator[Laid]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    indent = "  " * depth
    for key, item in items:
        name = f"{indent}{key}: " if isinstance(value, Mapping) else f"{indent}- "
        if isinstance(item, (Mapping, list)) and item and not _is_short(item):
            yield (*path, key), [(name, "")]
            yield from _nested(item, (*path, key), depth + 1, said)
        else:
            yield (*path, key), [(name, ""), (said(item), _look(item))]


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
    elif not changes and is_cut((old, new)):
        yield ("verdict",), [("No difference in what was compared.", "success")]
    elif not changes:
        yield ("verdict",), [("No difference: the same content, recorded twice.", "success")]
    else:
        values = f"{len(changes)} value{'s differ' if len(changes) > 1 else ' differs'}"
        yield ("verdict",), [(values, "changed")]
    if is_cut((old, new)):
        yield ("cut",), [(cut_words("two"), "warning")]
    hidden = beyond_comparison(old, new)
    if hidden:
        yield ("hidden",), [(f"{hidden} masked value{'s' if hidden > 1 else ''} cannot be compared", "warning")]
    yield ("gap",), []


def is_cut(rows: Sequence[ConfigurationRow]) -> bool:
    """Whether these configurations are several, of which some values were not read."""
    return any(any(row.left_out) for row in rows) and not all(is_same_row(rows[0], row) for row in rows[1:])


def cut_words(number: str) -> str:
    """That of very large configurations only the first values are compared, and how to compare all of them."""
    return f"very large: only their first values are compared; 'outflow-tui diff' of the {number} runs compares all"


def _shown(change: Change, unknown: Collection[Path], glyphs: Glyphs, width: int) -> Iterator[Laid]:
    key = (change.section, *change.path)
    if change.kind == "equal" and key in unknown:
        yield key, [(f"  ? {path_text(change.path)}  {brief(change.new)}", "warning")]
    else:
        yield from _change(change, glyphs, width)


def _change(change: Change, glyphs: Glyphs, width: int) -> Iterator[Laid]:
    """One change on one line where it fits, else the values below the path."""
    look = _LOOKS.get(change.kind, change.kind)
    path = path_text(change.path)
    old, new = brief(change.old), brief(change.new)
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
        values = f"{brief(change.old)} {glyphs.arrow} {brief(change.new)}"
        yield ("apart", *change.path), [(f"    {path_text(change.path)}  {values}", "dim")]
