"""A SQLite file of books breaks while a pipeline is recorded into it: what is kept, and what nobody can keep."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from outflow_core.db_cli import main
from outflow_core.settings import Settings
from tests.core.books import SQLITE, configure, kill_a_writer, make_tables
from tests.faults import files_broken as files
from tests.faults.files_broken import Breaks
from tests.faults.nights import BREAKS, ITEMS, LONGEST_STEP, MENDS, Log, night, report, told, tried
from tests.faults.nights import counted as counted
from tests.faults.nights import quick as quick
from tests.faults.rights import no_special_rights


@pytest.fixture
def books(tmp_path: Path) -> Settings:
    """Empty books in a folder of their own, with a configuration beside it."""
    (tmp_path / "kept").mkdir()
    settings = configure(tmp_path, {"default": {"dialect": SQLITE, "path": "kept/books.db"}})
    make_tables(settings.database())
    return settings


def place(books: Settings) -> tuple[Path, Path]:
    """The configuration and the file."""
    file = books.database().path
    assert books.path is not None and file is not None
    return books.path, file


@contextmanager
def read_only(file: Path) -> Iterator[None]:
    """The file and its directory may not be written any more."""
    file.chmod(0o400)
    file.parent.chmod(0o500)
    yield
    file.parent.chmod(0o700)
    file.chmod(0o600)


@contextmanager
def other_books(file: Path) -> Iterator[None]:
    """Other books are renamed over the file; it comes back."""
    away = file.with_name("away")
    away.hardlink_to(file)
    other = file.with_name("other.db")
    make_tables(configure(file.parent, {"default": {"dialect": SQLITE, "path": "other.db"}}).database())
    other.replace(file)
    yield
    away.replace(file)


@contextmanager
def copy_of_itself(file: Path) -> Iterator[None]:
    """A copy that was made by SQLite just before is renamed over it, for good."""
    copy = file.with_name("copy.db")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])
    copy.replace(file)
    yield


@contextmanager
def torn(file: Path) -> Iterator[None]:
    """Another writer is killed amid a transaction: what it had written is undone by the next entry."""
    kill_a_writer(file)
    yield


@contextmanager
def without_configuration(file: Path) -> Iterator[None]:
    """The configuration is removed; whoever replays needs it again."""
    with files.deleted(file.parent.parent / "config.json"):
        yield


FAULTS_THAT_HOLD: dict[str, Breaks] = {
    "SQLite file deleted": files.deleted,
    "SQLite file truncated to 0 bytes": files.to_bytes(0),
    "SQLite file truncated to some pages": files.to_bytes(4 * files.PAGE),
    "SQLite file overwritten with text": files.spoiled(lambda file: file.write_text("no books\n" * 9999)),
    "directory of the SQLite file moved away": files.folder_moved,
    "other books renamed over the SQLite file": other_books,
    "SQLite file and its directory read-only": read_only,
    "SQLite file locked for longer than the recorder waits": files.locked,
    "table of the SQLite file dropped": files.by_sql("DROP TABLE outflow_block"),
}
"""Each for a while, and beyond the end of the run."""
BRIEF_FAULTS: dict[str, Breaks] = {
    "copy of the SQLite file renamed over it, for good": copy_of_itself,
    "hot journal of somebody who was killed": torn,
    "configuration removed": without_configuration,
}
CASES = [
    *((name, until) for name in FAULTS_THAT_HOLD for until in (MENDS, ITEMS)),
    *((name, MENDS) for name in BRIEF_FAULTS),
]


def is_sound(file: Path) -> bool:
    """Whether SQLite finds nothing wrong with a file."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize(("name", "until"), CASES, ids=str)
def test_nothing_is_lost_when_the_file_breaks(books: Settings, name: str, until: int, counted: Counter[str]) -> None:
    config, file = place(books)
    breaks = {**FAULTS_THAT_HOLD, **BRIEF_FAULTS}[name]
    with no_special_rights():
        log, longest = tried(config, lambda: breaks(file), until)
        assert main(["replay", "--config", str(config)]) == 0
    report(f"{name} until item {until}", counted, log, found := told(books))
    assert found == sorted(log) and longest < LONGEST_STEP and is_sound(file)
    assert counted["held"] or name in BRIEF_FAULTS


def test_what_follows_on_books_that_were_made_anew_waits_until_the_old_ones_are_back(
    books: Settings, counted: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The new ones hold no such run; nobody else knows its beginning."""
    config, file = place(books)
    log, fault = Log(), other_books(file)

    def between(number: int) -> None:
        if number == BREAKS:
            fault.__enter__()

    night(config, log, between)
    assert main(["replay", "--config", str(config)]) != 0
    said = capsys.readouterr()
    assert "it must have begun before" in said.out + said.err and not counted["replayed"]
    fault.__exit__(None, None, None)
    assert main(["replay", "--config", str(config)]) == 0
    assert told(books) == sorted(log)


def test_what_was_recorded_since_a_copy_that_is_put_back_is_gone_with_the_file_and_nothing_else(
    books: Settings, counted: Counter[str]
) -> None:
    """The recorder had written it; the copy is written into the very file that it has open."""
    config, file = place(books)
    log, copies = Log(), list[bytes]()

    def between(number: int) -> None:
        if number == BREAKS:
            copies.append(file.read_bytes())
        elif number == MENDS:
            file.write_bytes(*copies)

    night(config, log, between)
    report("an older copy put back", counted, log, found := told(books))
    assert found == sorted(entry for entry in log if not BREAKS <= entry[0] < MENDS) and is_sound(file)
