"""`outflow-tui wait RUN ...`: ends when the runs end, with a status that tells how."""

from __future__ import annotations

import argparse
import time
from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any

from outflow_core import block_queries, meant_run, run_queries
from outflow_core.answers import tell_anyway
from outflow_core.errors import NotFoundError
from outflow_core.lives import Watch
from outflow_core.reader import Reader
from outflow_core.rows import Life, ProcessRow, RunRow, TaskCounts
from outflow_core.states import State
from outflow_tui import status, text
from outflow_tui.announcements import ending
from outflow_tui.cli.books import line_of, open_reader, run_meant, steady
from outflow_tui.cli.commands import GONE, TIMED_OUT
from outflow_tui.cli.patience import Patience
from outflow_tui.cli.printing import warn
from outflow_tui.reports.objects import json_line, run_object
from outflow_tui.reports.runs import life_object
from outflow_tui.snapshot import RunLine

FAILED = 1
BACK = "It can be read again."


def answer(options: argparse.Namespace) -> int:
    """Wait, tell each end as it comes, and give the status."""
    reader = open_reader(options)
    try:
        waiting = Waiting(reader, steady(reader, lambda books: [run_meant(books, run) for run in options.runs]))
        return _wait(waiting, options)
    finally:
        reader.close()


def _wait(waiting: Waiting, options: argparse.Namespace) -> int:
    until = time.monotonic() + options.timeout if options.timeout is not None else float("inf")
    patience = Patience(
        options.every, lambda error: warn(f"{str(error).rstrip('.')}. Waiting for it."), lambda: warn(BACK)
    )
    statuses = {0}
    while True:
        for line in patience.look(waiting.look) or ():
            statuses.add(_status(line))
            _tell(line, options.json)
        if waiting.is_over:
            return FAILED if FAILED in statuses else max(statuses)
        left = until - time.monotonic()
        if left <= 0:
            for line in waiting.rest():
                _tell(line, options.json, f"the time is up after {options.timeout:g} s")
            return TIMED_OUT
        time.sleep(min(patience.seconds, left))


def _status(line: RunLine) -> int:
    return GONE if line.row.state is State.RUNNING else FAILED if line.row.state is State.FAILED else 0


def _tell(line: RunLine, as_json: bool, why: str = "") -> None:
    now = datetime.now()
    if as_json:
        tell_anyway(json_line({**_object(line, is_counted=not why), "life": life_object(line, now)}))
        return
    doubt = f" but {status.kind(line, now)}: {status.reason(line, now)}" if line.lost is not None else ""
    tell_anyway(text.clean("; ".join(filter(None, [f"{ending(line)}{doubt}", why]))))


def _object(line: RunLine, *, is_counted: bool) -> dict[str, Any]:
    """A run as in `runs --json`, without what nobody counted."""
    unknown = {"exceptions"} if is_counted else {"exceptions", "tasks"}
    return {name: value for name, value in run_object(line.row, line.tasks, 0).items() if name not in unknown}


class Waiting:
    """The runs that are waited for; while nothing changes a look costs one cheap question."""

    def __init__(self, reader: Reader, rows: Sequence[RunRow]) -> None:
        self._reader = reader
        self._rows = {row.uuid: row for row in rows}
        self._processes: dict[int, tuple[ProcessRow, ...]] = {}
        self._watch = Watch()
        self._pulse: Hashable = None

    @property
    def is_over(self) -> bool:
        """Whether none is left."""
        return not self._rows

    def look(self) -> list[RunLine]:
        """Those that ended since the last look, or whose processes are gone."""
        try:
            return self._look()
        finally:
            self._reader.let_go()

    def _look(self) -> list[RunLine]:
        pulse = self._reader.pulse()
        if pulse != self._pulse:
            self._read()
            self._pulse = pulse
        if self._lost():
            self._read()  # one that was not there any more may have told its end before it went
        lost = self._lost()
        ended = [row for row in self._rows.values() if row.state.is_final or row.id in lost]
        lines = [self._line(row, lost.get(row.id)) for row in ended]
        for row in ended:
            del self._rows[row.uuid]
        return lines

    def rest(self) -> list[RunLine]:
        """Those that are still waited for, as they were last seen."""
        lives = self._watch.lives(self._processes)
        return [RunLine(row, TaskCounts(), life=lives.get(row.id)) for row in self._rows.values()]

    def _read(self) -> None:
        self._rows, self._processes = steady(self._reader, self._found)

    def _found(self, reader: Reader) -> tuple[dict[str, RunRow], dict[int, tuple[ProcessRow, ...]]]:
        rows = {row.uuid: row for row in run_queries.runs_by_id(reader, [row.id for row in self._rows.values()])}
        found = {uuid: rows.get(uuid) or self._elsewhere(reader, row) for uuid, row in self._rows.items()}
        running = [row.id for row in found.values() if row.state is State.RUNNING]
        return found, run_queries.processes(reader, running) if running and reader.has_processes() else {}

    def _elsewhere(self, reader: Reader, row: RunRow) -> RunRow:
        """A run that has another id now, in books that took the place of those before."""
        try:
            return meant_run.find_run(reader, row.uuid)
        except NotFoundError:
            raise NotFoundError(
                f"{reader.name}: run {row.id} (uuid {row.uuid}) is not in the books any more."
            ) from None

    def _lost(self) -> dict[int, Life]:
        """The runs of which no process is left."""
        lives = self._watch.lives(self._processes)
        return {number: life for number, life in lives.items() if not life.alive}

    def _line(self, row: RunRow, life: Life | None) -> RunLine:
        line = line_of(self._reader, row, block_queries.blocks_of(self._reader, row.id))
        return RunLine(row, line.tasks, line.last_sign, life=life if row.state is State.RUNNING else None)
