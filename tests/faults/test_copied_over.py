"""Another database is copied into the file that is watched, and SQLite cannot tell it from the one before."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from outflow_core.reader import Reader
from outflow_core.sources import find_database
from tests.faults.files_broken import execute
from tests.faults.table import Fault
from tests.faults.watching import has_read, watching
from tests.fixtures import copy_of

COUNTERS = slice(24, 40)
"""Where a file tells of its last change, its pages and its free pages, by which SQLite knows it again."""


@contextmanager
def copied_over(file: Path) -> Iterator[None]:
    """As `cp` does, with one write: both have seen as many changes."""
    other = file.with_name("other.db")
    shutil.copyfile(file, other)
    execute(other, ("UPDATE outflow_run SET command_name = 'another'",))
    execute(file, ("UPDATE outflow_run SET hostname = 'elsewhere'",))
    time.sleep(0.5)  # that is seen
    assert file.read_bytes()[COUNTERS] == other.read_bytes()[COUNTERS]
    with file.open("r+b", buffering=0) as written:
        written.write(other.read_bytes())
    yield


FAULTS = (
    Fault(
        "another database with the same change counter is copied into the file",
        "",
        "at the next look",
        copied_over,
        "the runs of that one",
    ),
)


async def test_a_copy_that_sqlite_cannot_tell_from_the_file_before_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = copy_of("kinds", tmp_path) / "outflow.db"
    async with watching(str(file)) as desk:
        await has_read(desk)
        with FAULTS[0].breaks(file):
            await desk.sees("another")


WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 10")
print(flush=True)
for number in range(100_000):
    connection.execute("BEGIN")
    values = "NULL, hex(randomblob(20000)), '{}', hex(randomblob(16))"
    connection.execute(f"INSERT INTO outflow_configuration SELECT {values}")
    connection.execute("COMMIT")
    time.sleep(0.01)
"""


def test_commits_are_no_other_file(tmp_path: Path) -> None:
    """Also those that write pages before they end, while it is looked all the time."""
    file = copy_of("kinds", tmp_path) / "outflow.db"
    reader = Reader(find_database(str(file)))
    pulses = {reader.pulse()}
    first = reader.identity
    with subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            pulses.add(reader.pulse())
            reader.has_processes()
            assert reader.identity == first
            time.sleep(0.001)
        child.kill()
    reader.close()
    assert len(pulses) > 5
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM outflow_configuration").fetchone()[0] > 10
