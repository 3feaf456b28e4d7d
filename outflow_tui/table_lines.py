"""The configurations of several runs become a table to read: a line for each path, a column for each run; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

from outflow_core.config_table import ABSENT, TableRow, goes_with, table
from outflow_core.rows import ConfigurationRow
from outflow_core.states import State
from outflow_tui import text
from outflow_tui.config_lines import brief, cut_words, is_cut, path_text
from outflow_tui.format import Glyphs
from outflow_tui.lines import Line, Piece

NARROWEST = 10
"""Cells of a run's column at least, besides the gap."""
SHORTEST_PATH = 24
"""Cells of the paths' column at least; over it stands which of the runs are shown."""
NO_VALUE = "absent"
"""What stands where a run's configuration has no value at a path; a text would stand in quotes."""
KEPT = 2
"""How much of what long values have in common stands before the place at which they differ."""

_LOOKS = ("", "added", "changed", "running", "warning")


@dataclass(frozen=True, slots=True)
class Compared:
    """One run of the comparison: its heading, whether it failed (None: it is not over), its configuration."""

    heading: str
    state: State
    row: ConfigurationRow

    @property
    def failed(self) -> bool | None:
        """Whether the run failed; None when that is not known yet, or does not matter."""
        return {State.FAILED: True, State.SUCCESS: False}.get(self.state)


@dataclass(frozen=True, slots=True)
class Widths:
    """How many runs stand side by side, how wide their columns are, and how wide that of the paths."""

    shown: int
    each: int
    path: int


def shown_at_once(number: int, width: int) -> int:
    """How many of the runs fit side by side.

    >>> shown_at_once(3, 80), shown_at_once(12, 80)
    (3, 4)
    """
    return max(min(number, _room(width) // (NARROWEST + 1)), 1)


def widths(number: int, width: int, path: int, value: int) -> Widths:
    """The columns, as wide as the longest path and value need, if there is room for them.

    >>> widths(3, 80, path=70, value=70), widths(3, 200, path=30, value=16)
    (Widths(shown=3, each=15, path=32), Widths(shown=3, each=16, path=30))
    """
    shown = shown_at_once(number, width)
    each = min(_room(width) // shown - 1, max(value, NARROWEST))
    return Widths(shown, each, min(width - shown * (each + 1), max(path, SHORTEST_PATH)))


def _room(width: int) -> int:
    return width - min(width * 2 // 5, 40)


def _needed(runs: Sequence[Compared], found: Sequence[TableRow], width: int) -> Widths:
    """The widths that these rows need."""
    headings = (text.width(text.clean(run.heading)) for run in runs)
    values = (_length(value) for row in found for value in row.values)
    paths = (text.width(text.clean(path_text(row.path))) + 3 for row in found)
    return widths(len(runs), width, max(paths, default=0), max(*headings, *values, NARROWEST))


def _length(value: Any) -> int:
    return len(NO_VALUE) if value is ABSENT else text.width(text.clean(brief(value)))


def table_lines(runs: Sequence[Compared], first: int, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """The verdict and the table, its columns from the run at place `first` on."""
    found = table([run.row for run in runs])
    failed = [run.failed for run in runs]
    telling = [row for row in found if goes_with(row, failed)]
    wide = _needed(runs, found, width)
    laid = [*_verdict(found, telling, is_cut=is_cut([run.row for run in runs])), *_headings(runs, first, wide, glyphs)]
    if telling:
        laid.append(Line("telling", (("goes with failure", "strong"),)))
        laid.extend(_rows(telling, first, wide, glyphs))
    others = [row for row in found if row not in telling]
    if telling and others:
        laid.append(Line("others", (("differs otherwise", "strong"),)))
    laid.extend(_rows(others, first, wide, glyphs))
    return tuple(laid)


def _verdict(found: Sequence[TableRow], telling: Sequence[TableRow], *, is_cut: bool) -> Iterator[Line]:
    if not found:
        same = "No difference in what was compared." if is_cut else "All these runs used the same configuration."
        yield Line("verdict", ((same, "success"),))
    else:
        yield Line("verdict", ((_differing(found, telling), "changed"),))
    if is_cut:
        yield Line("cut", ((cut_words("same"), "warning"),))
    if found:
        yield Line("gap", ())


def _differing(found: Sequence[TableRow], telling: Sequence[TableRow]) -> str:
    words = f"{len(found)} value{'s differ' if len(found) > 1 else ' differs'}"
    told = f", {len(telling)} of them between those that failed and those that did not" if telling else ""
    return words + told


def _headings(runs: Sequence[Compared], first: int, wide: Widths, glyphs: Glyphs) -> Iterator[Line]:
    each = wide.each
    window = runs[first : first + wide.shown]
    more = f"runs {first + 1} to {first + len(window)} of {len(runs)}" if len(window) < len(runs) else ""
    names = [(_cell(run.heading, each, glyphs), "strong") for run in window]
    states = [(_cell(f"{glyphs.states[run.state]} {run.state.value}", each, glyphs), run.state.value) for run in window]
    yield Line("runs", ((text.fit(more, wide.path, ellipsis=glyphs.ellipsis), "dim"), *names))
    yield Line("states", ((" " * wide.path, ""), *states))


def _rows(rows: Sequence[TableRow], first: int, wide: Widths, glyphs: Glyphs) -> Iterator[Line]:
    for row in rows:
        told = told_apart(row.values, wide.each, glyphs)
        seen = slice(first, first + wide.shown)
        window = zip(told[seen], row.groups[seen], strict=True)
        path = text.fit(text.clean(f"  {path_text(row.path)}"), wide.path - 1, ellipsis=glyphs.ellipsis) + " "
        cells: list[Piece] = [
            (_cell(words or NO_VALUE, wide.each, glyphs), _LOOKS[group % len(_LOOKS)] if words else "dim")
            for words, group in window
        ]
        yield Line((row.section, *row.path), ((path, ""), *cells))


def told_apart(values: Sequence[Any], width: int, glyphs: Glyphs) -> list[str]:
    """The values in words; where some do not fit, from shortly before the place at which they differ.

    >>> from outflow_tui.format import ASCII
    >>> told_apart(["/data/night/12.fits", "/data/night/13.fits"], 12, ASCII)
    ['~/12.fits"', '~/13.fits"']
    >>> told_apart(["a long note on the night", ABSENT], 12, ASCII)
    ['"a long note on the night"', '']
    """
    words = ["" if value is ABSENT else brief(value) for value in values]
    different = {word for word in words if word}
    if len(different) < 2:
        return words
    common = commonprefix(list(different))  # noqa: RUF071 - letter by letter is what is meant
    if len(common) < KEPT or max(map(len, words)) <= width:
        return words
    return [word and glyphs.ellipsis + word[len(common) - KEPT :] for word in words]


def _cell(words: str, width: int, glyphs: Glyphs) -> str:
    return " " + text.fit(text.clean(words), width, ellipsis=glyphs.ellipsis)
