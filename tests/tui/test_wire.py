"""What the real program writes to a real terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from benchmarks.glass import Glass
from outflow_core import run_queries
from outflow_core.reader import Reader
from outflow_core.schema.upgrades import upgrade
from outflow_core.settings import Settings
from tests.core.books import configure, running
from tests.fixtures import copy_of

PATIENCE = 60.0


class Line(int):
    """The file of a program's terminal, what it shows, and the program."""

    glass: Glass
    process: int


@contextmanager
def terminal(*words: str) -> Iterator[Line]:
    """The program in a pseudo-terminal of 80x24; ended at the end."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        os.execv(sys.executable, [sys.executable, "-m", "outflow_tui.cli", *words])
    line = Line(master)
    line.glass, line.process = Glass(80, 24), pid
    try:
        yield line
    finally:
        os.close(master)
        os.waitpid(pid, 0)


def written(master: Line, seconds: float) -> bytes:
    """What comes within some time."""
    found, until = b"", time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([master], [], [], left)[0]:
            piece = os.read(master, 65536)
            master.glass.feed(piece)
            found += piece
    return found


def wait_for(master: Line, words: bytes) -> None:
    """Read until words stand on a line of the terminal."""
    until = time.monotonic() + PATIENCE
    while not any(words.decode() in shown for shown in master.glass.lines()):
        written(master, 0.2)
        assert time.monotonic() < until, "\n".join(master.glass.lines())


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    folder = copy_of("kinds", tmp_path)
    with terminal(str(folder), "--every", "0.2") as master:
        wait_for(master, b"bad_setup")
        written(master, 2.0)
        assert written(master, 5.0) == b""
        os.write(master, b"\r")
        wait_for(master, b"run 28")
        written(master, 2.0)
        assert written(master, 5.0) == b""


def test_the_timeline_of_a_run_in_which_nothing_happens_is_silent(tmp_path: Path) -> None:
    with terminal(str(copy_of("killed", tmp_path)), "--every", "0.2") as master:
        wait_for(master, b"silent")
        os.write(master, b"\r")
        wait_for(master, b"failures")
        os.write(master, b"3")
        wait_for(master, b"at once")
        written(master, 2.0)
        assert written(master, 5.0) == b""


def test_what_is_typed_in_one_go_behind_the_slash_reaches_the_filter(tmp_path: Path) -> None:
    with terminal(str(copy_of("kinds", tmp_path))) as master:
        wait_for(master, b"bad_setup")
        os.write(master, b"/command:skips")
        wait_for(master, b"1 of 28")


def test_no_sequence_from_the_books_reaches_the_terminal(tmp_path: Path) -> None:
    with terminal(str(copy_of("kinds", tmp_path)), "--every", "0.2") as master:
        wait_for(master, b"bad_setup")
        os.write(master, b"/command:ansi")
        wait_for(master, b"1 of 28")
        os.write(master, b"\r")
        shown = written(master, 1.0)
        os.write(master, b"\r")
        wait_for(master, b"ValueError")
        shown += written(master, 1.0)
        os.write(master, b"\r")
        shown += written(master, 2.0)
        assert b"\\e" in shown
        assert b"\x1b]0;" not in shown
        assert b"\x07" not in re.sub(rb"\x1b\]22;[a-z]+\x07", b"", shown)  # the shape of the mouse pointer is Textual's


def test_the_program_ends_though_its_terminal_takes_nothing_and_gives_it_back(tmp_path: Path) -> None:
    with terminal(str(copy_of("kinds", tmp_path))) as master:
        wait_for(master, b"bad_setup")
        for number in range(60):  # slowly enough for a frame each
            os.write(master, b"Gg"[number % 2 :][:1])
            time.sleep(0.03)
        os.write(master, b"\x11")
        os.waitid(os.P_PID, master.process, os.WEXITED | os.WNOWAIT)
        left = b""
        with suppress(OSError):
            while piece := os.read(master, 65536):
                left += piece
        assert b"\x1b[?1049l\x1b[?25h" in left[-200:]
        assert len(left) < 8_000, "what nobody will see is thrown away"


def test_the_program_ends_while_a_screen_is_opened(tmp_path: Path) -> None:
    with terminal(str(copy_of("kinds", tmp_path))) as master:
        wait_for(master, b"bad_setup")
        os.write(master, b"?q" * 5 + b"?\x11")
        ended = b""
        with suppress(OSError):
            while piece := os.read(master, 65536):
                ended += piece
        assert b"NoMatches" not in ended


BEATS = """
import sys, time
from datetime import datetime, timedelta
from pathlib import Path
from sqlalchemy import update
from outflow_core import record_run
from outflow_core.engines import Engines
from outflow_core.heartbeat import heartbeat
from outflow_core.settings import read_settings
from outflow_core.tables import run as runs
settings = read_settings(Path(sys.argv[1]))
engines = Engines(settings)
with record_run("beats", config=settings) as run, heartbeat(engines, "default", run.uuid, seconds=0.1):
    with engines.engine("default").begin() as connection:  # so long ago that its age is told in hours
        connection.execute(update(runs).values(start_time=datetime.now() - timedelta(days=3, minutes=30)))
    print("ready", flush=True)
    time.sleep(1000)
"""


def is_quiet_while_it_beats(settings: Settings, master: Line) -> bool:
    """Whether nothing was written for a while in which beats came; a busy disk can make the reader complain."""
    before = latest_beat(settings)
    told = written(master, 3.0)
    assert latest_beat(settings) > before
    return told == b""


def latest_beat(settings: Settings) -> datetime:
    """When any process was last heard of."""
    reader = Reader(settings.database())
    rows = run_queries.processes(reader, [1])[1]
    reader.close()
    return max(row.last_seen_at for row in rows if row.last_seen_at is not None)


def test_the_beats_of_a_slow_run_are_not_written(tmp_path: Path) -> None:
    settings = configure(tmp_path, {"default": {"dialect": "sqlite", "path": "outflow.db"}})
    upgrade(settings)
    assert settings.path is not None
    with running(BEATS, settings.path) as child, terminal(str(settings.path), "--every", "0.2") as master:
        wait_for(master, b"beats")
        written(master, 2.0)
        assert any(is_quiet_while_it_beats(settings, master) for _ in range(5)), "each beat is written"
        child.kill()
        wait_for(master, b"gone")
