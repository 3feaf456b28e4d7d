"""An owner in WAL mode commits, closes and comes back all the time while a source looks all the time."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

from outflow_core.errors import SourceError
from outflow_core.sources import find_database
from outflow_tui.snapshot import Focus
from outflow_tui.source import BooksSource
from tests.fixtures import copy_of
from tests.tally import Tally, soak_factor

SECONDS = 3.0 * soak_factor()
PAUSE = 0.003
"""Seconds between two looks: many times as often as the program looks."""
OWNER = """
import json, os, random, sqlite3, sys, time
file, until = sys.argv[1], time.monotonic() + float(sys.argv[2])
told = {"commits": 0, "failed": 0, "closed": 0, "left": 0}
while time.monotonic() < until:
    owner = sqlite3.connect(file, timeout=5, isolation_level=None)
    for _ in range(random.randrange(1, 6)):
        try:
            owner.execute("UPDATE outflow_run SET command_name = ? WHERE id = 28", [str(told["commits"] + 1)])
            told["commits"] += 1
        except sqlite3.OperationalError:
            told["failed"] += 1
        time.sleep(random.uniform(0, 0.004))
    owner.close()
    told["closed"] += 1
    told["left"] += os.path.exists(f"{file}-wal")
    time.sleep(random.uniform(0, 0.01))
print(json.dumps(told))
"""


class Looking(threading.Thread):
    """A source that looks as long as it may; what it could not read is counted."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.source = BooksSource(find_database(str(file)))
        self.looks, self.refused = 0, list[str]()
        self.ended = threading.Event()

    def run(self) -> None:
        """Look, again and again."""
        while not self.ended.wait(PAUSE):
            try:
                self.source.look(Focus())
            except SourceError as error:
                self.refused.append(str(error))
            self.looks += 1


def test_no_commit_fails_and_none_is_lost_while_an_owner_in_wal_mode_comes_and_goes(
    tmp_path: Path, tally: Tally
) -> None:
    file = copy_of("kinds", tmp_path) / "outflow.db"
    with closing(sqlite3.connect(file)) as made:
        made.execute("PRAGMA journal_mode = wal")
    looking = Looking(file)
    looking.start()
    try:
        command = [sys.executable, "-c", OWNER, str(file), str(SECONDS)]
        told = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=SECONDS + 60).stdout)
    finally:
        looking.ended.set()
        looking.join()
    (newest,) = looking.source.look(Focus()).runs[:1]
    looking.source.close()
    tally("commits of an owner in WAL mode that comes and goes", told["commits"])
    tally("looks at it meanwhile", looking.looks)
    tally("looks at it that could not be read", len(looking.refused))
    tally("times that it closed the file", told["closed"])
    tally("times that it left a -wal when it closed", told["left"])
    assert told["failed"] == 0 and looking.looks > 20
    assert all("its -wal file holds changes" in words for words in looking.refused), looking.refused
    with closing(sqlite3.connect(file)) as last:
        kept = last.execute("SELECT command_name FROM outflow_run WHERE id = 28").fetchone()
        assert last.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert kept == (newest.row.command,) == (str(told["commits"]),)
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(file.name)] == [file.name]
