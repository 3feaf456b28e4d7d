"""The books break while a pipeline is recorded: it goes on, is told, and afterwards the books hold all that it did.

A pipeline keeps a log of its own; what the books tell, after what waited was written, must be the same.
"""

from __future__ import annotations

import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from outflow_core import bookkeeper, tables
from outflow_core.db_cli import main
from outflow_core.settings import Settings
from tests.core.books import SQLITE, configure, make_tables, rows
from tests.core.servers import OwnServer
from tests.faults.network import Proxy, proxy
from tests.faults.nights import BREAKS, ITEMS, LONGEST_STEP, MENDS, Log, night, report, told, tried, tried_faults
from tests.faults.nights import counted as counted
from tests.faults.nights import quick as quick
from tests.faults.stage import Stage, altered, hung, new_stage, processes_of, stopped, suspended
from tests.faults.watching import SECRETS
from tests.leaks import leaked

KILLS = int(os.environ.get("OUTFLOW_KILLS", "2"))


@pytest.fixture
def stage(server: OwnServer, tmp_path: Path) -> Stage:
    return new_stage(server, tmp_path, "books")


# a server


@contextmanager
def crashed(stage: Stage) -> Iterator[None]:
    stage.server.crash()
    yield
    stage.server.start()


def without_a_table(stage: Stage) -> AbstractContextManager[None]:
    away = "ALTER TABLE outflow_block RENAME TO elsewhere"
    return altered(away, "ALTER TABLE elsewhere RENAME TO outflow_block")(stage)


@contextmanager
def held_table(stage: Stage) -> Iterator[None]:
    with stage.session() as other:
        other.execute("BEGIN; LOCK TABLE outflow_block")
        yield
        other.execute("COMMIT")


@contextmanager
def read_only(stage: Stage) -> Iterator[None]:
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'worker'"
    stage.ask(f"ALTER DATABASE {stage.name} SET default_transaction_read_only = on")
    stage.ask(end)
    yield
    stage.ask(f"ALTER DATABASE {stage.name} RESET default_transaction_read_only", "postgres")
    stage.ask(end, "postgres")


@contextmanager
def full(stage: Stage) -> Iterator[None]:
    stage.ask(f"ALTER DATABASE {stage.name} CONNECTION LIMIT 0")
    stage.ask("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'worker'")
    yield
    stage.ask(f"ALTER DATABASE {stage.name} CONNECTION LIMIT -1")


@contextmanager
def hung_amid_a_statement(stage: Stage) -> Iterator[None]:
    """The server stands still while it has a statement to do, which waits there for a table."""
    with stage.session() as other, ExitStack() as still:
        other.execute("BEGIN; LOCK TABLE outflow_block")
        stop = threading.Timer(0.15, lambda: still.enter_context(suspended(processes_of(stage.server))))
        stop.start()
        yield
        stop.join()
        still.close()
        other.execute("COMMIT")


Breaks = Callable[[Any], AbstractContextManager[None]]
FOR_A_WHILE: tuple[Breaks, ...] = (
    stopped,
    crashed,
    hung,
    hung_amid_a_statement,
    without_a_table,
    held_table,
    read_only,
)
BEYOND: tuple[Breaks, ...] = (stopped, hung, without_a_table, full)
CASES = [*((breaks, MENDS) for breaks in FOR_A_WHILE), *((breaks, ITEMS) for breaks in BEYOND)]


@pytest.mark.parametrize(("breaks", "until"), CASES, ids=lambda case: getattr(case, "__name__", str(case)))
def test_nothing_is_lost_when_the_server_fails(
    stage: Stage, breaks: Breaks, until: int, counted: Counter[str], caplog: pytest.LogCaptureFixture
) -> None:
    log, longest = tried(stage.config, lambda: breaks(stage), until)
    assert main(["replay", "--config", str(stage.config)]) == 0
    report(f"{breaks.__name__} until item {until}", counted, log, found := told(stage.settings))
    assert found == sorted(log) and counted["held"] and longest < LONGEST_STEP
    assert "until that is over it is kept in" in caplog.text and not leaked(caplog.text, SECRETS)


def test_nothing_is_lost_when_the_network_is_interrupted(stage: Stage, counted: Counter[str]) -> None:
    with proxy(stage.server.port) as network:
        stage.configure(port=network.port)
        log, longest = tried(stage.config, lambda: interrupted(network), MENDS)
        assert main(["replay", "--config", str(stage.config)]) == 0
        report("network interrupted", counted, log, found := told(stage.settings))
    assert found == sorted(log) and counted["held"] and longest < LONGEST_STEP


@contextmanager
def interrupted(network: Proxy) -> Iterator[None]:
    network.interrupt()
    yield
    network.restore()


# workers that are killed meanwhile

KILLED = """
import os, sys
from outflow_core import record_run
config, log = sys.argv[1], os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
with record_run("night", config=config) as run:
    print("begun", flush=True)
    for number in range(10_000):
        with run.task("fit", inputs={"n": number}):
            pass
        os.write(log, b"%d\\n" % number)
"""


def test_whatever_a_killed_pipeline_had_recorded_is_in_the_books(stage: Stage, tmp_path: Path) -> None:
    """It is killed at any moment, while the server comes and goes."""
    done = 0
    for number in range(KILLS):
        log = tmp_path / f"log{number}"
        command = [sys.executable, "-c", KILLED, str(stage.config), str(log)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            assert child.stdout is not None and child.stdout.readline()
            with stopped(stage):
                time.sleep(random.uniform(0, 0.3))
                if number % 2:
                    child.kill()
            time.sleep(random.uniform(0, 0.3))
            child.kill()
        done += len(log.read_text().split())
    assert main(["replay", "--config", str(stage.config)]) == 0
    states = Counter(row["state"].value for row in rows(stage.settings, tables.block) if row["name"] == "fit")
    tried_faults.add("pipelines killed")
    print(f"{KILLS} kills: {done} items in the pipelines' logs, {states['success'] - 1} in the books")
    assert done <= states["success"] - 1 <= done + KILLS  # one is of the stage's own run


# a disk


@dataclass(frozen=True)
class Disk:
    """A folder whose room can be taken away."""

    folder: Path
    is_full: Callable[[], AbstractContextManager[None]]


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A file system in memory, of some hundred kilobytes."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        raise OSError(done.stderr)

    @contextmanager
    def is_full() -> Iterator[None]:
        with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"0" * 4096)
        yield
        (folder / "filler").unlink()

    try:
        yield Disk(folder, is_full)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def limited_files(folder: Path) -> Iterator[Disk]:
    """A folder where nothing can be written beyond the first kilobytes of a file."""
    folder.mkdir()

    @contextmanager
    def is_full() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield Disk(folder, is_full)


def may_mount() -> bool:
    """Whether this user may make file systems here."""
    with tempfile.TemporaryDirectory() as folder, suppress(OSError), small_disk(Path(folder) / "disk"):
        return True
    return False


DISKS = [limited_files, *([small_disk] if may_mount() else [])]


@pytest.fixture(
    params=DISKS, ids=lambda disk: f"{disk.__name__}{'' if len(DISKS) > 1 else ' (mounting is not permitted here)'}"
)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with request.param(tmp_path / "disk") as made:
        yield made


def books_on(disk: Disk, **content: Any) -> Settings:
    """Empty books on a disk, with their configuration beside them."""
    settings = configure(disk.folder, {"default": {"dialect": SQLITE, "path": "books.db"}}, **content)
    make_tables(settings.database())
    return settings


def sound(settings: Settings) -> bool:
    """Whether SQLite finds nothing wrong with the file."""
    with closing(sqlite3.connect(str(settings.database().path))) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("until", [MENDS, ITEMS], ids=["for a while", "beyond the end"])
def test_nothing_is_lost_when_the_disk_of_the_books_and_of_their_journal_is_full(
    disk: Disk, until: int, counted: Counter[str]
) -> None:
    settings = books_on(disk)
    assert settings.path is not None
    log, _ = tried(settings.path, disk.is_full, until)
    assert main(["replay", "--config", str(settings.path)]) == 0
    report(f"disk full until item {until}", counted, log, found := told(settings))
    assert found == sorted(log) and counted["held"] and sound(settings)


def test_a_journal_whose_disk_fills_goes_on_elsewhere(tmp_path: Path, counted: Counter[str]) -> None:
    """It had begun where room was, in the first folder."""
    with limited_files(tmp_path / "disk") as disk:
        settings = books_on(disk)
        assert settings.path is not None
        log = Log()

        def between(number: int) -> None:
            if number == BREAKS:
                resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, usual[1]))

        usual = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            night(settings.path, log, between)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        kept = [*disk.folder.glob("*/*.journal"), *(tmp_path / "state").rglob("*.journal")]
        assert len(kept) > 1
        assert main(["replay", "--config", str(settings.path)]) == 0
        report("journal's disk full", counted, log, found := told(settings))
        assert found == sorted(log) and sound(settings)


def test_where_no_disk_has_room_the_pipeline_goes_on_and_is_told_what_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, counted: Counter[str]
) -> None:
    monkeypatch.setattr(bookkeeper, "LONGEST_PAUSE", 0.05)
    with limited_files(tmp_path / "disk") as disk:
        settings = books_on(disk)
        assert settings.path is not None
        usual, log = resource.getrlimit(resource.RLIMIT_FSIZE), Log()

        def between(number: int) -> None:
            limits = {BREAKS: (1, usual[1]), MENDS: usual}
            if number in limits:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits[number])

        night(settings.path, log, between)
        assert len(log) == ITEMS and sound(settings)
        main(["replay", "--config", str(settings.path)])
        found = told(settings)
    assert not Counter(found) - Counter(log)
    lost = len(log) - len(found)
    report("no room anywhere", counted, log, found)
    print(f"{lost} of {ITEMS} items lost, which is told")
    assert "The pipeline goes on" in caplog.text and "could not be kept and are lost" in caplog.text
