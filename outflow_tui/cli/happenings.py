"""What happened in the books between two looks: runs begin, end, are gone or come back; tasks fail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from outflow_core import block_queries, exception_queries
from outflow_core.changes import Ledger
from outflow_core.exception_index import ExceptionIndex
from outflow_core.lives import Watch
from outflow_core.masking import mask_said
from outflow_core.reader import Reader
from outflow_core.rows import BlockRow, ExceptionRow, Life, RunRow
from outflow_core.states import State
from outflow_core.tracebacks import headline, parse
from outflow_tui import format as words
from outflow_tui import status
from outflow_tui.announcements import ending
from outflow_tui.reports.runs import life_reason
from outflow_tui.run_lines import run_line
from outflow_tui.snapshot import RunLine


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened: what, in one word and in a sentence, and if of a run, of which."""

    event: str
    said: str
    run: RunRow | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


Known = tuple[State, str]
"""What the books said of a run, and what was thought of it."""


class Happenings:
    """Looks again and again; what is there at the first look is no news."""

    def __init__(self, reader: Reader, command: str | None = None) -> None:
        self._reader = reader
        self._command = command
        self._ledger = Ledger(reader)
        self._watch = Watch()
        self._exceptions = ExceptionIndex(reader)
        self._known: dict[int, Known] = {}
        self._changed: set[int] = set()
        self._failed: dict[int, int] = {}
        self._told: set[int] = set()
        self._past: set[int] = set()
        self._newest: RunRow | None = None
        self._is_new = True
        self._is_reopened = False

    @property
    def running(self) -> int:
        """How many runs go on, as far as is known."""
        return sum(kind == State.RUNNING.value for _, kind in self._known.values())

    def look(self) -> list[Happening]:
        """What happened since the last look that did not fail."""
        try:
            return self._look()
        finally:
            self._reader.let_go()

    def _look(self) -> list[Happening]:
        changes = self._ledger.look()
        self._is_reopened |= changes.restarted
        if changes.restarted:
            self._exceptions = ExceptionIndex(self._reader)
        if changes.asked:
            self._exceptions.again()
        if self._is_new or self._is_reopened:
            while not self._ledger.is_complete:
                self._ledger.look()
        if self._is_new or (self._is_reopened and not self._is_same()):
            return self._begin()
        late = dict(self._failed)  # how they failed was not told yet when they were seen
        self._changed |= self._ledger.runs.keys() if self._is_reopened else changes.runs
        self._failed |= self._untold() if self._is_reopened else self._newly_failed(changes.blocks)
        self._settle(begins=self._is_reopened)
        self._is_reopened = False
        lives = self._watch.lives(self._ledger.processes)
        tasks = self._tasks(late)
        found = [*self._begun(), *tasks, *self._judged(lives)]
        self._changed.clear()
        self._newest = self._latest()
        return found

    def _begin(self) -> list[Happening]:
        """Take everything that is there for known; of books that were exchanged say so."""
        told = [Happening("replaced", "another database has taken the place of the one before")]
        found = [] if self._is_new else told
        self._is_new = self._is_reopened = False
        self._changed, self._failed, self._told, self._watch = set(), {}, set(), Watch()
        now, lives = datetime.now(), self._watch.lives(self._ledger.processes)
        lines = (run_line(self._ledger, row, lives.get(row.id)) for row in self._ledger.runs.values())
        self._known = {line.row.id: (line.row.state, status.kind(line, now)) for line in lines}
        self._told = set(self._untold())
        self._settle(begins=True)
        self._newest = self._latest()
        return found

    def _latest(self) -> RunRow | None:
        return self._ledger.runs[max(self._ledger.runs)] if self._ledger.runs else None

    def _is_same(self) -> bool:
        """Whether a file that was opened anew holds the same books: of some every change does that."""
        before = self._newest
        if before is None:
            return True
        row = self._ledger.runs.get(before.id)
        return row is not None and row.uuid == before.uuid

    def _untold(self) -> dict[int, int]:
        """The failed tasks of the runs that go on or are news, which nobody was told of."""
        open_before = (
            run_id for run_id in self._ledger.runs if not self._known.get(run_id, (State.RUNNING, ""))[0].is_final
        )
        found = {block_id: run_id for run_id in open_before for block_id in self._ledger.failed_tasks(run_id)}
        return {block_id: run_id for block_id, run_id in found.items() if block_id not in self._told}

    def _newly_failed(self, blocks: Set[int]) -> dict[int, int]:
        """Those of the changed blocks that are failed tasks."""
        found = self._ledger.index.failed_among(blocks)
        return {block_id: run_id for block_id, run_id in found.items() if run_id not in self._past}

    def _settle(self, *, begins: bool) -> None:
        """Take note of the runs that were over at the beginning, and have not gone on since."""
        ended = {run_id for run_id, row in self._ledger.runs.items() if row.state.is_final}
        self._past = ended if begins else self._past - (self._changed & self._past - ended)

    def _rows(self, ids: Iterable[int]) -> Iterator[RunRow]:
        rows = (self._ledger.runs[run_id] for run_id in sorted(ids) if run_id in self._ledger.runs)
        return (row for row in rows if self._command in (None, row.command))

    def _begun(self) -> Iterator[Happening]:
        for row in self._rows(self._changed):
            state, _ = self._known.get(row.id, (State.PENDING, ""))
            if row.state is not State.PENDING and state is State.PENDING:
                self._known[row.id] = (State.RUNNING, State.RUNNING.value)
                yield Happening("began", f"began{f' on {row.hostname}' if row.hostname else ''}", row)

    def _judged(self, lives: Mapping[int, Life]) -> Iterator[Happening]:
        """The runs that ended, went away, or came back."""
        now = datetime.now()
        running = {run_id for run_id, (state, _) in self._known.items() if state is State.RUNNING}
        for row in self._rows(running | self._changed):
            line = run_line(self._ledger, row, lives.get(row.id))
            state, kind = self._known.get(row.id, (row.state, row.state.value))
            news = status.kind(line, now)
            self._known[row.id] = (row.state, news)
            if row.state.is_final and row.state is not state:
                yield Happening("ended", _ended(line), row, {"tasks": line.tasks.as_dict()})
            elif row.state is State.RUNNING and news != kind:
                yield _turned(line, news, now)

    def _exceptions_of(self, block_ids: Collection[int]) -> dict[int, tuple[ExceptionRow, ...]]:
        while self._exceptions.learn():
            pass
        ids = [number for number, _ in self._exceptions.places(block_ids)]
        return exception_queries.exceptions_of(self._reader, block_ids, ids)

    def _tasks(self, late: Mapping[int, int]) -> list[Happening]:
        """The tasks that failed; one whose exception is not there yet is told at the next look."""
        found: list[Happening] = []
        done: set[int] = set()
        wanted = {row.id: row for row in self._rows(set(self._failed.values()))}
        exceptions = self._exceptions_of(self._failed) if self._failed else {}
        for run_id, row in wanted.items():
            ids = [block_id for block_id, owner in self._failed.items() if owner == run_id]
            for block in sorted(block_queries.blocks_by_id(self._reader, run_id, ids), key=lambda block: block.id):
                raised = exceptions.get(block.id, (None,))[-1]
                if raised is not None or block.id in late or row.state.is_final:
                    found.append(_task_failed(row, block, raised))
                    done.add(block.id)
        self._told |= done
        waiting = {block_id for block_id in self._failed if block_id not in done and block_id not in late}
        self._failed = {block_id: run_id for block_id, run_id in self._failed.items() if block_id in waiting}
        return found


def _ended(line: RunLine) -> str:
    took = words.duration(words.seconds_between(line.row.start_time, line.row.end_time))
    said = ending(line).removeprefix(f"run {line.row.id} {line.row.command or ''} ")
    return f"ended: {said}{f' after {took}' if took else ''}"


def _turned(line: RunLine, news: str, now: datetime) -> Happening:
    """A run that says it is running is gone or silent, or after all alive."""
    reason = life_reason(line, now)
    said = "is alive again" if news == State.RUNNING.value else f"is {news}{f': {reason}' if reason else ''}"
    return Happening("alive" if news == State.RUNNING.value else news, said, line.row, {"reason": reason or None})


def _task_failed(row: RunRow, block: BlockRow, raised: ExceptionRow | None) -> Happening:
    said = mask_said(headline(parse(raised.traceback)) or raised.message) if raised else None
    more = {
        "task": {"id": block.id, "name": block.name, "hostname": block.hostname},
        "exception": {"type": raised.type, "message": said} if raised else None,
    }
    return Happening(
        "task-failed", f"task {block.id} {block.name} failed: {said or 'no exception recorded'}", row, more
    )
