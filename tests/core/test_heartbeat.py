"""What a recording process says of itself in the books, and that the pipeline never feels it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, text

from outflow_core import record_run, tables
from outflow_core.engines import Engines, make_engine
from outflow_core.heartbeat import Heart, heartbeat
from outflow_core.processes import identity, is_there
from outflow_core.schema.upgrades import downgrade, upgrade
from outflow_core.settings import DEFAULT_BIND, Settings
from tests.core.conftest import Postgres, content, write_config

PATIENCE = 20.0
SOON = 0.02
Row = dict[str, Any]


@pytest.fixture
def books(any_database: dict[str, str], tmp_path: Path) -> Settings:
    """A configuration whose database has all our tables."""
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    return settings


@pytest.fixture
def file_books(tmp_path: Path) -> Settings:
    """The same, on SQLite: for what does not depend on the database."""
    settings = write_config(tmp_path, {"default": {"dialect": "sqlite", "path": "outflow.db"}})
    upgrade(settings)
    return settings


@pytest.fixture
def engines(books: Settings) -> Iterator[Engines]:
    """The engines of a recorder, closed at the end."""
    made = Engines(books)
    yield made
    made.dispose()


def processes(books: Settings) -> list[Row]:
    """The rows of all processes, oldest first, as another process would see them."""
    engine = make_engine(books.database())
    with engine.connect() as connection:
        rows = connection.execute(select(tables.process).order_by(tables.process.c.id)).mappings()
        found = [dict(row) for row in rows]
    engine.dispose()
    return found


def until(books: Settings, holds: Callable[[list[Row]], bool]) -> list[Row]:
    """Wait for something to become true of the rows of the processes."""
    end = time.monotonic() + PATIENCE
    while not holds(rows := processes(books)):
        assert time.monotonic() < end, rows
        time.sleep(SOON)
    return rows


def add_run(engines: Engines, uuid: str) -> None:
    """A run of this uuid, with its configuration."""
    with engines.engine(DEFAULT_BIND).begin() as connection:
        connection.execute(insert(tables.configuration).values(id=1, config={}, settings={}, hash="h"))
        row = {"id": 7, "uuid": uuid, "state": "running", "configuration_id": 1}
        connection.execute(insert(tables.run).values(row))


def test_a_recorded_run_names_its_process_and_says_when_it_ended(
    books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "998")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "990")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "8")
    with record_run("reduce", config=books) as run:
        (row,) = until(books, lambda rows: bool(rows))
        assert row["ended_at"] is None
    here = identity()
    assert (row["run_id"], row["hostname"], row["pid"]) == (run.id, here.hostname, os.getpid())
    assert (row["slurm_job_id"], row["slurm_array_job_id"], row["slurm_array_task_id"]) == ("998", "990", "8")
    assert is_there(row["pid"], row["pid_space"], row["start_ticks"]) is True
    (ended,) = processes(books)
    assert ended["started_at"] <= ended["last_seen_at"] == ended["ended_at"]


def test_a_process_outside_of_slurm_names_no_job(file_books: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"):
        monkeypatch.delenv(name, raising=False)
    with record_run("reduce", config=file_books):
        (row,) = until(file_books, lambda rows: bool(rows))
    assert (row["slurm_job_id"], row["slurm_array_job_id"], row["slurm_array_task_id"]) == (None, None, None)


def test_it_beats_again_and_again(engines: Engines, books: Settings) -> None:
    add_run(engines, "u")
    with heartbeat(engines, DEFAULT_BIND, "u", seconds=SOON):
        (first,) = until(books, lambda rows: bool(rows))
        until(books, lambda rows: bool(rows[0]["last_seen_at"] > first["last_seen_at"]))
    assert len(processes(books)) == 1


def test_its_times_are_utc_wherever_the_server_stands(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path
) -> None:
    settings = write_config(tmp_path, {"default": postgres_database})
    postgres.superuser_sql(f"ALTER DATABASE {postgres_database['database']} SET timezone TO 'Asia/Tokyo'")
    upgrade(settings)
    with record_run("reduce", config=settings):
        (row,) = until(settings, lambda rows: bool(rows))
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    assert abs(now - row["started_at"]) < timedelta(hours=4)


def test_the_row_of_the_run_may_come_later(engines: Engines, books: Settings) -> None:
    with heartbeat(engines, DEFAULT_BIND, "u", seconds=SOON):
        assert processes(books) == []
        add_run(engines, "u")
        until(books, lambda rows: [row["run_id"] for row in rows] == [7])


def test_a_process_whose_row_was_deleted_announces_itself_again(engines: Engines, books: Settings) -> None:
    add_run(engines, "u")
    with heartbeat(engines, DEFAULT_BIND, "u", seconds=SOON):
        until(books, lambda rows: bool(rows))
        with engines.engine(DEFAULT_BIND).begin() as connection:
            connection.execute(delete(tables.process))
        until(books, lambda rows: bool(rows))


def test_a_run_that_is_deleted_takes_its_processes_along(postgres_database: dict[str, str], tmp_path: Path) -> None:
    """On PostgreSQL: SQLite minds foreign keys only when asked to."""
    books = write_config(tmp_path, {"default": postgres_database})
    upgrade(books)
    with record_run("reduce", config=books):
        until(books, lambda rows: bool(rows))
    engine = make_engine(books.database())
    with engine.begin() as connection:
        connection.execute(delete(tables.run))
    engine.dispose()
    assert processes(books) == []


def test_without_the_table_a_run_is_recorded_as_ever(books: Settings) -> None:
    downgrade(books, "default", "outflow_0002")
    with record_run("reduce", config=books) as run:
        with run.task("fit"):
            pass
        beating = [thread for thread in threading.enumerate() if run.uuid in thread.name]
        for thread in beating:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in beating), "it goes on asking for a table that is not there"
    assert [state.count("success") for state in content(books)["outflow_run"]] == [1]


@pytest.fixture
def patient_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats that would wait for an hour."""
    monkeypatch.setattr("outflow_core.heartbeat.BUSY_MILLISECONDS", 3_600_000)


@pytest.mark.usefixtures("patient_beats")
def test_a_database_that_is_locked_holds_up_nobody_who_leaves(file_books: Settings) -> None:
    engines = Engines(file_books)
    add_run(engines, "u")
    other = sqlite3.connect(file_books.database().path or "", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with heartbeat(engines, DEFAULT_BIND, "u", seconds=SOON):
        pass
    assert other.in_transaction, "it was left while the database was locked"
    other.execute("COMMIT")
    other.close()
    engines.dispose()


@pytest.mark.usefixtures("patient_beats")
def test_a_table_that_is_locked_on_postgresql_holds_up_nobody_who_leaves(
    postgres_database: dict[str, str], tmp_path: Path
) -> None:
    settings = write_config(tmp_path, {"default": postgres_database})
    upgrade(settings)
    engines, owner = Engines(settings), make_engine(settings.database(), "admin")
    add_run(engines, "u")
    with owner.connect() as connection:
        connection.execute(text("LOCK TABLE outflow_core_process"))
        with heartbeat(engines, DEFAULT_BIND, "u", seconds=SOON):
            pass
        assert connection.in_transaction()
    owner.dispose()
    engines.dispose()


def test_after_a_lock_it_goes_on(file_books: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outflow_core.heartbeat.BUSY_MILLISECONDS", 10)
    engines = Engines(file_books)
    add_run(engines, "u")
    with heartbeat(engines, DEFAULT_BIND, "u", seconds=SOON):
        (first,) = until(file_books, lambda rows: bool(rows))
        other = sqlite3.connect(file_books.database().path or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(10 * SOON)  # some beats fail; that none can succeed is SQLite's promise
        other.execute("COMMIT")
        other.close()
        (before,) = processes(file_books)
        until(file_books, lambda rows: bool(rows[0]["last_seen_at"] > before["last_seen_at"]))
    assert first["id"] == before["id"]
    engines.dispose()


def test_the_connection_that_it_borrowed_is_as_patient_as_before(engines: Engines, books: Settings) -> None:
    add_run(engines, "u")
    question = "SHOW statement_timeout" if books.database().path is None else "PRAGMA busy_timeout"

    def patience() -> Any:
        with engines.engine(DEFAULT_BIND).connect() as connection:
            return connection.exec_driver_sql(question).scalar()

    before = patience()
    with heartbeat(engines, DEFAULT_BIND, "u"):
        until(books, lambda rows: bool(rows))
    assert patience() == before


def test_a_fork_neither_beats_nor_ends(file_books: Settings) -> None:
    engines = Engines(file_books)
    add_run(engines, "u")
    heart = Heart(engines, DEFAULT_BIND, "u", SOON)
    heart.start()
    until(file_books, lambda rows: bool(rows))
    child = os.fork()
    if child == 0:
        heart.stop()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    (row,) = processes(file_books)
    assert (row["ended_at"], row["pid"]) == (None, os.getpid())
    until(file_books, lambda rows: bool(rows[0]["last_seen_at"] > row["last_seen_at"]))
    heart.stop()
    engines.dispose()


def test_runs_in_threads_have_a_row_each(file_books: Settings) -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    def record(number: int) -> int:
        with record_run(f"reduce_{number}", config=file_books) as run:
            until(file_books, lambda rows: run.id in [row["run_id"] for row in rows])
            both.wait()
            return run.id

    with ThreadPoolExecutor(2) as executor:
        ids = set(executor.map(record, range(2)))
    rows = processes(file_books)
    assert {row["run_id"] for row in rows} == ids and all(row["ended_at"] for row in rows)


JOINS = """
import sys
from outflow_core import join_run
with join_run(sys.argv[2], config=sys.argv[1]):
    pass
"""


def test_a_process_that_joins_a_run_has_a_row_of_its_own(books: Settings) -> None:
    with record_run("reduce", config=books) as run:
        until(books, lambda rows: bool(rows))
        subprocess.run([sys.executable, "-c", JOINS, str(books.path), run.uuid], check=True, timeout=60)
        head, joined = processes(books)
    assert head["run_id"] == joined["run_id"] == run.id
    assert head["pid"] == os.getpid() != joined["pid"]
    assert head["ended_at"] is None and joined["ended_at"] is not None


def test_a_pid_that_is_used_again_is_another_process() -> None:
    here = identity()
    assert here.start_ticks is not None
    assert is_there(here.pid, here.pid_space, here.start_ticks) is True
    assert is_there(here.pid, here.pid_space, here.start_ticks + 1) is False


def test_of_a_pid_of_another_machine_nothing_is_known_here() -> None:
    assert is_there(os.getpid(), f"{uuid4()} pid:[1]", None) is None


def test_a_killed_process_is_gone_even_before_its_parent_has_noticed() -> None:
    child = subprocess.Popen(["sleep", "1000"])
    space = identity().pid_space
    assert is_there(child.pid, space, None) is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_there(child.pid, space, None) is False
    child.wait()
    assert is_there(child.pid, space, None) is False
