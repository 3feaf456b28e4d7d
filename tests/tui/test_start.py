"""What is loaded before the first frame, and what is read after it."""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from outflow_core.errors import SourceError
from outflow_tui import start
from outflow_tui.app import OutflowApp
from outflow_tui.cli import main
from outflow_tui.cli.screen import _opener
from outflow_tui.lookout import Watched
from outflow_tui.poller import Poller
from outflow_tui.snapshot import Focus, Snapshot
from tests.tui.desk import sitting
from tests.tui.story import FakeSource

PROBE = """
import argparse, json, sys
from pathlib import Path
from outflow_tui import terminal
from outflow_tui.app import OutflowApp
from outflow_tui.cli import screen

def begin(app):
    loaded = {name.partition(".")[0] for name in sys.modules}
    app.exit()
    Path(sys.argv[2]).write_text(json.dumps([sorted(loaded), app._lookout.names[0]]))

terminal.watch_terminal = lambda leave: None
OutflowApp._start = begin
OutflowApp.run = lambda app, run=OutflowApp.run: run(app, headless=True)
sys.stdout.isatty = sys.stdin.isatty = lambda: True
screen.show_screen(argparse.Namespace(sources=[sys.argv[1]], config=None, every=None, copy=False))
"""


def test_the_first_frame_waits_for_no_database_and_no_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("databases: {default: {dialect: sqlite, path: books.db}}\n")
    told = tmp_path / "told.json"
    subprocess.run([sys.executable, "-c", PROBE, config, told], capture_output=True, timeout=60, check=True)
    loaded, name = json.loads(told.read_text())
    assert "textual" in loaded and name.endswith("config.yml")
    unwanted = {"sqlalchemy", "alembic", "yaml", "psycopg2", "markdown_it", "tomllib", "hashlib", "statistics"}
    assert set(loaded) & unwanted == set()


def test_a_broken_configuration_is_told_on_the_screen_and_read_again(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("databases: {default: [}\n")
    poller = Poller("config.yml", _opener(argparse.Namespace(copy=False), str(config)), lambda seen: None)
    seen: Snapshot = poller.poll_once()
    assert seen.error is not None and f"{config}:1:" in seen.error
    config.write_text("databases: {default: {dialect: sqlite, path: books.db}}\n")
    assert "books.db: no such file" in (poller.poll_once().error or "")


def test_a_fault_of_the_program_is_told_on_the_screen_and_does_not_end_the_reading(tmp_path: Path) -> None:
    class Faulty:
        def look(self, focus: Focus) -> Snapshot:
            raise KeyError("password=hunter2")

        def close(self) -> None:
            pass

    seen = Poller("config.yml", Faulty, lambda seen: None).poll_once()
    assert seen.error is not None and seen.error.startswith(
        "config.yml: cannot be understood (KeyError at test_start.py:"
    )
    assert "please report it" in seen.error and "hunter2" not in seen.error
    assert seen.retry_seconds == 2.0


class Silent:
    """A source that never answers: it hangs in a server that is away, until it is closed."""

    def __init__(self) -> None:
        self.is_over = threading.Event()

    def look(self, focus: Focus) -> Snapshot:
        self.is_over.wait(10)
        raise SourceError("gone")

    def close(self) -> None:
        """Nothing to give up."""


def unreadable() -> FakeSource:
    source = FakeSource()
    source.error = "Cannot read the books"
    return source


@pytest.fixture
def starting() -> Iterator[None]:
    start.begin()
    yield
    start.over()


@pytest.mark.usefixtures("starting")
@pytest.mark.parametrize("source", [FakeSource(), unreadable()], ids=["read", "unreadable"])
async def test_garbage_is_collected_again_once_a_source_has_answered_or_failed(source: FakeSource) -> None:
    assert not gc.isenabled()
    async with sitting(source) as desk:
        await desk.until(gc.isenabled, "garbage is not collected")


@pytest.mark.usefixtures("starting")
async def test_garbage_is_collected_again_though_no_source_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outflow_tui.app.LONGEST_START", 0.05)
    silent = Silent()
    app = OutflowApp([Watched("silent", lambda: silent)])
    async with app.run_test() as pilot:
        while not gc.isenabled():
            await pilot.pause(0.02)
        assert not app.seen[0].is_read
        silent.is_over.set()


def test_garbage_is_collected_again_after_a_command_and_after_its_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man"]) == 0 and gc.isenabled()
    assert main(["runs", "-s", "nowhere.db"]) == 2 and gc.isenabled()
    with pytest.raises(SystemExit):
        main(["--version"])
    assert gc.isenabled()
