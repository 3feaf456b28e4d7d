"""A PostgreSQL server breaks while the program watches it: what the screen says, and that it comes back by itself."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from outflow_core import reader
from outflow_tui import poller
from outflow_tui.cli import main
from tests.core.servers import OwnServer
from tests.faults.stage import Stage, altered, hung, new_stage, stopped, suspended
from tests.faults.table import Fault
from tests.faults.watching import NEW_PASSWORD, PASSWORD, SECRETS, has_read, no_more_than_before, tells, watching
from tests.leaks import leaked
from tests.terminal import monitor
from tests.tui.desk import Desk

NUMBERS = itertools.count()
MIGRATIONS = int(os.environ.get("OUTFLOW_MIGRATIONS", "25"))


@pytest.fixture
def stage(server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Books of one run."""
    monkeypatch.setattr(poller, "LONGEST_WAIT", 0.5)
    monkeypatch.setattr(reader, "PULSE_SECONDS", 0.4)
    monkeypatch.setattr(reader, "LOCK_SECONDS", 0.3)
    monkeypatch.setattr(reader, "STATEMENT_SECONDS", 1)
    return new_stage(server, tmp_path, f"books_{next(NUMBERS)}")


@contextmanager
def crashed(stage: Stage) -> Iterator[None]:
    with stage.session() as other:
        other.execute("BEGIN; LOCK TABLE outflow_run")
        stage.server.crash()
    yield
    stage.server.start()


@contextmanager
def full(stage: Stage) -> Iterator[None]:
    """Somebody takes every connection there is, also the one of the monitor."""
    place: dict[str, Any] = {"host": "127.0.0.1", "port": stage.server.port, "dbname": stage.name}
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'outflow-tui'"
    with ExitStack() as taken, stage.session() as other:
        while stage.monitors():
            other.execute(end)
            with pytest.raises(psycopg2.OperationalError, match="connection slots"):
                while True:
                    taken.callback(psycopg2.connect(user="owner", password=PASSWORD, **place).close)
        yield


@contextmanager
def another_password(stage: Stage) -> Iterator[None]:
    stage.ask(f"ALTER ROLE worker PASSWORD '{NEW_PASSWORD}'")
    stage.cut()
    yield
    stage.configure(password=NEW_PASSWORD)


@contextmanager
def without_a_table(stage: Stage) -> Iterator[None]:
    stage.ask("DROP TABLE outflow_block CASCADE")
    yield
    stage.make_tables()


@contextmanager
def held(stage: Stage) -> Iterator[None]:
    with stage.session() as other:
        other.execute("UPDATE outflow_run SET command_name = command_name")
        other.execute("BEGIN; ALTER TABLE outflow_run ADD COLUMN more int")
        yield
        other.execute("COMMIT")


@contextmanager
def slow(stage: Stage) -> Iterator[None]:
    """Each read of the runs takes too long."""
    stage.ask("ALTER TABLE outflow_run RENAME TO kept")
    stage.ask("CREATE VIEW outflow_run AS SELECT kept.* FROM kept, pg_sleep(60)")
    stage.ask("GRANT SELECT ON outflow_run TO worker")
    yield
    stage.ask("DROP VIEW outflow_run")
    stage.ask("ALTER TABLE kept RENAME TO outflow_run")


@contextmanager
def dropped(stage: Stage) -> Iterator[None]:
    name = stage.name
    stage.ask(f"DROP DATABASE {name} WITH (FORCE)", "postgres")
    yield
    stage.ask(f"CREATE DATABASE {name} OWNER owner", "postgres")
    stage.make_tables()


LATER = "by itself: it is tried again at least every 30 s"
FAULTS = (
    Fault(
        "The PostgreSQL server is stopped.",
        "Cannot read postgresql://… Connection refused Is the server running",
        LATER,
        stopped,
    ),
    Fault("The server crashes.", "Cannot read postgresql://… Connection refused", LATER, crashed),
    Fault(
        "The server is suspended (SIGSTOP), or its machine is.",
        "Cannot read postgresql://… no answer for … s: the server hangs, or the network between is interrupted",
        LATER,
        hung,
    ),
    Fault(
        "No connection slot is free.",
        "remaining connection slots are reserved… one is needed: end another program",
        LATER,
        full,
    ),
    Fault(
        "The role's password is changed.",
        "password authentication failed… change it where the program has it from: the configuration",
        "by itself, when the configuration file holds the new one",
        another_password,
    ),
    Fault(
        "The role may not read a table any more.",
        "permission denied for table outflow_run; its owner may grant SELECT",
        LATER,
        altered("REVOKE SELECT ON outflow_run FROM worker", "GRANT SELECT ON outflow_run TO worker"),
    ),
    Fault(
        "A table is dropped.",
        "outflow_block is missing; wait if it is being upgraded, else run 'outflow-db upgrade'… restore a backup",
        LATER,
        without_a_table,
    ),
    Fault(
        "The tables are migrated to a shape that is not known.",
        "the tables are not those of Outflow 0.7 to 0.9: outflow_run.command_name is missing… "
        "look for a newer outflow-tui",
        LATER,
        altered(
            "ALTER TABLE outflow_run RENAME COLUMN command_name TO called",
            "ALTER TABLE outflow_run RENAME COLUMN called TO command_name",
        ),
    ),
    Fault(
        "Somebody holds a table (a migration that goes on).",
        "lock timeout; somebody holds a table, as a migration does; it is read when that is over",
        LATER,
        held,
    ),
    Fault("A read takes too long for the server's time-out.", "statement timeout; the server is slow", LATER, slow),
    Fault(
        "The database is dropped.",
        'database "… does not exist… make it again, or name another database',
        LATER,
        dropped,
    ),
)


async def comes_back(desk: Desk, stage: Stage) -> None:
    """Nobody touches the program, and it shows what is new."""
    stage.record("after")
    await desk.sees("after")
    await desk.misses("Since")
    assert len(stage.monitors()) == 1


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_the_screen_tells_what_broke_and_comes_back_by_itself(fault: Fault, stage: Stage) -> None:
    async with watching(str(stage.config), size=(100, 30)) as desk:
        await desk.sees("reduce")
        await has_read(desk)
        assert len(stage.monitors()) == 1
        async with no_more_than_before(desk):
            with fault.breaks(stage):
                await tells(desk, fault)
                assert "reduce" in desk.text() and "Shownis" in "".join(desk.text().split())
            await comes_back(desk, stage)


async def test_a_server_process_that_stands_still_is_left_for_another(stage: Stage) -> None:
    async with watching(str(stage.config)) as desk:
        await desk.sees("reduce")
        await has_read(desk)
        with suspended([pid for pid, _ in stage.monitors()]):
            stage.record("after")
            await desk.sees("after")
        await desk.misses("Since")
        await desk.until(lambda: len(stage.monitors()) == 1, "the one that stood still is not gone")


async def test_another_database_in_the_place_of_the_one_before_is_read_anew(stage: Stage) -> None:
    """Its first run has the number that another one had; the old connection was cut without a word."""
    async with watching(str(stage.config)) as desk:
        await desk.sees("reduce")
        await has_read(desk)
        await desk.press("enter", "4")
        await desk.sees("night: 1")
        with dropped(stage):
            pass
        stage.record("sunrise", night=2)
        await desk.sees("night: 2")
        await desk.press("escape")
        await desk.sees("sunrise")
        assert "reduce" not in desk.text()


async def test_migrations_of_others_are_not_held_up_by_the_monitor(stage: Stage) -> None:
    """Each wants the table for itself and waits for it a moment only; what is read goes on being read."""
    states = set()
    async with watching(str(stage.config), seconds=0.01) as desk:
        await desk.sees("reduce")
        await has_read(desk)
        await desk.press("enter")
        with stage.session() as other:
            other.execute("SET lock_timeout = '250ms'")
            for number in range(MIGRATIONS):
                other.execute(f"ALTER TABLE outflow_run ADD COLUMN more{number} int")
                other.execute(f"ALTER TABLE outflow_block ADD COLUMN more{number} int")
                states |= {state for _, state in stage.monitors()}
                await desk.pilot.pause()
        assert "Since" not in desk.text()
    print(f"{2 * MIGRATIONS} migrations beside the monitor, none waited 0.25 s")
    assert states <= {"idle", "active"}


async def test_a_standby_is_read_and_goes_on_being_read_when_it_is_promoted(stage: Stage) -> None:
    server = stage.server
    server.stop()
    (server.folder / "standby.signal").touch()
    server.start()
    try:
        async with watching(str(stage.config)) as desk:
            await desk.sees("reduce")
            await has_read(desk)
            assert "Since" not in desk.text()
            server.promote()
            await comes_back(desk, stage)
    finally:
        (server.folder / "standby.signal").unlink(missing_ok=True)


def test_the_program_ends_at_once_while_its_servers_hang(stage: Stage) -> None:
    with monitor(str(stage.config), str(stage.config), "--every", "0.1") as seat:
        seat.sees("reduce")
        with hung(stage):
            seat.comes(0.5)
            seat.press("q")
            begun = time.monotonic()
            seat.ends()
            assert time.monotonic() - begun < 3


def test_a_script_is_told_that_the_server_hangs(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    with hung(stage):
        assert main(["runs", "--source", str(stage.config)]) == 2
    words = capsys.readouterr().err
    assert "timeout expired; the server hangs, or the network to it is interrupted" in words
    assert not leaked(words, SECRETS) and "Traceback" not in words
