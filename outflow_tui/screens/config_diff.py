"""What differs between the configurations of two runs."""

from __future__ import annotations

from typing import Any

from outflow_core.config_diff import diff
from outflow_core.rows import ConfigurationRow
from outflow_tui import format as words
from outflow_tui import keys, reports, status
from outflow_tui.config_lines import diff_lines
from outflow_tui.screens.reading_screen import ReadingScreen
from outflow_tui.snapshot import Focus, RunKey


class ConfigDiffScreen(ReadingScreen):
    """Two runs side by side in one line, and below it every value that differs."""

    BINDINGS = keys.DIFF

    def __init__(self, old: RunKey, new: RunKey) -> None:
        super().__init__()
        self._pair = (old, new)
        self._equal = False
        self._shown: tuple[ConfigurationRow, ConfigurationRow, int, bool] | None = None

    def wants(self, place: int) -> Focus:
        """The configurations of those of the two runs that are in this source."""
        return Focus(configurations_of=frozenset(run_id for where, run_id in self._pair if where == place))

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return f"diff-{self._pair[0][1]}-{self._pair[1][1]}"

    def plain_value(self) -> Any:
        """The differences."""
        return reports.diff_object(diff(self._shown[0], self._shown[1])) if self._shown else None

    def show_seen(self) -> None:
        """The differences, once both configurations have been read."""
        self.headline(f"{self._run_words(self._pair[0])}  {self.desk.glyphs.arrow}  {self._run_words(self._pair[1])}")
        rows = [self.seen[place].configurations.get(run_id) for place, run_id in self._pair]
        old, new = rows
        width = self.text.width
        if old is None or new is None or not width or self._shown == (old, new, width, self._equal):
            return
        self._shown = (old, new, width, self._equal)
        self.text.show(diff_lines(old, new, self.desk.glyphs, width, equal=self._equal))

    def _run_words(self, key: RunKey) -> str:
        place, run_id = key
        line = self.seen[place].line(run_id)
        if line is None:
            return f"{run_id}"
        now = self.desk.clock()
        state = status.state_words(line, now, self.desk.glyphs)
        return f"{self.source_words(place)}{run_id} {state} {words.moment(line.row.start_time, now)}"

    def action_swap(self) -> None:
        """Compare the other way round."""
        self._pair = (self._pair[1], self._pair[0])
        self._shown = None
        self.show_seen()

    def action_equal(self) -> None:
        """Show the values too that are the same, or hide them."""
        self._equal = not self._equal
        self.show_seen()
