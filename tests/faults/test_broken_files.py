"""A SQLite file breaks while the program watches it: what the screen says, and that it comes back by itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from outflow_core import sqlite_file
from outflow_tui.cli import main
from tests.faults import files_broken as files
from tests.faults.leftovers import held
from tests.faults.rights import no_special_rights
from tests.faults.table import Fault
from tests.faults.watching import tells, watching
from tests.fixtures import copy_of

GONE = "outflow.db: no such file; it was moved or deleted, or never made."
EMPTY = "outflow.db: the file is empty (0 bytes), no tables were made in it yet; run 'outflow-db upgrade', …"
DAMAGED = "outflow.db: the file is damaged (SQLite: database disk image is malformed); restore it, or try --copy."
NO_DATABASE = "outflow.db: not a SQLite database; name a config file, a database or a URL."
OTHER_TABLES = "outflow.db: the tables are not those of Outflow 0.7 to 0.9: {}; wait if it is being upgraded, else …"
OLDER = "outflow.db: made by Outflow 0.6, whose tables this program does not know; …: name a newer database."
NEWER = (
    "outflow.db: outflow_run 28: unknown state 'paused'; a newer version's (look for a newer outflow-tui), or the row "
    "is damaged."
)
KILLED = (
    "outflow.db: a writer was killed in the middle of a change and left a journal; the next write of its owner "
    "repairs it. Until then look at a private copy with --copy."
)
WAL_ALONE = (
    "outflow.db: its -wal file holds changes that cannot be read without writing beside it (its writer was killed, or "
    "it was copied by hand); look at a private copy with --copy."
)
BACK = "when it is put back"
AGAIN = "when its content is restored"


def is_no_file(what: str) -> str:
    """What is said of something else in its place."""
    return f"outflow.db: is a {what}, no file; put the database back, or name another."


FILE_FAULTS = (
    Fault("a SQLite file is deleted", GONE, "when a file is made there anew", files.deleted),
    Fault("its directory is moved away", GONE, "when the directory is back", files.folder_moved),
    Fault(
        "its directory may not be entered",
        "outflow.db: cannot be looked at: the directory … may not be entered; ask its owner for the right.",
        "when it may be",
        files.folder_closed,
    ),
    Fault(
        "a file that may not be read is in its place",
        "outflow.db: cannot be read: Permission denied; ask its owner for the right.",
        BACK,
        files.instead(files.unreadable),
    ),
    Fault("a file of 0 bytes is in its place", EMPTY, BACK, files.instead(Path.touch)),
    Fault("a text is in its place", NO_DATABASE, BACK, files.instead(lambda file: file.write_text("no books\n" * 999))),
    Fault("a directory is in its place", is_no_file("directory"), BACK, files.instead(Path.mkdir)),
    Fault("a named pipe is in its place", is_no_file("named pipe"), BACK, files.instead(os.mkfifo)),
    Fault(
        "a dangling link is in its place",
        "outflow.db: a link to nowhere.db, where no file is; mend the link, or name another database.",
        BACK,
        files.instead(lambda file: file.symlink_to("nowhere.db")),
    ),
    Fault(
        "a link to itself is in its place",
        "outflow.db: cannot be looked at: Too many levels of symbolic links.",
        BACK,
        files.instead(lambda file: file.symlink_to(file)),
    ),
    Fault(
        "a database of Outflow 0.6 is in its place",
        OLDER,
        BACK,
        files.instead(lambda file: shutil.copyfile(files.OLD, file)),
    ),
    Fault(
        "a copied database with a -wal file is in its place",
        WAL_ALONE,
        BACK,
        files.wal_alone,
    ),
    Fault("the file is truncated to 0 bytes", EMPTY, AGAIN, files.to_bytes(0)),
    Fault("the file is truncated to 10 bytes", NO_DATABASE, AGAIN, files.to_bytes(10)),
    Fault("the file is truncated to its header", DAMAGED, AGAIN, files.to_bytes(100)),
    Fault("the file is truncated to some pages", DAMAGED, AGAIN, files.to_bytes(20 * files.PAGE)),
    Fault("the file is overwritten with random bytes, page for page", DAMAGED, AGAIN, files.spoiled(files.scribble)),
    Fault(
        "the file is overwritten with text",
        NO_DATABASE,
        AGAIN,
        files.spoiled(lambda file: file.write_text("no books\n" * 999)),
    ),
    Fault(
        "the file is overwritten with a database of Outflow 0.6",
        OLDER,
        AGAIN,
        files.spoiled(lambda file: shutil.copyfile(files.OLD, file)),
    ),
    Fault(
        "a writer holds the file for long",
        "outflow.db: locked by a writer; it can be read again once that is done.",
        "when the writer is done",
        files.locked,
    ),
    Fault("a writer was killed and left a hot journal", KILLED, "with the next write", files.torn),
    Fault(
        "a table is dropped",
        OTHER_TABLES.format("outflow_block is missing"),
        AGAIN,
        files.by_sql("DROP TABLE outflow_block"),
    ),
    Fault(
        "a column is renamed",
        OTHER_TABLES.format("outflow_run.state is missing"),
        AGAIN,
        files.by_sql("ALTER TABLE outflow_run RENAME COLUMN state TO status"),
    ),
    Fault(
        "a newer program writes a state that is not known",
        NEWER,
        "with a newer outflow-tui, or when the state is another",
        files.by_sql("UPDATE outflow_run SET state = 'paused' WHERE id = 28"),
    ),
)
QUIET_FAULTS = (
    Fault(
        "a newer schema: more tables and columns",
        "",
        "nothing to come back from",
        files.by_sql("ALTER TABLE outflow_run ADD COLUMN mood TEXT", "CREATE TABLE outflow_mood (id int)"),
        "the runs, as before",
    ),
    Fault(
        "`outflow-db upgrade` while it is watched",
        "",
        "nothing to come back from",
        files.upgraded,
        "the runs, as before",
    ),
    Fault(
        "a value of the wrong kind stands in a column",
        "",
        "nothing to come back from",
        files.by_sql("UPDATE outflow_block SET run_id = 'x' WHERE id = 60"),
        "the runs, as before",
    ),
    Fault("another database is renamed over the file", "", "at the next look", files.replaced, "the runs of that one"),
)
FAULTS = FILE_FAULTS + QUIET_FAULTS


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database that real Outflow wrote, seen from where one stands as `kinds/outflow.db`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.2)
    return copy_of("kinds", tmp_path) / "outflow.db"


def add_run(file: Path, command: str) -> None:
    """Somebody writes a run, as soon as he can."""
    columns, values = "uuid, state, configuration_id, command_name", f"hex(randomblob(16)), 'success', 1, '{command}'"
    files.execute(file, (f"INSERT INTO outflow_run ({columns}) VALUES ({values})",))


@pytest.mark.parametrize("fault", FILE_FAULTS, ids=str)
async def test_the_screen_tells_what_broke_keeps_what_was_seen_and_comes_back(fault: Fault, file: Path) -> None:
    with no_special_rights():
        async with watching("kinds/outflow.db") as desk:
            await desk.sees("bad_setup")
            before = held()
            with fault.breaks(file):
                await tells(desk, fault)
                assert "Shown is" in " ".join(desk.text().split()) and "bad_setup" in desk.text()
            add_run(file, "mended")
            await desk.sees("11 success")
            await desk.misses("Since")
            assert not held() - before


@pytest.mark.parametrize("fault", QUIET_FAULTS, ids=str)
async def test_what_is_no_trouble_is_not_called_one(fault: Fault, file: Path) -> None:
    async with watching("kinds/outflow.db") as desk:
        await desk.sees("bad_setup")
        with fault.breaks(file):
            add_run(file, "another")
            await desk.sees("11 success")
            assert "Since" not in desk.text()
            await desk.press("home")
            await desk.sees("another")


@pytest.mark.parametrize("fault", FILE_FAULTS[:-1], ids=str)
def test_the_command_line_tells_it_on_one_line(fault: Fault, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with no_special_rights(), fault.breaks(file):
        for words in (["runs"], ["show", "last"]):
            status = main([*words, "-s", str(file)])
            answer = capsys.readouterr()
            said = answer.err.splitlines()
            assert (status, answer.out, len(said)) == (2, "", 1), answer
            assert said[0].startswith("outflow-tui: ") and str(file) in said[0] and said[0].endswith(".")
