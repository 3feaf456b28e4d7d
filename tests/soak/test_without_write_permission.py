"""Every screen of books that one may only read: nothing is written, nothing is made, the owner goes on writing."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.soak.rights import belongs_to_another, give_up_rights, may_write, read_only_mount
from tests.soak.terminals import MONITOR, ROOT, monitor
from tests.soak.tours import FEW, tour, unseen
from tests.tally import Tally


@pytest.fixture
def folder(pipeline: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the books and their configuration."""
    place = tmp_path / "theirs"
    place.mkdir()
    for path in (pipeline / "outflow.db", pipeline / "config.yml"):
        (place / path.name).write_bytes(path.read_bytes())
    for parent in (place, *place.parents):
        if parent.stat().st_uid == tmp_path.stat().st_uid and not parent.stat().st_mode & 0o5:
            parent.chmod(0o755)
    yield place
    place.chmod(0o755)


def traces(folder: Path) -> dict[str, tuple[bytes, int]]:
    """What is in a directory, and when it was changed."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def is_watched(folder: Path) -> int:
    """Open every screen, and ask as scripts do, without the right to write; how many screens."""
    asked = [*MONITOR, "runs", "--json", "-s", str(folder)]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, preexec_fn=give_up_rights)
    assert (ran.returncode, ran.stderr) == (0, "") and '"mapped"' in ran.stdout
    with monitor(str(folder), "--every", "0.1", before=give_up_rights) as seat:
        seen = tour(seat)
        assert len(unseen(seen)) <= FEW, unseen(seen)
        return seen.total()


def commits(books: sqlite3.Connection, number: int) -> None:
    """So many changes, each a commit; they wait no longer than Outflow does."""
    for _ in range(number):
        books.execute("UPDATE outflow_block SET hostname = 'n' || (random() & 7) WHERE id = 1")


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_books_at_rest_in_a_directory_of_another_user(folder: Path, mode: str, tally: Tally) -> None:
    with closing(sqlite3.connect(folder / "outflow.db")) as made:
        made.execute(f"PRAGMA journal_mode = {mode}")
    belongs_to_another(folder)
    assert not may_write(folder)
    before = traces(folder)
    tally("screens opened without the right to write", is_watched(folder))
    assert traces(folder) == before


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_the_owner_writes_while_one_watches_who_may_not(folder: Path, mode: str, tally: Tally) -> None:
    with closing(sqlite3.connect(folder / "outflow.db", isolation_level=None, timeout=5)) as theirs:
        theirs.execute(f"PRAGMA journal_mode = {mode}")
        commits(theirs, 1)
        belongs_to_another(folder)
        assert not may_write(folder)
        with monitor(str(folder), "--every", "0.1", before=give_up_rights) as seat:
            files = {path.name for path in folder.iterdir()} - {"outflow.db-journal"}
            commits(theirs, 300)
            seen = tour(seat)
            commits(theirs, 300)
            seat.press("r", "")
        assert len(unseen(seen)) <= FEW, unseen(seen)
        assert {path.name for path in folder.iterdir()} - {"outflow.db-journal"} == files
        assert theirs.execute("PRAGMA journal_mode").fetchone() == (mode,)
        assert theirs.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    tally("commits of an owner beside a reader without rights", 600)


def test_books_on_a_read_only_mount(folder: Path, tmp_path: Path, tally: Tally) -> None:
    """Where nothing may be mounted it is said; the directory of another user is the nearest there is."""
    with read_only_mount(folder, tmp_path / "mount") as mounted:
        if mounted is None:
            pytest.skip("nothing may be mounted here: see the tests with a directory of another user")
        before = traces(mounted)
        tally("screens opened on a read-only mount", is_watched(mounted))
        assert traces(mounted) == before
