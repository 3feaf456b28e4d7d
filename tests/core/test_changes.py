"""The ledger against the truth: a writer does anything, and after a look the counts are those of the books."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from outflow_core import changes as ledgers
from outflow_core import known_runs, run_counts, run_queries, sqlite_file, tables
from outflow_core.changes import Changes, Ledger
from outflow_core.engines import make_engine
from outflow_core.errors import SourceError
from outflow_core.reader import Reader
from outflow_core.rows import TOP_LEVEL, TaskCounts
from outflow_core.settings import Database
from outflow_core.states import BlockType, State
from tests.core.books import POSTGRESQL, SQLITE, fresh_books, running
from tests.core.conftest import Postgres

WAL = "sqlite in WAL mode"
KINDS = (SQLITE, WAL, POSTGRESQL)
NOON = datetime(2024, 5, 1, 12)
FINAL = [State.FAILED, State.SUCCESS, State.SKIPPED]
SEEDS = int(os.environ.get("OUTFLOW_SOAK", "2"))
"""How many random stories are told; more of them in a soak."""
Life = tuple[int, str, str]
"""A block's run, type and state."""


class Writer:
    """Somebody else's connection, which changes the books one commit at a time."""

    def __init__(self, database: Database, seed: int = 0) -> None:
        self.database = database
        self.random = Random(seed)
        self._engine = make_engine(database)
        self.connection: Connection = self._engine.connect()

    def close(self) -> None:
        self.connection.close()
        self._engine.dispose()

    def reopen(self) -> None:
        """Connect anew: another file may have taken the place of the one before."""
        self.close()
        self.connection = self._engine.connect()

    def commit(self, *statements: Any) -> None:
        """Execute statements in one transaction."""
        for statement in statements:
            self.connection.execute(statement)
        self.connection.commit()

    def touch(self) -> None:
        """A small write that changes nothing of runs and blocks."""
        self.commit(insert(tables.configuration).values(config={}, settings={}, hash=f"{self.random.random()}"))

    def uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128)))

    def add_run(self, number: int, state: State = State.RUNNING) -> None:
        row = {"id": number, "uuid": self.uuid(), "state": state, "configuration_id": 1, "start_time": NOON}
        self.commit(insert(tables.run).values(row | {"command_name": "a"}))

    def block(self, number: int, run: int, state: State = State.PENDING, **columns: Any) -> dict[str, Any]:
        row = {"id": number, "uuid": self.uuid(), "type": BlockType.TASK, "name": "t", "run_id": run, "state": state}
        return row | columns

    def add_blocks(self, *rows: dict[str, Any]) -> None:
        """Insert blocks in one commit, as a map does."""
        self.connection.execute(insert(tables.block), rows)
        self.connection.commit()

    def set_states(self, ids: list[int], state: State) -> Any:
        return update(tables.block).where(tables.block.c.id.in_(ids)).values(state=state)

    def end_run(self, number: int, state: State = State.SUCCESS) -> Any:
        return update(tables.run).where(tables.run.c.id == number).values(state=state, end_time=NOON)

    def lives(self) -> dict[int, Life]:
        """What the books say of each block that is counted, as the writer sees them."""
        c = tables.block.c
        rows = self.connection.execute(select(c.id, c.run_id, c.type, c.state, c.name)).all()
        self.connection.commit()
        return {row[0]: (row[1], row[2].value, row[3].value) for row in rows if row[4] != TOP_LEVEL}

    def runs(self) -> dict[int, State]:
        c = tables.run.c
        rows = self.connection.execute(select(c.id, c.state).where(c.id >= 0)).all()
        self.connection.commit()
        return {row[0]: row[1] for row in rows}


class Books:
    """A writer and a ledger that looks at the same books."""

    def __init__(self, database: Database) -> None:
        self.writer = Writer(database)
        self.reader = Reader(database)
        self.ledger = Ledger(self.reader)
        self.writer.touch()

    def close(self) -> None:
        self.reader.close()
        self.writer.close()

    def look(self) -> Changes:
        """Look until the history is read; all that was found."""
        found = self.ledger.look()
        while not self.ledger.is_complete:
            more = self.ledger.look()
            found = Changes(found.runs | more.runs, found.blocks | more.blocks, found.tallies | more.tallies)
        self.reader.let_go()
        return found

    def truth(self) -> dict[int, TaskCounts]:
        """The counts by a plain GROUP BY of the writer's own."""
        tasks = Counter((run, state) for run, kind, state in self.writer.lives().values() if kind == "task")
        counts: dict[int, dict[str, int]] = {run: {} for run in self.writer.runs()}
        for (run, state), number in tasks.items():
            counts.setdefault(run, {})[state] = number
        return {run: TaskCounts(**found) for run, found in counts.items()}

    def mistakes(self) -> dict[int, Any]:
        """Where the ledger differs from the books: (state and counts known, the true ones) by run."""
        known = {run: (row.state, self.ledger.counts(run)) for run, row in self.ledger.runs.items()}
        counts = self.truth()
        truth = {run: (state, counts[run]) for run, state in self.writer.runs().items()}
        rows = {row.id: row for row in run_queries.runs(self.reader, count=0)}
        others = {run: (row, rows.get(run)) for run, row in self.ledger.runs.items() if row != rows.get(run)}
        return others or {
            run: (known.get(run), truth.get(run))
            for run in known.keys() | truth.keys()
            if known.get(run) != truth.get(run)
        }


@pytest.fixture(params=KINDS)
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """Fresh books, on each kind of database."""
    database = fresh_books(request, tmp_path, POSTGRESQL if request.param == POSTGRESQL else SQLITE).database()
    if request.param == WAL:
        writer = Writer(database)
        assert writer.connection.execute(text("PRAGMA journal_mode=WAL")).scalar_one() == "wal"
        writer.close()
    made = Books(database)
    yield made
    made.close()


@pytest.fixture
def file_books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """Fresh books in a SQLite file: for what does not depend on the database."""
    made = Books(fresh_books(request, tmp_path, SQLITE).database())
    yield made
    made.close()


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found by the sweep is little at a time."""
    look_in_short_slices(monkeypatch)


def look_in_short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices so short that nothing is found by the sweep, and every loop goes round."""
    sizes = {
        "PAGE": 16,
        "RUNS": 3,
        "SWEPT_BLOCKS": 1,
        "CALM_BLOCKS": 1,
        "SWEPT_RUNS": 1,
        "WAITING": 40,
        "RECENT": 90,
    }
    for name, size in sizes.items():
        monkeypatch.setattr(known_runs if "RUNS" in name else ledgers, name, size)


class Pipeline:
    """Random steps of well-behaved pipelines: several runs side by side, ids that are committed late."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.random = writer, writer.random
        self._next_run, self._next_block = 1, 1
        self._late_runs: list[int] = []
        self._late_blocks: list[int] = []
        self._open: list[int] = []
        self._states: dict[int, dict[int, State]] = {}

    def step(self) -> None:
        self.random.choice([self.begin_run, self.map, self.work, self.work, self.work, self.end_run])()

    def begin_run(self) -> None:
        number = self._id("run")
        self.writer.add_run(number)
        self._open.append(number)
        self._states[number] = {}
        self.writer.add_blocks(self.writer.block(self._id("block"), number, type=BlockType.WORKFLOW, name=TOP_LEVEL))

    def map(self) -> None:
        if self._open:
            run = self.random.choice(self._open)
            ids = [self._id("block") for _ in range(self.random.choice([1, 3, 40]))]
            self.writer.add_blocks(*(self.writer.block(number, run) for number in ids))
            self._states[run].update(dict.fromkeys(ids, State.PENDING))

    def work(self) -> None:
        """Some of the tasks that are next go one state further."""
        if not self._open:
            return
        states = self._states[self.random.choice(self._open)]
        waiting = sorted(number for number, state in states.items() if not state.is_final)
        for number in waiting[: self.random.choice([1, 2, 30])]:
            states[number] = self.random.choice([State.RUNNING, *FINAL])
            self.writer.commit(self.writer.set_states([number], states[number]))

    def end_run(self) -> None:
        if self._open:
            number = self._open.pop(self.random.randrange(len(self._open)))
            for block, state in self._states[number].items():
                if not state.is_final and self.random.random() < 0.8:
                    self.writer.commit(self.writer.set_states([block], State.SUCCESS))
            self.writer.commit(self.writer.end_run(number, self.random.choice([State.SUCCESS, State.FAILED])))

    def _id(self, kind: str) -> int:
        """Mostly the next id; sometimes one that another process took before and commits only now."""
        late = self._late_runs if kind == "run" else self._late_blocks
        name = f"_next_{kind}"
        late[:] = [number for number in late if number > getattr(self, name) - 40]
        if late and self.random.random() < 0.3:
            return late.pop()
        number = getattr(self, name)
        if self.random.random() < 0.1:
            late.append(number)
            number += 1
        setattr(self, name, number + 1)
        return int(number)


@pytest.mark.usefixtures("short_slices")
@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_pipeline_does_is_known_after_the_next_look(books: Books, seed: int) -> None:
    books.writer.random.seed(seed)
    pipeline = Pipeline(books.writer)
    books.look()
    before, runs_before = books.writer.lives(), dict(books.ledger.runs)
    for number in range(60):
        for _ in range(books.writer.random.randint(1, 4)):
            pipeline.step()
        if number % 20 == 10:  # somebody else opens the books that have grown meanwhile
            books.ledger = Ledger(books.reader)
            books.look()
            before, runs_before = books.writer.lives(), dict(books.ledger.runs)
            pipeline.step()
        found = books.look()
        assert books.mistakes() == {}
        after, runs_after = books.writer.lives(), dict(books.ledger.runs)
        changed = {number for number in before.keys() | after.keys() if before.get(number) != after.get(number)}
        assert changed <= found.blocks
        known = runs_before.keys() | runs_after.keys()
        assert found.runs == {number for number in known if runs_before.get(number) != runs_after.get(number)}
        before, runs_before = after, runs_after


class Vandals:
    """Random changes that no pipeline makes, by several writers: anything can become anything, or nothing."""

    def __init__(self, *writers: Writer) -> None:
        self.writers, self.writer, self.random = writers, writers[0], writers[0].random

    def step(self) -> None:
        self.writer = self.random.choice(self.writers)
        edits = [self.edit_blocks, self.edit_runs, self.move_blocks, self.change_clocks]
        self.random.choice([self.add_runs, self.add_blocks, *edits, self.delete, self.delete_run])()

    def move_blocks(self) -> None:
        c, runs = tables.block.c, list(self.writer.runs())
        if runs:
            values = {"run_id": self.random.choice(runs), "type": self.random.choice(list(BlockType))}
            self.writer.commit(update(tables.block).where(c.id.in_(self._some_blocks())).values(values))

    def change_clocks(self) -> None:
        """A node's clock is years behind, or ahead, or what it wrote is taken away."""
        for table in (tables.run, tables.block):
            time = self.random.choice([None, NOON.replace(year=1971), NOON.replace(year=2099)])
            ids = self._some(self.writer.runs() if table is tables.run else self.writer.lives())
            self.writer.commit(update(table).where(table.c.id.in_(ids)).values(start_time=time, end_time=time))

    def add_runs(self) -> None:
        number = self.random.randrange(1, 60)
        if number not in self.writer.runs():
            self.writer.add_run(number, self.random.choice(list(State)))

    def add_blocks(self) -> None:
        ids = set(self.random.sample(range(1, 600), 25)) - self.writer.lives().keys()
        runs = list(self.writer.runs())
        if runs and ids:
            new = (self.writer.block(n, self.random.choice(runs), self.random.choice(list(State))) for n in ids)
            self.writer.add_blocks(*new)

    def edit_blocks(self) -> None:
        ids = self._some_blocks()
        self.writer.commit(self.writer.set_states(ids, self.random.choice(list(State))))

    def edit_runs(self) -> None:
        for number in self._some(self.writer.runs()):
            self.writer.commit(self.writer.end_run(number, self.random.choice(list(State))))

    def delete(self) -> None:
        self.writer.commit(delete(tables.block).where(tables.block.c.id.in_(self._some_blocks())))

    def delete_run(self) -> None:
        for number in self._some(self.writer.runs())[:1]:
            self.writer.commit(
                delete(tables.block).where(tables.block.c.run_id == number),
                delete(tables.run).where(tables.run.c.id == number),
            )

    def _some_blocks(self) -> list[int]:
        return self._some(self.writer.lives())

    def _some(self, ids: Any) -> list[int]:
        return self.random.sample(sorted(ids), min(len(ids), self.random.choice([1, 5])))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_anybody_does_is_known_after_one_round_of_the_sweep(
    books: Books, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {
        "PAGE": 32,
        "RUNS": 7,
        "SWEPT_BLOCKS": 16,
        "CALM_BLOCKS": 32,
        "SWEPT_RUNS": 8,
        "RECENT_RUNS": 4,
        "RECENT": 20,
    }
    for name, size in sizes.items():
        monkeypatch.setattr(known_runs if "RUNS" in name else ledgers, name, size)
    books.ledger = Ledger(books.reader)
    second = Writer(books.writer.database, seed + 100)
    books.writer.random.seed(seed)
    vandals = Vandals(books.writer, second)
    for number in range(25):
        for _ in range(books.writer.random.randint(1, 4)):
            vandals.step()
        if number % 10 == 5:
            books.ledger = Ledger(books.reader)
        if number % 10 == 9:
            put_a_copy_in_place(books.writer)
            second.reopen()
        books.look()
        looks = 0
        while looks < books.ledger.sweep_looks and books.mistakes():
            books.writer.touch()
            books.look()
            looks += 1
        assert books.mistakes() == {}
    second.close()


def put_a_copy_in_place(writer: Writer) -> None:
    """Another file with the same content takes the place of one in rollback-journal mode."""
    path = writer.database.path
    if path is not None and writer.connection.execute(text("PRAGMA journal_mode")).scalar_one() == "delete":
        shutil.copyfile(path, path.with_name("copy.db"))
        path.with_name("copy.db").replace(path)
        writer.reopen()
    writer.connection.commit()


def test_nothing_new_is_no_reason_to_read(books: Books) -> None:
    books.writer.add_run(1)
    time.sleep(2 * sqlite_file.SETTLED_NS / 1e9)  # what was written a moment ago is read twice in WAL mode
    books.look()
    asked = [books.ledger.look().asked for _ in range(30)]
    assert sum(asked) <= 2, "PostgreSQL's own housekeeping may take a transaction id now and then"
    books.writer.touch()
    assert books.ledger.look().asked


def test_the_last_task_and_its_run_may_end_between_two_looks(books: Books) -> None:
    books.writer.add_run(1)
    books.writer.add_blocks(*(books.writer.block(number, 1, State.RUNNING) for number in range(1, 4_000)))
    books.look()
    books.writer.add_run(2)
    books.writer.add_blocks(*(books.writer.block(number, 2, State.RUNNING) for number in range(4_000, 8_000)))
    books.look()
    books.writer.commit(books.writer.set_states([10, 3_999], State.SUCCESS), books.writer.end_run(1))
    books.look()
    assert books.mistakes() == {}


def test_tasks_in_a_state_of_a_newer_version_are_counted_as_such(file_books: Books) -> None:
    file_books.writer.add_run(1)
    kinds = (BlockType.TASK, BlockType.TASK, BlockType.WORKFLOW)
    file_books.writer.add_blocks(
        *(file_books.writer.block(number, 1, type=kind) for number, kind in enumerate(kinds, start=1))
    )
    file_books.look()
    file_books.writer.commit(text("UPDATE outflow_block SET state = 'paused' WHERE id > 1"))
    assert file_books.look().blocks == {2, 3}
    assert file_books.ledger.counts(1) == TaskCounts(pending=1, unknown=1)
    assert file_books.ledger.counts(1).as_dict()["unknown"] == 1


def test_a_whole_map_may_be_done_between_two_looks(books: Books) -> None:
    ids = range(1, 6_001)
    books.writer.add_run(1)
    books.writer.add_blocks(*(books.writer.block(number, 1) for number in ids))
    books.look()
    done = update(tables.block).where(tables.block.c.id < 5_900).values(state=State.SUCCESS)
    books.writer.commit(done)
    books.look()
    assert books.ledger.counts(1) == TaskCounts(pending=101, success=5_899)


def test_the_dead_items_of_another_run_hide_nothing(books: Books) -> None:
    """A last step that waits for long, then thousands of a killed run's items, then the map that goes on."""
    for run, ids in ((1, range(1, 2)), (2, range(2, 5_002)), (1, range(5_002, 8_000))):
        if ids[0] < 5_000:
            books.writer.add_run(run)
        books.writer.add_blocks(*(books.writer.block(number, run) for number in ids))
    books.look()
    books.writer.commit(books.writer.set_states([5_002, 5_003], State.SUCCESS))
    books.look()
    assert books.mistakes() == {}


def test_the_dead_items_of_a_run_side_by_side_hide_nothing(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "WAITING", 100)
    for run in (1, 2):
        books.writer.add_run(run)
    books.writer.add_blocks(*(books.writer.block(number, 1 + number % 2) for number in range(1, 3_000)))
    for first in range(1, 2_000, 200):
        books.writer.commit(books.writer.set_states(list(range(first | 1, first + 200, 2)), State.SUCCESS))
        books.look()
        assert books.mistakes() == {}


def test_what_a_failed_look_found_is_told_by_the_next_one(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres
) -> None:
    books = Books(fresh_books(request, tmp_path, POSTGRESQL).database())
    name = books.writer.database.database
    assert name is not None
    books.writer.add_run(1)
    books.writer.add_blocks(books.writer.block(1, 1, State.RUNNING))
    books.look()
    books.writer.commit(books.writer.set_states([1], State.FAILED), books.writer.end_run(1, State.FAILED))
    postgres.superuser_sql("REVOKE SELECT ON outflow_block FROM pipeuser", name)
    with pytest.raises(SourceError, match="permission denied"):
        books.look()
    postgres.superuser_sql("GRANT SELECT ON outflow_block TO pipeuser", name)
    found = books.look()
    assert found.runs == {1} and found.blocks == {1}
    assert books.mistakes() == {}
    books.close()


def test_a_run_that_is_committed_late_is_found_among_the_others(books: Books) -> None:
    books.writer.add_run(10)
    books.writer.add_run(12)
    books.look()
    for number in (11, 9):
        books.writer.add_run(number)
        assert number in books.look().runs


def test_a_block_that_is_committed_late_is_found_among_the_others(books: Books) -> None:
    books.writer.add_run(1)
    books.writer.add_blocks(*(books.writer.block(number, 1) for number in (5, 6, 8)))
    books.look()
    books.writer.add_blocks(books.writer.block(7, 1, State.FAILED))
    assert books.look().blocks == {7}
    assert books.ledger.counts(1) == TaskCounts(pending=3, failed=1)


def test_what_is_not_committed_does_not_count(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    books = Books(fresh_books(request, tmp_path, POSTGRESQL).database())
    books.writer.add_run(1)
    books.look()
    books.writer.connection.execute(insert(tables.block), [books.writer.block(1, 1)])
    books.look()
    assert books.ledger.counts(1) == TaskCounts()
    books.writer.connection.commit()
    books.look()
    assert books.ledger.counts(1) == TaskCounts(pending=1)
    books.close()


def test_the_newest_are_there_at_once_and_the_history_follows(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "HISTORY_SECONDS", 0.0)
    monkeypatch.setattr(ledgers, "PAGE", 512)
    monkeypatch.setattr(known_runs, "RUNS", 10)
    monkeypatch.setattr(known_runs, "FIRST_RUNS", 10)
    for run in range(1, 31):
        books.writer.add_run(run, State.SUCCESS)
    new = (books.writer.block(number, 1 + number * 30 // 6_000, State.SUCCESS) for number in range(5_999))
    books.writer.add_blocks(*new)
    books.ledger.look()
    assert sorted(books.ledger.runs) == list(range(21, 31)) and books.ledger.counts(30) == TaskCounts()
    books.ledger.look()
    assert sorted(books.ledger.runs) == list(range(21, 31)) and not books.ledger.is_complete
    assert books.ledger.counts(30) == TaskCounts(success=199)
    monkeypatch.setattr(ledgers, "HISTORY_SECONDS", 0.01)
    books.look()
    assert books.mistakes() == {}


@pytest.mark.usefixtures("short_slices")
def test_failed_tasks_are_known_and_when_a_run_that_goes_on_last_gave_a_sign(books: Books) -> None:
    for run in (1, 2, 3):
        books.writer.add_run(run, State.RUNNING if run == 2 else State.SUCCESS)
    states = {20: State.RUNNING, 21: State.PENDING}
    rows = [books.writer.block(n, 1 + n // 20, states.get(n, State.SUCCESS), end_time=NOON) for n in range(59)]
    books.writer.add_blocks(*rows)
    books.look()
    assert books.mistakes() == {}
    books.writer.commit(books.writer.set_states([20, 45], State.FAILED), books.writer.set_states([50], State.FAILED))
    assert 20 in books.look().blocks
    fresh = Ledger(books.reader)
    while fresh.look() and not fresh.is_complete:
        pass
    assert (fresh.failed_tasks(2), fresh.failed_tasks(3)) == ([20], [45, 50])
    assert fresh.index.tallies[2].last_sign == str(NOON) + (
        ".000000" if "sqlite" in books.reader.database.dialect else ""
    )


@pytest.mark.usefixtures("short_slices")
def test_a_run_of_the_past_that_goes_on_again_is_followed(books: Books) -> None:
    books.writer.add_run(1, State.FAILED)
    books.writer.add_run(2, State.SUCCESS)
    books.writer.add_blocks(
        *(books.writer.block(n, 1 + n // 30, State.FAILED if n else State.PENDING) for n in range(60))
    )
    books.look()
    books.writer.commit(books.writer.end_run(1, State.RUNNING))
    books.look()
    books.writer.commit(books.writer.set_states([0], State.SUCCESS))
    assert 0 in books.look().blocks
    assert books.mistakes() == {}


@pytest.mark.usefixtures("short_slices")
def test_what_is_written_while_the_history_is_read_counts_once(
    file_books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "HISTORY_SECONDS", 1e-4)
    writer = file_books.writer
    for number in range(1, 12):
        writer.add_run(number, State.FAILED)
    states = [writer.random.choice(list(State)) for _ in range(400)]
    writer.add_blocks(*(writer.block(n, writer.random.randrange(1, 12), state) for n, state in enumerate(states)))
    looks = 0
    while not file_books.ledger.is_complete:
        writer.touch()
        file_books.ledger.look()
        looks += 1
    assert looks > 3
    assert file_books.mistakes() == {}


@pytest.mark.usefixtures("short_slices")
def test_an_edit_of_the_past_that_changes_no_number_is_seen(books: Books) -> None:
    """Two tasks change places: the counts are the same, the blocks are not."""
    books.writer.add_run(1, State.SUCCESS)
    books.writer.add_blocks(*(books.writer.block(n, 1, State.SUCCESS if n % 3 else State.FAILED) for n in range(240)))
    books.look()
    books.writer.commit(books.writer.set_states([3], State.SUCCESS), books.writer.set_states([4], State.FAILED))
    found: set[int] = set()
    for _ in range(20):
        books.writer.touch()
        found |= books.look().blocks
    assert {3, 4} <= found


def test_a_placeholder_is_no_run_and_run_zero_is_one(books: Books) -> None:
    books.writer.add_run(-1, State.SKIPPED)
    books.writer.add_run(0)
    books.writer.add_run(1)
    books.look()
    assert sorted(books.ledger.runs) == [0, 1]


def test_the_workflow_around_a_run_and_other_workflows_are_no_tasks(books: Books) -> None:
    books.writer.add_run(1)
    around = books.writer.block(1, 1, type=BlockType.WORKFLOW, name=TOP_LEVEL)
    workflow = books.writer.block(2, 1, State.RUNNING, type=BlockType.WORKFLOW)
    books.writer.add_blocks(around, workflow, books.writer.block(3, 1, State.RUNNING))
    books.look()
    assert books.ledger.counts(1) == TaskCounts(running=1)


def test_empty_books_are_complete_and_fill_later(books: Books) -> None:
    books.look()
    assert books.mistakes() == {} and books.ledger.runs == {}
    books.writer.add_run(1)
    books.writer.add_blocks(books.writer.block(1, 1))
    books.look()
    assert books.mistakes() == {}


# files that come and go


def replace_with(books: Books, change: Callable[[Writer], None]) -> None:
    """Put another file in the place of the books: a copy that was changed."""
    path = books.writer.database.path
    assert path is not None
    other = path.with_name("other.db")
    shutil.copyfile(path, other)
    writer = Writer(Database("default", SQLITE, path=other), seed=1)
    change(writer)
    writer.close()
    other.replace(path)


def test_another_file_in_the_same_place_begins_the_ledger_anew(file_books: Books) -> None:
    file_books.writer.add_run(1)
    file_books.writer.add_blocks(*(file_books.writer.block(number, 1) for number in range(1, 50)))
    file_books.look()

    def change(writer: Writer) -> None:
        writer.commit(delete(tables.block).where(tables.block.c.id > 9), delete(tables.run).where(tables.run.c.id > 5))

    replace_with(file_books, change)
    file_books.look()
    assert file_books.ledger.counts(1) == TaskCounts(pending=9)


def test_what_was_known_stays_known_while_the_file_is_gone(file_books: Books) -> None:
    path = file_books.writer.database.path
    assert path is not None
    file_books.writer.add_run(1)
    file_books.look()
    file_books.writer.close()
    path.rename(path.with_name("away.db"))
    for _ in range(2):
        with pytest.raises(SourceError, match="no such file"):
            file_books.ledger.look()
    assert list(file_books.ledger.runs) == [1]
    path.with_name("away.db").rename(path)
    file_books.look()
    assert list(file_books.ledger.runs) == [1]


def test_a_closed_wal_file_is_followed_through_its_writers_that_come_and_go(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = fresh_books(request, tmp_path, SQLITE).database()
    books = Books(database)
    books.writer.commit(text("PRAGMA journal_mode=WAL"))
    books.writer.add_run(1)
    books.writer.close()
    for number in range(2, 6):
        books.look()
        assert len(books.ledger.runs) == number - 1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["books.db", "config.json"]
        writer = Writer(database, seed=number)
        writer.add_run(number)
        writer.close()
    books.reader.close()


PIPELINE = """
import sys
from outflow_core import record_run
print("ready", flush=True)
with record_run("live", config=sys.argv[1]) as run:
    with run.workflow("map", inputs=[{"n": n} for n in range(150)], tasks=["fit"]) as items:
        for item in items:
            try:
                with item.task("fit"):
                    sum(range(300_000))  # something to do
                    if item.inputs["n"] % 10 == 0:
                        raise ValueError("every tenth")
            except ValueError:
                pass
"""


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_a_pipeline_that_records_itself_is_followed_to_its_end(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str
) -> None:
    settings = fresh_books(request, tmp_path, dialect)
    reader = Reader(settings.database())
    ledger = Ledger(reader)
    seen: set[int] = set()
    assert settings.path is not None
    with running(PIPELINE, settings.path) as child:
        while child.poll() is None:
            ledger.look()
            seen |= {ledger.counts(run).done for run in ledger.runs}
        assert child.stderr is not None and child.stderr.read() == ""
    ledger.look()
    (run,) = ledger.runs.values()
    assert (run.state, ledger.counts(run.id)) == (State.SUCCESS, TaskCounts(failed=15, success=135))
    assert run_counts.task_counts(reader, None) == {run.id: ledger.counts(run.id)}
    assert len(seen) > 3, "it was seen on its way"
    reader.close()
    assert child.returncode == 0
