"""All runs as lines of a list, each the very same until something of it is news. Lives in the poller's thread."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from outflow_core import configuration_queries, read_values
from outflow_core.changes import Changes, Ledger
from outflow_core.lives import Watch
from outflow_core.read_values import bounded
from outflow_core.reader import Reader
from outflow_core.rows import Life, RunRow
from outflow_tui.snapshot import RunLine


def run_line(ledger: Ledger, row: RunRow, life: Life | None, digest: str = "", changed: bool = False) -> RunLine:
    """A run with what the ledger has counted of it."""
    tally = ledger.index.tallies.get(row.id)
    signs = [row.start_time, read_values.as_time(tally.last_sign) if tally else None]
    last_sign = max((sign for sign in signs if sign is not None), default=None)
    return RunLine(row, ledger.counts(row.id), last_sign, digest, changed, life)


class RunLines:
    """Brought up to date at each look, newest first."""

    def __init__(self, reader: Reader, ledger: Ledger, watch: Watch) -> None:
        self.lines: tuple[RunLine, ...] = ()
        self._reader = reader
        self._ledger = ledger
        self._watch = watch
        self._lives: dict[int, Life] = {}
        self._hashes: dict[int, str] = {}
        self._is_new = True

    def look(self, changes: Changes) -> None:
        """Take note of what changed."""
        judged = self._judge_lives()
        if changes.runs or self._is_new:
            self.lines = self._list(changes.runs | changes.tallies | judged)
        elif changes.tallies or judged:
            self.lines = self._list_again(changes.tallies | judged)
        self._is_new = False

    def _judge_lives(self) -> set[int]:
        """Look after the processes of the runs that go on; the runs of which one was lost, or came to life.

        It needs no new reading: that no beat has come is what tells.
        """
        before, self._lives = self._lives, self._watch.lives(self._ledger.processes)
        return {run_id for run_id in before.keys() | self._lives if before.get(run_id) != self._lives.get(run_id)}

    def _list(self, news: Collection[int]) -> tuple[RunLine, ...]:
        """All runs; the lines of those that are no news are the very same."""
        runs = [self._ledger.runs[run_id] for run_id in sorted(self._ledger.runs, reverse=True)]
        missing = {row.configuration_id for row in runs} - self._hashes.keys()
        self._hashes |= configuration_queries.hashes(self._reader, missing) if missing else {}
        changed = _changed_configurations(runs)
        kept = {line.row.id: line for line in self.lines if line.config_changed is (line.row.id in changed)}
        same = {run_id: line for run_id, line in kept.items() if run_id not in news}
        return tuple(same.get(row.id) or self._line(row, row.id in changed, kept.get(row.id)) for row in runs)

    def _list_again(self, run_ids: Collection[int]) -> tuple[RunLine, ...]:
        """The runs, these ones with what is known of them now."""
        lines = tuple(
            self._line(line.row, line.config_changed, line) if line.row.id in run_ids else line for line in self.lines
        )
        return self.lines if lines == self.lines else lines

    def _line(self, row: RunRow, changed: bool, before: RunLine | None) -> RunLine:
        digest = self._hashes.get(row.configuration_id, "")
        line = run_line(self._ledger, _listed(row), self._lives.get(row.id), digest, changed)
        return before if before == line and before is not None else line


def _listed(row: RunRow) -> RunRow:
    """The run as a list shows it: a command may be a text of any length."""
    command = bounded(row.command)
    return row if command is row.command else row._replace(command=command)


def _changed_configurations(runs: Sequence[RunRow]) -> set[int]:
    """The runs (newest first) whose configuration is not that of the run before them, of the same command."""
    changed = set()
    following: dict[str | None, RunRow] = {}
    for row in runs:
        later = following.get(row.command)
        if later is not None and later.configuration_id != row.configuration_id:
            changed.add(later.id)
        following[row.command] = row
    return changed
