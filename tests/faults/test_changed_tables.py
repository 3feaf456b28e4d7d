"""`outflow-db` changes tables: it waits for nobody for ever, and has nobody wait for long."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from outflow_core import deadlines, engines
from outflow_core.db_cli import main
from outflow_core.errors import SourceError
from outflow_core.schema import owner
from outflow_core.schema.owner import changing
from tests.core.conftest import add_revision
from tests.core.servers import OwnServer
from tests.faults.stage import Stage, new_stage, processes_of, suspended
from tests.faults.table import Fault
from tests.faults.watching import SECRETS
from tests.leaks import leaked

ATTEMPT = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
def stage(server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Books as Outflow makes them, and a migration of the pipeline's that adds a column."""
    monkeypatch.setattr(engines, "WORK_SECONDS", 0.2)
    monkeypatch.setattr(deadlines, "HANDSHAKE_SECONDS", 0.2)
    monkeypatch.setattr(engines, "CHANGE_LOCK_SECONDS", 1)
    add_revision(tmp_path, "default", "more", make="op.execute('ALTER TABLE outflow_block ADD COLUMN more int')")
    stage = new_stage(server, tmp_path, "books")
    content = json.loads(stage.config.read_text(encoding="utf-8"))
    stage.config.write_text(json.dumps({**content, "migrations": "migrations"}), encoding="utf-8")
    return stage


@contextmanager
def in_use(stage: Stage) -> Iterator[None]:
    """Somebody has read from a table, and has not ended the transaction."""
    with stage.session() as other:
        other.execute("BEGIN; SELECT count(*) FROM outflow_block")
        yield


@contextmanager
def hung(stage: Stage) -> Iterator[None]:
    """The server stands still when the upgrade has got as far as the table that is in use."""
    with stage.session() as other, stage.session() as watching:
        other.execute("BEGIN; SELECT count(*) FROM outflow_block")

        def stands_still() -> None:
            while not over.is_set():
                watching.execute(ATTEMPT)
                if watching.fetchone() != (0,):
                    with suspended(processes_of(stage.server)):
                        over.wait(10)

        over = threading.Event()
        thread = threading.Thread(target=stands_still)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


FAULTS = (
    Fault(
        "`outflow-db upgrade`: somebody uses a table that it changes, and does not end.",
        "lock timeout: the tables are in use by process … (…); try again when that is over; nothing was changed",
        "by another `outflow-db upgrade`",
        in_use,
    ),
    Fault(
        "`outflow-db upgrade`: the server is suspended meanwhile.",
        "no answer for … s: the server hangs, or the network between is interrupted; nothing was changed",
        "by another `outflow-db upgrade`",
        hung,
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_an_upgrade_waits_only_so_long_and_says_for_what(
    stage: Stage, fault: Fault, capsys: pytest.CaptureFixture[str]
) -> None:
    with fault.breaks(stage):
        began = time.monotonic()
        assert main(["upgrade", "--config", str(stage.config)]) == 2
        assert time.monotonic() - began < 4
    said = capsys.readouterr().err
    assert fault.is_told([said]) and len(said.splitlines()) == 1 and not leaked(said, SECRETS), said
    assert main(["upgrade", "--config", str(stage.config)]) == 0


def test_who_reads_a_table_waits_behind_an_upgrade_only_so_long(stage: Stage) -> None:
    with in_use(stage), stage.session() as reading:
        upgrade = threading.Thread(target=main, args=(["upgrade", "--config", str(stage.config)],))
        upgrade.start()
        longest = 0.0
        while upgrade.is_alive():
            began = time.monotonic()
            reading.execute("SELECT count(*) FROM outflow_block")
            longest = max(longest, time.monotonic() - began)
    assert 0.5 < longest < 2, "it stood behind the upgrade, which gave up"


def test_work_may_last_while_the_server_answers_others(stage: Stage) -> None:
    database = stage.settings.database()
    with changing(database) as connection:
        assert connection.execute(text("SELECT 1 FROM pg_sleep(1.2)")).scalar_one() == 1


def test_a_second_upgrade_waits_for_its_turn_only_so_long(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "TURN_SECONDS", 1)
    database = stage.settings.database()
    with changing(database), pytest.raises(SourceError, match="in use by process"), changing(database):
        pass


def test_who_says_how_long_to_wait_for_a_lock_is_believed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=7s")
    with changing(stage.settings.database()) as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "7s"
