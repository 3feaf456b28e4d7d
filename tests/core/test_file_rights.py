"""What the programs write is for its owner only, whatever the umask lets through."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from outflow_core.journal import JournalFile
from outflow_core.sqlite_file import SqliteFile
from outflow_tui.saving import save_new
from tests.core.conftest import FIXTURES


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """The umask that lets everything through."""
    before = os.umask(0)
    yield
    os.umask(before)


def shared(folder: Path) -> list[str]:
    """What lies below a folder and is not the owner's alone."""
    return [str(path) for path in folder.rglob("*") if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_a_journal_and_what_was_refused_and_every_folder_made_for_them(tmp_path: Path) -> None:
    journal = JournalFile.create(tmp_path / "state" / "outflow" / "journal", "books")
    journal.set_aside(b"line", "no reason")
    journal.close()
    assert len(list(tmp_path.rglob("*"))) == 5
    assert shared(tmp_path) == []


def test_what_was_refused_is_not_written_through_a_link(tmp_path: Path) -> None:
    journal = JournalFile.create(tmp_path / "journal", "books")
    (tmp_path / "other").write_text("theirs")
    journal.path.with_suffix(".refused").symlink_to(tmp_path / "other")
    with pytest.raises(OSError):
        journal.set_aside(b"line", "no reason")
    journal.close()
    assert (tmp_path / "other").read_text() == "theirs"


def test_a_private_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = SqliteFile(FIXTURES / "sqlite" / "killed" / "outflow.db", copy=True)
    connection = file.connect()
    assert connection.execute("SELECT count(*) FROM outflow_run").fetchone() and list(tmp_path.glob("*/*"))
    assert shared(tmp_path) == []
    connection.close()
    file.let_go()


def test_a_saved_page(tmp_path: Path) -> None:
    save_new("runs", "txt", "words", tmp_path)
    assert len(list(tmp_path.iterdir())) == 1 and shared(tmp_path) == []
