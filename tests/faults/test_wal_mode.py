"""A watched SQLite file in WAL mode: its owner comes and goes, and nothing of the monitor's keeps a -wal beside it."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from outflow_core.read_gate import GATE
from tests.faults.leftovers import held
from tests.faults.table import Fault
from tests.faults.watching import has_read, watching
from tests.fixtures import copy_of

ANOTHER = "UPDATE outflow_run SET command_name = 'another' WHERE id = 28"


@contextmanager
def owned(file: Path, statement: str) -> Iterator[None]:
    """Its owner has it open in WAL mode with a change in the -wal, and closes it in the end."""
    owner = sqlite3.connect(file, isolation_level=None)
    owner.execute("PRAGMA journal_mode = wal")
    owner.execute(statement)
    assert file.with_name(f"{file.name}-wal").stat().st_size
    yield
    while not closes_between_looks(owner, file):
        time.sleep(0.01)


def closes_between_looks(owner: sqlite3.Connection, file: Path) -> bool:
    """Close it, unless somebody else in this process has its -wal open: that is what cannot be excluded."""
    with GATE.closed(5.0):
        if held()[f"file {file}-wal"] > 1:
            return False
        owner.close()
        return True


@contextmanager
def closed(file: Path) -> Iterator[None]:
    """Its owner was there, and has gone."""
    with owned(file, ANOTHER):
        pass
    yield


@contextmanager
def copied_over(file: Path) -> Iterator[None]:
    """Another file that its owner closed in WAL mode is written into this one."""
    other = shutil.copyfile(file, file.with_name("other.db"))
    with closing(sqlite3.connect(other, isolation_level=None)) as owner:
        owner.execute("PRAGMA journal_mode = wal")
        owner.execute(ANOTHER)
    with GATE.closed(5.0):  # amid a read SQLite would open a -wal for it
        file.write_bytes(other.read_bytes())
    other.unlink()
    yield


NOTHING = "nothing to come back from"
FAULTS = (
    Fault(
        "a file comes to WAL mode while it is watched",
        "",
        NOTHING,
        lambda file: owned(file, ANOTHER),
        "what its -wal holds",
    ),
    Fault("its owner closes it in WAL mode", "", NOTHING, closed, "the runs, as before; nothing stands beside it"),
    Fault(
        "a file that was closed in WAL mode is copied over it",
        "",
        "at the next look",
        copied_over,
        "the runs of that one; nothing stands beside it",
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_books_in_wal_mode_are_followed_and_left_whole(fault: Fault, tmp_path: Path) -> None:
    file = copy_of("kinds", tmp_path) / "outflow.db"
    async with watching(str(file)) as desk:
        await desk.sees("bad_setup")
        await has_read(desk)
        with fault.breaks(file):
            await desk.sees("another")
            assert "Since" not in desk.text()
        assert in_the_file(file) == "another"
        with owned(file, "UPDATE outflow_run SET command_name = 'later' WHERE id = 28"):
            await desk.sees("later")
        await desk.press("r")
        await has_read(desk)
        assert in_the_file(file) == "later"
    assert in_the_file(file) == "later"


def in_the_file(file: Path) -> str:
    """The command of a run as a copy of the file alone has it; nothing stands beside it."""
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(file.name)] == [file.name]
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as bare:
        found: str = bare.execute("SELECT command_name FROM outflow_run WHERE id = 28").fetchone()[0]
    return found
