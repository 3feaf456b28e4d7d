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
from outflow_tui.config_lines import path_text
from outflow_tui.format import Glyphs, as_text
from outflow_tui.lines import Line, Piece

NARROWEST = 10
"""Cells of a run's column at least, besides the gap."""
WIDEST = 24
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


def columns(number: int, width: int) -> tuple[int, int, int]:
    """How many of the runs fit, how wide their columns are, and how wide the paths' one.

    >>> columns(3, 80), columns(12, 80), columns(3, 200)
    ((3, 15, 32), (4, 11, 32), (3, 24, 125))
    """
    room = width - min(width * 2 // 5, 40)
    shown = max(min(number, room // (NARROWEST + 1)), 1)
    each = min(room // shown - 1, WIDEST)
    return shown, each, width - shown * (each + 1)


def table_lines(runs: Sequence[Compared], first: int, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """The verdict and the table, its columns from the run at place `first` on."""
    found = table([run.row for run in runs])
    failed = [run.failed for run in runs]
    telling = [row for row in found if goes_with(row, failed)]
    laid = [*_verdict(found, telling), *_headings(runs, first, width, glyphs)]
    if telling:
        laid.append(Line("telling", (("goes with failure", "strong"),)))
        laid.extend(_rows(telling, first, width, len(runs), glyphs))
    others = [row for row in found if row not in telling]
    if telling and others:
        laid.append(Line("others", (("differs otherwise", "strong"),)))
    laid.extend(_rows(others, first, width, len(runs), glyphs))
    return tuple(laid)


def _verdict(found: Sequence[TableRow], telling: Sequence[TableRow]) -> Iterator[Line]:
    if not found:
        yield Line("verdict", (("All these runs used the same configuration.", "success"),))
        return
    words = f"{len(found)} value{'s differ' if len(found) > 1 else ' differs'}"
    told = f", {len(telling)} of them between those that failed and those that did not" if telling else ""
    yield Line("verdict", ((words + told, "changed"),))
    yield Line("gap", ())


def _headings(runs: Sequence[Compared], first: int, width: int, glyphs: Glyphs) -> Iterator[Line]:
    shown, each, wide = columns(len(runs), width)
    window = runs[first : first + shown]
    more = f"runs {first + 1} to {first + len(window)} of {len(runs)}" if len(window) < len(runs) else ""
    names = [(_cell(run.heading, each, glyphs), "strong") for run in window]
    states = [(_cell(f"{glyphs.states[run.state]} {run.state.value}", each, glyphs), run.state.value) for run in window]
    yield Line("runs", ((text.fit(more, wide, ellipsis=glyphs.ellipsis), "dim"), *names))
    yield Line("states", ((" " * wide, ""), *states))


def _rows(rows: Sequence[TableRow], first: int, width: int, number: int, glyphs: Glyphs) -> Iterator[Line]:
    shown, each, wide = columns(number, width)
    for row in rows:
        told = told_apart(row.values, each, glyphs)
        window = zip(told[first : first + shown], row.groups[first : first + shown], strict=True)
        path = text.fit(text.clean(f"  {path_text(row.path)}"), wide - 1, ellipsis=glyphs.ellipsis) + " "
        cells: list[Piece] = [(_cell(words, each, glyphs), _LOOKS[group % len(_LOOKS)]) for words, group in window]
        yield Line((row.section, *row.path), ((path, ""), *cells))


def told_apart(values: Sequence[Any], width: int, glyphs: Glyphs) -> list[str]:
    """The values in words; where some do not fit, from shortly before the place at which they differ.

    >>> from outflow_tui.format import ASCII
    >>> told_apart(["/data/night/12.fits", "/data/night/13.fits"], 12, ASCII)
    ['~/12.fits"', '~/13.fits"']
    """
    words = ["" if value is ABSENT else as_text(value) for value in values]
    common = commonprefix([text for text in words if text])  # noqa: RUF071 - letter by letter is what is meant
    if len(common) < KEPT or max(map(len, words)) <= width:
        return words
    return [text and glyphs.ellipsis + text[len(common) - KEPT :] for text in words]


def _cell(words: str, width: int, glyphs: Glyphs) -> str:
    return " " + text.fit(text.clean(words), width, ellipsis=glyphs.ellipsis)
