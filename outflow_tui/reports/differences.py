"""What differs between configurations, as text; pure."""

from __future__ import annotations

from collections.abc import Sequence

from outflow_core.config_diff import Change, apart, beyond_comparison, is_same_row
from outflow_core.rows import ConfigurationRow
from outflow_tui import text
from outflow_tui.config_lines import cut_words, is_cut, path_text
from outflow_tui.format import as_text


def diff_text(old: ConfigurationRow, new: ConfigurationRow, changes: Sequence[Change]) -> str:
    """The differences, a line each: `~ path  old -> new`."""
    lines = [_change_text(change) for change in changes]
    if not changes:
        same, nothing = "The same configuration.", "No difference in content."
        lines.append(
            same if is_same_row(old, new) else "No difference in what was compared." if is_cut([old, new]) else nothing
        )
    if is_cut([old, new]):
        lines.append(f"({cut_words('two')})")
    hidden = beyond_comparison(old, new)
    if hidden:
        lines.append(f"({hidden} masked value{'s' if hidden > 1 else ''} cannot be compared)")
    lines += [
        f"(apart: {path_text(change.path)}  {as_text(change.old)} -> {as_text(change.new)})"
        for change in apart(old, new)
    ]
    return "\n".join(text.clean(line) for line in lines)


def _change_text(change: Change) -> str:
    path = f"{change.section}: {path_text(change.path)}"
    if change.kind == "changed":
        return f"~ {path}  {as_text(change.old)} -> {as_text(change.new)}"
    sign, value = ("+", change.new) if change.kind == "added" else ("-", change.old)
    return f"{sign} {path}  {as_text(value)}"
