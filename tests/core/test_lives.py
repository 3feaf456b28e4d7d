"""Which runs live and which are dead: by beats, by pids, and by real processes that are really killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from outflow_core import record_run, run_queries
from outflow_core.changes import Ledger
from outflow_core.engines import Engines, make_engine
from outflow_core.errors import SourceError
from outflow_core.heartbeat import heartbeat
from outflow_core.known_runs import PROCESS_LOOKS
from outflow_core.lives import Watch
from outflow_core.processes import identity
from outflow_core.reader import Reader
from outflow_core.rows import Life, ProcessRow, Sign
from outflow_core.schema.upgrades import downgrade, upgrade
from outflow_core.settings import DEFAULT_BIND, Settings
from outflow_core.tables import configuration, process, run
from outflow_tui.snapshot import Focus, RunLine
from outflow_tui.source import BooksSource
from tests.core.books import running
from tests.core.conftest import Postgres, write_config

NOON = datetime(2026, 11, 23, 12)
HERE = identity()


class Clocks:
    """Our two clocks, which go on when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.set_by = timedelta()

    def go_on(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds) + self.set_by

    def watch(self) -> Watch:
        return Watch(self.now, lambda: self.seconds)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def elsewhere(number: int = 1, *, age: float = 0.0, beat: int = 0) -> ProcessRow:
    """A process of run 1 on another host, which beats every 30 seconds; `beat` counts its beats."""
    return ProcessRow(
        id=number,
        run_id=1,
        hostname="n12",
        pid=4711,
        pid_space="another boot",
        start_ticks=5,
        slurm_job_id="998",
        slurm_array_job_id=None,
        slurm_array_task_id=None,
        started_at=NOON,
        last_seen_at=NOON + timedelta(seconds=30 * beat),
        ended_at=None,
        beat_seconds=30.0,
        age_seconds=age,
    )


def here(**columns: Any) -> ProcessRow:
    """This very process, as a row tells of it."""
    own = {"hostname": HERE.hostname, "pid": HERE.pid, "pid_space": HERE.pid_space, "start_ticks": HERE.start_ticks}
    return elsewhere()._replace(**{**own, **columns})


def life(watch: Watch, *rows: ProcessRow) -> Life:
    """What is known of the run of these processes."""
    return watch.lives({1: rows})[1]


def test_a_process_is_alive_until_three_beats_have_not_come(clocks: Clocks) -> None:
    watch = clocks.watch()
    assert life(watch, elsewhere(age=10)) == Life(1)
    clocks.go_on(80)
    assert life(watch, elsewhere(age=10)) == Life(1)
    heard = clocks.now() - timedelta(seconds=90)
    clocks.go_on(1)
    lost = life(watch, elsewhere(age=10))
    assert (lost.alive, lost.lost) == (0, 1)
    assert lost.latest is not None
    assert (lost.latest.pid, lost.latest.hostname, lost.latest.job) == (4711, "n12", "998")
    assert (lost.latest.since, lost.latest.is_gone) == (heard, False)


def test_what_is_said_of_a_live_process_does_not_change_with_its_beats(clocks: Clocks) -> None:
    watch = clocks.watch()
    first = life(watch, elsewhere(beat=0, age=1))
    clocks.go_on(30)
    assert life(watch, elsewhere(beat=1, age=2)) == first


def test_what_is_said_of_a_lost_process_does_not_change_with_time(clocks: Clocks) -> None:
    watch = clocks.watch()
    first = life(watch, elsewhere(age=500))
    clocks.go_on(1000)
    assert life(watch, elsewhere(age=500)) == first


@pytest.mark.parametrize("hours", [-5, 5])
def test_our_clock_may_be_set_and_nobody_dies_or_lives_longer(clocks: Clocks, hours: int) -> None:
    watch = clocks.watch()
    assert life(watch, elsewhere(age=10)) == Life(1)
    clocks.set_by = timedelta(hours=hours)
    clocks.go_on(79)
    assert life(watch, elsewhere(age=10)) == Life(1)
    clocks.go_on(11)
    lost = life(watch, elsewhere(age=10)).latest
    assert lost is not None and clocks.now() - lost.since == timedelta(seconds=100)
    clocks.set_by = timedelta()
    lost = life(watch, elsewhere(age=10)).latest
    assert lost is not None and clocks.now() - lost.since == timedelta(seconds=100)


def test_a_host_whose_clock_is_behind_is_alive_once_a_beat_was_seen(clocks: Clocks) -> None:
    watch = clocks.watch()
    assert life(watch, elsewhere(age=3600)).alive == 0
    clocks.go_on(29)
    assert life(watch, elsewhere(age=3600)).alive == 0
    clocks.go_on(1)
    assert life(watch, elsewhere(beat=1, age=3600)) == Life(1)
    clocks.go_on(89)
    assert life(watch, elsewhere(beat=1, age=3600)) == Life(1)


def test_a_host_whose_clock_is_ahead_does_not_live_longer(clocks: Clocks) -> None:
    watch = clocks.watch()
    assert life(watch, elsewhere(age=-3600)) == Life(1)
    clocks.go_on(91)
    lost = life(watch, elsewhere(age=-3600)).latest
    assert lost is not None and lost.since == clocks.now() - timedelta(seconds=91)


def test_a_beat_from_before_the_books_could_be_read_again_is_as_old_as_it_is(clocks: Clocks) -> None:
    watch = clocks.watch()
    life(watch, elsewhere())
    clocks.go_on(3600)
    assert life(watch, elsewhere(beat=1, age=3000)).alive == 0


def test_of_several_processes_it_is_told_how_many_are_lost(clocks: Clocks) -> None:
    found = life(clocks.watch(), elsewhere(1), elsewhere(2, age=500), elsewhere(3, age=400))
    assert (found.alive, found.lost) == (1, 2)
    assert found.latest is not None and found.latest.since == clocks.now() - timedelta(seconds=400)


def test_a_process_that_was_looked_for_in_vain_is_not_named_before_one_that_may_live(clocks: Clocks) -> None:
    found = life(clocks.watch(), here(id=1, start_ticks=1), elsewhere(2, age=500))
    assert found.latest is not None and not found.latest.is_gone


def test_a_pid_that_another_process_has_by_now_does_not_live(clocks: Clocks) -> None:
    assert HERE.start_ticks is not None
    lost = life(clocks.watch(), here(start_ticks=HERE.start_ticks - 1)).latest
    assert lost is not None and lost.is_gone


def test_a_process_of_this_host_that_is_too_busy_to_beat_lives(clocks: Clocks) -> None:
    assert life(clocks.watch(), here(age_seconds=9000.0)) == Life(1)


def test_of_a_run_whose_processes_all_ended_nothing_is_known(clocks: Clocks) -> None:
    watch, row = clocks.watch(), elsewhere()
    ended = row._replace(ended_at=NOON)
    assert watch.lives({1: [ended]}) == {}
    assert watch.sign(ended) is Sign.ENDED


# in the books


@pytest.fixture
def books(any_database: dict[str, str], tmp_path: Path) -> Settings:
    """A configuration whose database has all our tables."""
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    return settings


@pytest.fixture
def source(books: Settings) -> Iterator[BooksSource]:
    """What the monitor looks through."""
    made = BooksSource(books.database())
    yield made
    made.close()


def change(books: Settings, *statements: Any) -> None:
    """Change the books from outside."""
    engine = make_engine(books.database())
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


def add_run(books: Settings, *, number: int = 1, state: str = "running") -> None:
    """A run of this number, its uuid the same."""
    values = {"id": number, "config": {}, "settings": {}, "hash": f"{number}"}
    row = {"id": number, "uuid": f"{number}", "state": state, "configuration_id": number, "start_time": NOON}
    change(books, insert(configuration).values(values), insert(run).values(row))


def add_process(books: Settings, run_id: int = 1) -> None:
    """A process of a run, somewhere else, which was heard of long ago."""
    row = {"run_id": run_id, "hostname": "n12", "pid": 4711, "pid_space": "another boot", "beat_seconds": 30.0}
    change(books, insert(process).values(row | {"started_at": NOON, "last_seen_at": NOON - timedelta(days=900)}))


def seen(source: BooksSource) -> RunLine:
    """The newest run, once the history is read."""
    while not (snapshot := source.look(Focus())).is_complete:
        pass
    return snapshot.runs[0]


def until(source: BooksSource, holds: Callable[[RunLine], bool]) -> RunLine:
    """Look until something is true of the newest run; the test's own time-out ends it otherwise."""
    while not holds(line := seen(source)):
        pass
    return line


RECORDS = """
import sys, time
from outflow_core import record_run
with record_run("reduce", config=sys.argv[1]) as run:
    print(run.id, flush=True)
    time.sleep(1000)
"""


def test_a_killed_process_is_gone_at_the_next_look(books: Settings, source: BooksSource) -> None:
    assert books.path is not None
    with running(RECORDS, books.path) as child:
        line = until(source, lambda line: line.life is not None)
        assert (line.life, line.lost) == (Life(1), None)
        child.kill()
        child.wait()
        line = seen(source)
        assert line.row.state.value == "running", "it is never rewritten"
        assert line.lost is not None and line.lost.is_gone
        assert (line.lost.pid, line.lost.hostname) == (child.pid, HERE.hostname)
        assert line.lost.since <= datetime.now()


def test_a_process_killed_on_another_host_is_missed_when_its_beats_do_not_come(
    books: Settings, source: BooksSource
) -> None:
    assert books.path is not None
    with running(RECORDS, books.path) as child:
        until(source, lambda line: line.life is not None)
        child.kill()
        child.wait()
    change(books, update(process).values(pid_space="another boot", beat_seconds=0.01))
    line = until(source, lambda line: line.lost is not None)
    assert line.lost is not None and not line.lost.is_gone


def test_a_beat_alone_gives_the_very_same_lines(books: Settings, source: BooksSource) -> None:
    engines = Engines(books)
    add_run(books)
    with heartbeat(engines, DEFAULT_BIND, "1", seconds=0.02):
        until(source, lambda line: line.life is not None)
        first = source.look(Focus())
        beats = {latest(books)}
        while len(beats) < 5:
            assert source.look(Focus()).runs is first.runs
            beats.add(latest(books))
    engines.dispose()


def latest(books: Settings) -> Any:
    """The latest beat, read by somebody else."""
    reader = Reader(books.database())
    (rows,) = run_queries.processes(reader, [1]).values()
    reader.close()
    return rows[0].last_seen_at


def test_a_run_that_is_over_has_no_life(books: Settings, source: BooksSource) -> None:
    with record_run("reduce", config=books):
        assert until(source, lambda line: line.life is not None).life == Life(1)
    assert seen(source).life is None


def test_a_table_that_is_made_while_somebody_looks_is_read(books: Settings, source: BooksSource) -> None:
    downgrade(books, "default", "outflow_0002")
    add_run(books)
    assert seen(source).life is None
    upgrade(books)
    add_process(books)
    for _ in range(PROCESS_LOOKS):
        line = seen(source)
        change(books, update(configuration).values(hash=configuration.c.hash + "0"))
    assert line.lost is not None


def test_a_table_that_is_taken_away_while_somebody_looks_costs_one_look(books: Settings, source: BooksSource) -> None:
    add_run(books)
    add_process(books)
    assert seen(source).lost is not None
    downgrade(books, "default", "outflow_0002")
    with pytest.raises(SourceError):
        seen(source)
    assert seen(source).life is None


def test_a_table_that_may_not_be_read_is_as_one_that_is_not_there(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path
) -> None:
    books = write_config(tmp_path, {"default": postgres_database})
    upgrade(books)
    add_run(books)
    add_process(books)
    revoke = "REVOKE ALL ON outflow_core_process FROM pipeuser"
    postgres.superuser_sql(revoke, postgres_database["database"])
    source = BooksSource(books.database())
    assert seen(source).life is None
    source.close()


def test_the_dead_of_the_past_are_found_too(books: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is not among those that the first look reads."""
    monkeypatch.setattr("outflow_core.known_runs.RUNS", 2)
    monkeypatch.setattr("outflow_core.changes.HISTORY_SECONDS", 1e-5)  # a slice for each look
    add_run(books)
    add_process(books)
    for number in range(2, 8):
        add_run(books, number=number, state="success")
    source = BooksSource(books.database())
    seen(source)
    line = source.look(Focus()).line(1)
    assert line is not None and line.lost is not None
    source.close()


def test_processes_are_asked_for_when_something_changed_and_of_runs_that_go_on(
    books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(books, number=1, state="success")
    add_run(books, number=2)
    add_process(books, 1)
    add_process(books, 2)
    change(books, update(process).where(process.c.run_id == 2).values(ended_at=NOON))
    add_process(books, 2)
    asked: list[set[int]] = []
    ask = run_queries.processes

    def counted(reads: Reader, ids: set[int]) -> Any:
        asked.append(ids)
        return ask(reads, ids)

    monkeypatch.setattr(run_queries, "processes", counted)
    reader = Reader(books.database())
    ledger = Ledger(reader)
    while not ledger.is_complete:
        ledger.look()
    assert {run_id: len(rows) for run_id, rows in ledger.processes.items()} == {2: 1}
    asked.clear()
    found = [ledger.look().asked for _ in range(10)]
    assert len(asked) == sum(found) < 10
    change(books, update(run).where(run.c.id == 2).values(state="failed"))
    ledger.look()
    assert ledger.processes == {}
    reader.close()


def test_the_index_is_used(books: Settings) -> None:
    if books.database().path is not None:
        change(books, text("ANALYZE"))
    add_run(books)
    engine = make_engine(books.database())
    explain = "EXPLAIN QUERY PLAN" if books.database().path is not None else "SET enable_seqscan = off; EXPLAIN"
    with engine.connect() as connection:
        question = f"{explain} SELECT pid FROM outflow_core_process WHERE run_id IN (1, 2) AND ended_at IS NULL"
        plan = str(connection.execute(text(question)).all())
    engine.dispose()
    assert "outflow_core_process_run" in plan


def test_this_process_is_named_by_what_others_can_see_of_it() -> None:
    assert (HERE.pid, HERE.hostname) == (os.getpid(), os.uname().nodename)
