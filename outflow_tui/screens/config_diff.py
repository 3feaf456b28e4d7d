"""What differs between two runs: where, how long and how far they ran, and their configurations."""

from __future__ import annotations

from typing import Any

from outflow_core.config_diff import diff
from outflow_core.rows import ConfigurationRow
from outflow_tui import format as words
from outflow_tui import keys, reports, status
from outflow_tui.config_lines import diff_lines, is_cut, missing_line
from outflow_tui.run_changes import RunChange, Side, change_lines, changes_object, run_changes
from outflow_tui.screens.reading_screen import ReadingScreen
from outflow_tui.snapshot import Focus, RunKey

Shown = tuple[ConfigurationRow, ConfigurationRow, tuple[RunChange, ...] | None, int, bool]
"""What the lines on the screen were made from."""


class ConfigDiffScreen(ReadingScreen):
    """Two runs side by side in one line, and below it every value that differs."""

    BINDINGS = keys.DIFF
    HELP = "Difference"

    def __init__(self, old: RunKey, new: RunKey) -> None:
        super().__init__()
        self._pair = (old, new)
        self._equal = False
        self._shown: Shown | None = None

    def wants(self, place: int) -> Focus:
        """The configurations, hosts and durations of those of the two runs that are in this source."""
        ours = frozenset(run_id for where, run_id in self._pair if where == place)
        return Focus(configurations_of=ours, profiles_of=ours)

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return f"diff-{self._pair[0][1]}-{self._pair[1][1]}"

    def plain_value(self) -> Any:
        """The differences."""
        if self._shown is None:
            return None
        old, new, runs, *_ = self._shown
        left_out = {"values_left_out": sum(old.left_out + new.left_out)} if is_cut([old, new]) else {}
        told = {**reports.diff_object(diff(old, new)), **left_out}
        return {**told, "runs": None if runs is None else changes_object(runs)}

    def show_seen(self) -> None:
        """The differences, once both configurations have been read."""
        self.headline(f"{self._run_words(self._pair[0])}  {self.desk.glyphs.arrow}  {self._run_words(self._pair[1])}")
        old, new = [self.seen[place].configurations.get(run_id) for place, run_id in self._pair]
        width = self.text.width
        if not width:
            return
        if old is None or new is None:
            self._show_missing()
            return
        runs = self._run_changes()
        if self._shown == (old, new, runs, width, self._equal):
            return
        self._shown = (old, new, runs, width, self._equal)
        glyphs = self.desk.glyphs
        configurations = diff_lines(old, new, glyphs, width, equal=self._equal)
        self.text.show((*(change_lines(runs, glyphs) if runs is not None else ()), *configurations))

    def _show_missing(self) -> None:
        """What differs without configurations, and which of them is not there; nothing while one is being read."""
        lines = [
            missing_line(self.seen[place], run_id)
            for place, run_id in self._pair
            if run_id in self.seen[place].without_configuration
        ]
        if lines:
            self._shown, runs = None, self._run_changes()
            self.text.show((*(change_lines(runs, self.desk.glyphs) if runs is not None else ()), *lines))

    def _run_changes(self) -> tuple[RunChange, ...] | None:
        """What differs besides the configurations; None while too little is known to say that nothing does."""
        old, new = [self._side(key) for key in self._pair]
        if old is None or new is None:
            return None
        changes = run_changes(old, new, self.desk.clock())
        return changes if changes or (old.profile and new.profile) else None

    def _side(self, key: RunKey) -> Side | None:
        place, run_id = key
        line = self.seen[place].line(run_id)
        return Side(line, self.seen[place].profiles.get(run_id)) if line else None

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
