"""Pipelines commit while monitors watch, tour their screens, are suspended, or hang: no commit is lost."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.soak.locks import LockSampler, holders
from tests.soak.suspending import bring_back, shell_with_monitor, suspend
from tests.soak.terminals import MONITOR, ROOT, monitor
from tests.soak.tours import FEW, Step, tour, unseen
from tests.soak.writers import Told, Writer, our_writer, outflow_writer
from tests.tally import Tally, soak_factor

SECONDS = 5.0 * soak_factor()
PAUSE = float(os.environ.get("OUTFLOW_SOAK_PAUSE") or 0.0)
"""Seconds between two commits of a writer."""
PAUSE_OF_SCRIPTS = 0.5
ALONE_SECONDS = 1.0
LONGEST_STOP = 0.5 if soak_factor() == 1 else 8.0
"""Longer than the five seconds that Outflow waits, where there is the time."""

pytestmark = pytest.mark.timeout(300 + 2 * SECONDS)


class Watching:
    """Everything that looks on, in threads; what each did is counted."""

    def __init__(self, folder: Path, goes_on: Callable[[], bool]) -> None:
        self.folder = folder
        self.database = folder / "outflow.db"
        self.goes_on = goes_on
        self.suspensions = self.answers = 0
        self.screens = Counter[Step]()
        self.part_held = 0.0
        self.processes: set[int] = set()
        self.held_while_stopped: list[str] = []

    def tours(self, every: str) -> None:
        """Open every screen in turn."""
        with monitor(str(self.folder), "--every", every) as seat:
            self.processes.add(seat.pid)
            while self.goes_on():
                self.screens.update(tour(seat))

    def is_suspended(self) -> None:
        """Is stopped by Ctrl-Z amid whatever it does, for a while, again and again."""
        with shell_with_monitor(str(self.folder), "--every", "0.2") as (seat, process):
            self.processes.add(process)
            while self.goes_on():
                time.sleep(random.uniform(0, 0.2))
                suspend(seat, process)
                self.suspensions += 1
                if process in holders(self.database):
                    self.held_while_stopped.append(f"suspension {self.suspensions}")
                time.sleep(random.uniform(0, LONGEST_STOP))
                bring_back(seat)

    def hangs_in_its_output(self) -> None:
        """Runs in a terminal that nobody reads."""
        with monitor(str(self.folder)) as seat:
            self.processes.add(seat.pid)
            seat.press("\r", "whole")
            seat.leave_unread()
            while self.goes_on():
                time.sleep(0.1)

    def asks_in_scripts(self) -> None:
        """`runs --json` in a loop, beside a `watch` and a `wait` that go on."""
        name = ["-s", str(self.folder)]
        lasting = [[*MONITOR, "watch", "--every", "0.5", *name], [*MONITOR, "wait", "last", "--every", "0.5", *name]]
        with ExitStack() as stack:
            for command in lasting:
                child = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL))
                stack.callback(child.kill)
                self.processes.add(child.pid)
            while self.goes_on():
                asked = subprocess.run([*MONITOR, "runs", "--json", *name], cwd=ROOT, capture_output=True, check=True)
                assert json.loads(asked.stdout)
                self.answers += 1
                time.sleep(PAUSE_OF_SCRIPTS)


@contextmanager
def watched(watching: Watching) -> Iterator[None]:
    """Five monitors look on in the body, and what is asked in scripts."""
    lookers: Sequence[Callable[[], None]] = (
        lambda: watching.tours("0.5"),
        lambda: watching.tours("1"),
        watching.is_suspended,
        watching.hangs_in_its_output,
        watching.asks_in_scripts,
    )
    with (
        ThreadPoolExecutor(len(lookers)) as pool,
        LockSampler(watching.database, lambda: set(watching.processes)) as locks,
    ):
        ends: list[Future[None]] = [pool.submit(looker) for looker in lookers]
        yield
        for end in ends:
            end.result()
    watching.part_held = locks.held / max(locks.looks, 1)


def finished(writers: Sequence[Writer]) -> list[Told]:
    """What the writers say when they are through."""
    return [writer.told() for writer in writers]


def rows(path: Path) -> dict[str, int]:
    """What is in the books of the blocks that the writers made."""
    books = sqlite3.connect(path)
    counts = {
        f"{name} {state}": number
        for name, state, number in books.execute(
            "SELECT lower(name), state, count(*) FROM outflow_block "
            "WHERE lower(name) IN ('reduce', 'frames') GROUP BY 1, 2"
        )
    }
    counts["exceptions"] = books.execute(
        "SELECT count(*) FROM outflow_runtime_exception WHERE exception_msg LIKE '%no stars'"
    ).fetchone()[0]
    assert books.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert books.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    books.close()
    return counts


def test_no_commit_fails_while_many_watch(pipeline: Path, tally: Tally) -> None:
    alone = finished(
        [outflow_writer(pipeline, "alone", ALONE_SECONDS, PAUSE), our_writer(pipeline, "ours", ALONE_SECONDS, PAUSE)]
    )
    files = {path.name for path in pipeline.iterdir()} | {"beside.json"}
    began = time.monotonic()
    ended = threading.Event()
    watching = Watching(pipeline, lambda: not ended.is_set())
    with watched(watching):
        try:
            told = finished(
                [outflow_writer(pipeline, "beside", SECONDS, PAUSE), our_writer(pipeline, "ours", SECONDS, PAUSE)]
            )
        finally:
            ended.set()
        soaked = time.monotonic() - began
        tally("seconds soaked", soaked)
        tally("commits held", sum(writer.commits for writer in told))
        tally("commits failed", sum(writer.failed for writer in told))
        tally("longest wait of a commit of Outflow, ms", 1000 * told[0].longest, how="max")
        tally("the same without a monitor, ms", 1000 * alone[0].longest, how="max")
        tally("longest wait of two commits of ours, ms", 1000 * told[1].longest, how="max")
    tally("monitors, watch and wait that looked on", len(watching.processes))
    tally("screens opened", watching.screens.total())
    tally("screens of the tour that were never seen", len(unseen(watching.screens)), how="max")
    tally("answers to scripts", watching.answers)
    tally("suspensions by Ctrl-Z", watching.suspensions)
    tally("locks held while suspended", len(watching.held_while_stopped))
    tally("part of the time that a monitor holds a lock, %", 100 * watching.part_held, how="max")
    assert sum(writer.failed for writer in told) == 0, [writer.errors for writer in told]
    assert watching.held_while_stopped == []
    assert len(unseen(watching.screens)) <= FEW, unseen(watching.screens)
    assert watching.suspensions > 1 and watching.answers > 1
    assert {path.name for path in pipeline.iterdir()} == files, "no file was made, and no journal is left"
    found = rows(pipeline / "outflow.db")
    both = [*alone, *told]
    made = sum(writer.blocks for writer in both)
    assert sum(number for name, number in found.items() if name != "exceptions") == made
    assert found["exceptions"] == sum(writer.exceptions for writer in both) == found["reduce failed"]
    assert {name for name in found if "pending" in name or "running" in name} == set()
