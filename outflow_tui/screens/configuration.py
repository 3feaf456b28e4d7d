"""The stored configuration and settings of one run, as they were, secrets masked."""

from __future__ import annotations

from typing import Any

from outflow_core.rows import ConfigurationRow
from outflow_tui import keys
from outflow_tui.config_lines import brief, config_lines, missing_line, place_at
from outflow_tui.format import Glyphs
from outflow_tui.screens.reading_screen import ReadingScreen
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.widgets.folded_lines import FoldedLines
from outflow_tui.widgets.reading_pane import ReadingPane


class ConfigurationScreen(ReadingScreen):
    """What one run was configured with."""

    BINDINGS = keys.CONFIGURATION
    HELP = "Configuration"

    def __init__(self, glyphs: Glyphs, place: int, run_id: int, at: tuple[str, str] | None = None) -> None:
        super().__init__(ReadingPane(FoldedLines(glyphs, id="lines"), id="text"))
        self._place = place
        self._run_id = run_id
        self._shown: ConfigurationRow | None = None
        self._at = at

    def wants(self, place: int) -> Focus:
        """The configuration of this run."""
        return Focus(configurations_of=frozenset({self._run_id})) if place == self._place else Focus()

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return f"run-{self._run_id}-configuration"

    def plain_value(self) -> Any:
        """The configuration and the settings."""
        row = self._shown
        if row is None:
            return None
        left_out = {"values_left_out": sum(row.left_out)} if any(row.left_out) else {}
        return {"configuration": row.config, "settings": row.settings, **left_out}

    def show_seen(self) -> None:
        """The configuration, once it has been read."""
        snapshot = self.seen[self._place]
        row = snapshot.configurations.get(self._run_id)
        if row is None:
            self._show_why_none(snapshot)
            return
        self.headline(f"run {self._run_id}  configuration {row.id}  {row.hash[:12]}")
        if row != self._shown:
            self._shown = row
            lines = config_lines(row, brief)
            self.text.show(lines)
            if self._at is not None:
                self.text.lines.go_to_key(place_at(lines, *self._at))
                self._at = None

    def _show_why_none(self, snapshot: Snapshot) -> None:
        """That the configuration is being read, or that there is none."""
        missing = self._run_id in snapshot.without_configuration
        self.headline(f"run {self._run_id}  {'no configuration' if missing else 'reading its configuration ...'}")
        if missing:
            self._shown = None
            self.text.show((missing_line(snapshot, self._run_id),))
