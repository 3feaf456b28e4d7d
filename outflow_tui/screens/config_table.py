"""The configurations of several runs, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from outflow_tui import keys
from outflow_tui.config_lines import missing_line
from outflow_tui.lines import Line
from outflow_tui.screens.reading_screen import ReadingScreen
from outflow_tui.snapshot import Focus, RunKey
from outflow_tui.table_lines import Compared, shown_at_once, table_lines
from outflow_tui.widgets.reading_pane import ReadingPane
from outflow_tui.widgets.text_lines import TextLines


class ConfigTableScreen(ReadingScreen):
    """A column for each run with its state on top, a line for each value that differs."""

    BINDINGS = keys.TABLE
    HELP = "Several configurations"

    def __init__(self, runs: Sequence[RunKey]) -> None:
        super().__init__(ReadingPane(TextLines(id="lines", fits=True), id="text"))
        self._keys = tuple(runs)
        self._first = 0
        self._shown: tuple[object, ...] = ()

    def wants(self, place: int) -> Focus:
        """The configurations of those of the runs that are in this source."""
        return Focus(configurations_of=frozenset(run_id for where, run_id in self._keys if where == place))

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return f"configurations-of-{len(self._keys)}-runs"

    def show_seen(self) -> None:
        """The table of those runs whose configurations have been read."""
        runs = self._compared()
        missing = self._missing()
        waiting = len(self._keys) - len(runs) - len(missing)
        self.headline(f"{len(self._keys)} runs{f', {waiting} not read yet' if waiting else ''}")
        shown = (runs, missing, self._first, self.text.width)
        if not (runs or missing) or not self.text.width or shown == self._shown:
            return
        self._shown = shown
        table = table_lines(runs, self._first, self.text.width, self.desk.glyphs) if runs else ()
        self.text.show((*missing, *table))
        self.refresh_bindings()

    def _missing(self) -> tuple[Line, ...]:
        """Which configurations are not there."""
        snapshots = [(self.seen[place], run_id) for place, run_id in self._keys]
        return tuple(
            missing_line(snapshot, run_id) for snapshot, run_id in snapshots if run_id in snapshot.without_configuration
        )

    def _compared(self) -> tuple[Compared, ...]:
        found = []
        for place, run_id in self._keys:
            line, row = self.seen[place].line(run_id), self.seen[place].configurations.get(run_id)
            if line is not None and row is not None:
                found.append(Compared(f"{self.source_words(place)}{run_id}", line.row.state, row))
        return tuple(found)

    def action_column(self, step: int) -> None:
        """Show the columns one run further on."""
        self._first = max(min(self._first + step, self._last_first()), 0)
        self.show_seen()

    def _last_first(self) -> int:
        return len(self._keys) - shown_at_once(len(self._keys), max(self.text.width, 1))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is greyed."""
        if action == "column":
            return False if self.text.is_typing else True if self._last_first() > 0 else None
        return super().check_action(action, parameters)
