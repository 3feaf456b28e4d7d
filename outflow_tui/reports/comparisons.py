"""The configurations of several runs side by side, as text, Markdown and for JSON; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outflow_core.config_diff import beyond_comparison
from outflow_core.config_table import ABSENT, TableRow, goes_with, table
from outflow_core.rows import ConfigurationRow, RunRow
from outflow_tui.config_lines import path_text
from outflow_tui.format import Glyphs, as_text
from outflow_tui.reports.tables import Table, plain
from outflow_tui.table_lines import Compared, table_lines

PATHS = 40
"""Cells for the paths."""
WIDEST = 24
"""Cells for a value of one run."""
SAME = "All these runs used the same configuration."


@dataclass(frozen=True, slots=True)
class Sides:
    """Some runs and their configurations."""

    runs: Sequence[RunRow]
    configurations: Sequence[ConfigurationRow]

    def rows(self) -> list[tuple[TableRow, bool]]:
        """The paths that differ, and whether each goes with failure: those first."""
        failed = [compared.failed for compared in self.compared()]
        found = [(row, goes_with(row, failed)) for row in table(self.configurations)]
        return sorted(found, key=lambda told: not told[1])

    def compared(self) -> list[Compared]:
        """Each run as a column."""
        pairs = zip(self.runs, self.configurations, strict=True)
        return [Compared(f"run {run.id}", run.state, configuration) for run, configuration in pairs]

    @property
    def hidden(self) -> str:
        """How many masked values cannot be compared; '' when there are none."""
        first, *others = self.configurations
        number = max((beyond_comparison(first, other) for other in others), default=0)
        return f"({number} masked value{'s' if number > 1 else ''} cannot be compared)" if number else ""


def sides_text(sides: Sides, glyphs: Glyphs) -> str:
    """The paths that differ, a column for each run; however wide the terminal is."""
    width = PATHS + len(sides.runs) * (WIDEST + 1)
    lines = [plain(line.pieces) for line in table_lines(sides.compared(), 0, width, glyphs)]
    return "\n".join([*lines, *filter(None, [sides.hidden])])


def sides_markdown(sides: Sides) -> str:
    """The same as a table of Markdown."""
    found = sides.rows()
    if not found:
        return "\n\n".join(filter(None, [SAME, sides.hidden]))
    tells = any(row_tells for _, row_tells in found)
    states = ("", *(run.state.value for run in sides.runs), *([""] if tells else []))
    signs = [("yes" if row_tells else "",) if tells else () for _, row_tells in found]
    rows = [(*_markdown_row(row), *sign) for (row, _), sign in zip(found, signs, strict=True)]
    titles = ("PATH", *(f"run {run.id}" for run in sides.runs), *(["GOES WITH FAILURE"] if tells else []))
    return "\n\n".join(filter(None, [Table(titles, (states, *rows)).as_markdown(), sides.hidden]))


def _markdown_row(row: TableRow) -> tuple[str, ...]:
    values = ("" if value is ABSENT else as_text(value) for value in row.values)
    return (f"{row.section}: {path_text(row.path)}", *values)


def sides_object(sides: Sides) -> dict[str, Any]:
    """The answer of `diff --json` for three runs and more; a run without a value at a path is not among its values."""
    found = sides.rows()
    runs = [{"id": run.id, "command": run.command, "state": run.state.value} for run in sides.runs]
    return {"same": not found, "runs": runs, "rows": [_row_object(row, tells, sides) for row, tells in found]}


def _row_object(row: TableRow, tells: bool, sides: Sides) -> Mapping[str, Any]:
    pairs = zip(sides.runs, row.values, strict=True)
    values = {str(run.id): value for run, value in pairs if value is not ABSENT}
    return {"section": row.section, "path": list(row.path), "goes_with_failure": tells, "values": values}
