"""What the real program writes to a real terminal."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime
from pathlib import Path

from outflow_core import run_queries
from outflow_core.reader import Reader
from outflow_core.schema.upgrades import upgrade
from outflow_core.settings import Settings
from tests.core.books import configure, running
from tests.fixtures import copy_of
from tests.terminal import Terminal, monitor


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    folder = copy_of("kinds", tmp_path)
    with monitor(str(folder), "--every", "0.2") as seat:
        seat.sees("bad_setup")
        seat.comes(2.0)
        assert seat.comes(5.0) == b""
        seat.press("\r")
        seat.sees("run 28")
        seat.comes(2.0)
        assert seat.comes(5.0) == b""


def test_the_timeline_of_a_run_in_which_nothing_happens_is_silent(tmp_path: Path) -> None:
    with monitor(str(copy_of("killed", tmp_path)), "--every", "0.2") as seat:
        seat.sees("silent")
        seat.press("\r")
        seat.sees("failures")
        seat.press("3")
        seat.sees("at once")
        seat.comes(2.0)
        assert seat.comes(5.0) == b""


def test_what_is_typed_in_one_go_behind_the_slash_reaches_the_filter(tmp_path: Path) -> None:
    with monitor(str(copy_of("kinds", tmp_path))) as seat:
        seat.sees("bad_setup")
        seat.press("/command:skips")
        seat.sees("1 of 28")


def test_no_sequence_from_the_books_reaches_the_terminal(tmp_path: Path) -> None:
    with monitor(str(copy_of("kinds", tmp_path)), "--every", "0.2") as seat:
        seat.sees("bad_setup")
        seat.press("/command:ansi")
        seat.sees("1 of 28")
        seat.press("\r")
        shown = seat.comes(1.0)
        seat.press("\r")
        seat.sees("ValueError")
        shown += seat.comes(1.0)
        seat.press("\r")
        shown += seat.comes(2.0)
        assert b"\\e" in shown
        assert b"\x1b]0;" not in shown
        assert b"\x07" not in re.sub(rb"\x1b\]22;[a-z]+\x07", b"", shown)  # the shape of the mouse pointer is Textual's


def test_the_program_ends_though_its_terminal_takes_nothing_and_gives_it_back(tmp_path: Path) -> None:
    with monitor(str(copy_of("kinds", tmp_path))) as seat:
        seat.sees("bad_setup")
        for number in range(60):  # slowly enough for a frame each
            seat.press("Gg"[number % 2 :][:1])
            time.sleep(0.03)
        seat.press("\x11")
        os.waitid(os.P_PID, seat.pid, os.WEXITED | os.WNOWAIT)
        shown = len(seat.written)
        seat.ends()
        left = seat.written[shown:]
        assert b"\x1b[?1049l\x1b[?25h" in left[-200:]
        assert len(left) < 8_000, "what nobody will see is thrown away"


def test_the_terminal_is_asked_how_far_it_has_come_and_its_answers_are_no_keys(tmp_path: Path) -> None:
    with monitor(str(copy_of("kinds", tmp_path))) as seat:
        seat.sees("bad_setup")
        for _ in range(5):
            seat.press("/ansi")
            seat.sees("1 of 28")
            seat.press("\x1b")
            seat.sees("nested_ok")
            seat.settles()
            seat.press("?q")
            seat.settles()
        asked = seat.glass.asked
        assert asked >= 5
        seat.press("\x11")
        seat.ends()
        assert seat.glass.asked == asked, "an answer that comes later would be typed into the shell"


def test_the_program_ends_while_a_screen_is_opened(tmp_path: Path) -> None:
    with monitor(str(copy_of("kinds", tmp_path))) as seat:
        seat.sees("bad_setup")
        seat.press("?q" * 5 + "?\x11")
        seat.ends()
        assert b"NoMatches" not in seat.written


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


def is_quiet_while_it_beats(settings: Settings, seat: Terminal) -> bool:
    """Whether nothing was written for a while in which beats came; a busy disk can make the reader complain."""
    before = latest_beat(settings)
    told = seat.comes(3.0)
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
    with running(BEATS, settings.path) as child, monitor(str(settings.path), "--every", "0.2") as seat:
        seat.sees("beats")
        seat.comes(2.0)
        assert any(is_quiet_while_it_beats(settings, seat) for _ in range(5)), "each beat is written"
        child.kill()
        seat.sees("gone")
