"""The causes of a run as they are read from the books, with their history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert

from outflow_core import block_queries, run_causes, run_counts, run_queries, tables
from outflow_core.engines import make_engine
from outflow_core.exception_index import ExceptionIndex
from outflow_core.failures import Cause
from outflow_core.reader import Reader
from outflow_core.rows import RunRow
from outflow_core.run_causes import EarlierCauses, RunFailures, causes_of_run
from outflow_core.settings import Settings
from outflow_core.states import BlockType, State
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.source import BooksSource
from tests.core.books import DIALECTS, fresh_books

NOON = datetime(2024, 5, 1, 12)


class Nights:
    """Books of runs of one command, told by what their tasks failed of; '' is a success, None says nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._engine: Engine = make_engine(settings.database())
        self.reader = Reader(settings.database())
        self._configuration = self._add(tables.configuration, config={}, settings={}, hash=uuid4().hex)
        self._seconds = 0

    def close(self) -> None:
        self.reader.close()
        self._engine.dispose()

    def _add(self, table: Any, **values: Any) -> int:
        with self._engine.begin() as connection:
            return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())

    def night(self, *ends: str | None, inputs: list[str] | None = None, line: int = 3) -> RunRow:
        """A run that is over, with a task for each end."""
        state = State.FAILED if any(end != "" for end in ends) else State.SUCCESS
        row = {"uuid": str(uuid4()), "state": state, "configuration_id": self._configuration, "command_name": "night"}
        run_id = self._add(tables.run, **row)
        for place, end in enumerate(ends):
            self.task(run_id, end, inputs[place] if inputs else str(place), line)
        (run,) = run_queries.runs_by_id(self.reader, [run_id])
        return run

    def task(self, run_id: int, end: str | None, given: str, line: int = 3) -> int:
        self._seconds += 2
        start = NOON + timedelta(seconds=self._seconds)
        times = {"start_time": start, "end_time": start + timedelta(seconds=1)}
        state = State.SUCCESS if end == "" else State.FAILED
        row = {"uuid": str(uuid4()), "type": BlockType.TASK, "name": "frame", "run_id": run_id, "state": state}
        number = self._add(tables.block, **row, **times, input_values={"file": given})
        if end:
            self.exception(number, end, line)
        return number

    def exception(self, block: int, message: str, line: int = 3) -> None:
        place = f'  File "/home/me/reduce/night.py", line {line}, in fit\n    go()\n'
        text = f"Traceback (most recent call last):\n{place}{message}\n"
        row = {"block_id": block, "exception_type": message.partition(":")[0], "exception_msg": message, "time": NOON}
        self._add(tables.runtime_exception, **row, traceback=text)

    def causes(self, run: RunRow) -> tuple[Cause, ...]:
        """The causes of a run."""
        return causes_of_run(self.reader, run, block_queries.blocks_of(self.reader, run.id))


@pytest.fixture(params=DIALECTS)
def nights(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nights]:
    made = Nights(fresh_books(request, tmp_path, request.param))
    yield made
    made.close()


def told(causes: tuple[Cause, ...]) -> list[tuple[str | None, int, int | None, tuple[int, ...]]]:
    """Type, number of tasks, since when, and where else."""
    return [
        (cause.type, len(cause.tasks), *((cause.history.since, cause.history.also) if cause.history else (None, ())))
        for cause in causes
    ]


def test_a_cause_says_in_which_earlier_runs_it_was_seen(nights: Nights) -> None:
    first = nights.night("OSError: disk 1 full")
    nights.night("")
    third = nights.night("KeyError: 'gain'", "OSError: disk 2 full", line=40)
    last = nights.night("OSError: disk 7 full", "OSError: disk 8 full", "ValueError: no", line=90)
    assert told(nights.causes(last)) == [
        ("OSError", 2, third.id, (first.id,)),
        ("ValueError", 1, None, ()),
    ]


def test_a_failure_without_an_exception_has_a_history_too(nights: Nights) -> None:
    first = nights.night(None)
    assert told(nights.causes(nights.night(None))) == [(None, 1, first.id, ())]


def test_a_failure_that_a_later_try_mended_is_told_apart(nights: Nights) -> None:
    night = nights.night("OSError: 1", "OSError: 2", "", inputs=["x", "y", "x"])
    (cause,) = nights.causes(night)
    assert (len(cause.tasks), cause.mended) == (2, cause.tasks[:1])


def looked_to_the_end(source: BooksSource, focus: Focus) -> list[Snapshot]:
    """What is seen until everything has been read."""
    seen = [source.look(focus)]
    while seen[-1].is_reading or not seen[-1].is_complete:
        seen.append(source.look(focus))
    return seen


def test_the_screens_are_told_the_causes_first_and_their_history_later(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outflow_tui.source.READING_SECONDS", 0.0)
    monkeypatch.setattr(run_causes, "STEP", 2)
    first = nights.night(*(f"OSError: {number}" for number in range(5)))
    last = nights.night(*(f"OSError: {number}" for number in range(5)))
    source = BooksSource(nights.settings.database())
    seen = looked_to_the_end(source, Focus(last.id, causes=True))
    sizes = [len(cause.tasks) for snapshot in seen for cause in snapshot.causes or ()]
    assert sizes[0] < 5
    assert sizes == sorted(sizes)
    whole = [snapshot.causes for snapshot in seen if snapshot.causes and len(snapshot.causes[0].tasks) == 5]
    assert whole[0][0].history is None
    assert told(whole[-1]) == [("OSError", 5, first.id, ())]
    source.close()


def test_an_exception_that_comes_after_the_state_of_its_task_is_read(nights: Nights) -> None:
    night = nights.night(None)
    source = BooksSource(nights.settings.database())
    focus = Focus(night.id, causes=True)
    (cause,) = looked_to_the_end(source, focus)[-1].causes or ()
    assert cause.type is None
    nights.exception(cause.tasks[0], "OSError: late")
    (cause,) = looked_to_the_end(source, focus)[-1].causes or ()
    assert cause.type == "OSError"
    source.close()


def test_a_new_failure_is_added_without_reading_the_others_again(nights: Nights) -> None:
    night = nights.night("OSError: 1", "OSError: 2")
    exceptions = ExceptionIndex(nights.reader)
    failures = RunFailures(nights.reader, partial(block_queries.blocks_by_id, nights.reader, night.id), exceptions)
    list(failures.read(dict.fromkeys(run_counts.failed_tasks(nights.reader, [night.id])[night.id])))
    nights.task(night.id, "KeyError: 1", "z")
    exceptions.again()
    asked: list[int] = []

    class Counted:
        def rows(self, statement: Any, values: Any = None) -> Any:
            found = nights.reader.rows(statement, values)
            asked.append(len(found))
            return found

    failures._reads = Counted()
    list(failures.read(dict.fromkeys(run_counts.failed_tasks(nights.reader, [night.id])[night.id])))
    assert asked == [1]
    assert [len(cause.tasks) for cause in failures.causes()] == [2, 1]


def test_of_a_run_in_which_too_much_failed_a_part_is_read(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_causes, "MOST_OF_A_RUN", 2)
    night = nights.night(*(f"OSError: {number}" for number in range(5)))
    earlier = EarlierCauses(nights.reader, ExceptionIndex(nights.reader))
    list(earlier.read([night], lambda ids: run_counts.failed_tasks(nights.reader, ids)))
    (known,) = earlier.known([night])
    assert (len(known.causes), known.is_whole) == (1, False)


def test_the_ledger_knows_the_failed_tasks_as_the_books_do(nights: Nights) -> None:
    runs = [nights.night("OSError: 1", "", None), nights.night(""), nights.night("", "KeyError: 2")]
    source = BooksSource(nights.settings.database())
    looked_to_the_end(source, Focus())
    ids = [run.id for run in runs]
    assert {number: source._ledger.failed_tasks(number) for number in ids} == run_counts.failed_tasks(
        nights.reader, ids
    )
    source.close()


def test_tries_are_found_in_the_run_that_is_looked_at(nights: Nights) -> None:
    night = nights.night("OSError: 1", "OSError: 2", "", inputs=["x", "y", "x"])
    source = BooksSource(nights.settings.database())
    view = looked_to_the_end(source, Focus(night.id))[-1].run
    assert view is not None
    first, _, last = [shape.id for shape in view.shape.shapes()]
    assert {number: (one.number, one.is_mended) for number, one in view.tries.items()} == {
        first: (1, True),
        last: (2, False),
    }
    source.close()
