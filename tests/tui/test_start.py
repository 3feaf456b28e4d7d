"""What is loaded before the first frame, and what is read after it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from outflow_tui.cli.screen import _opener
from outflow_tui.poller import Poller
from outflow_tui.snapshot import Focus, Snapshot

PROBE = """
import argparse, json, sys
from pathlib import Path
from outflow_tui import terminal
from outflow_tui.app import OutflowApp
from outflow_tui.cli import screen

def begin(app):
    loaded = {name.partition(".")[0] for name in sys.modules}
    app.exit()
    Path(sys.argv[2]).write_text(json.dumps([sorted(loaded), app._sources[0].name]))

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
    assert set(loaded) & {"sqlalchemy", "alembic", "yaml", "psycopg2", "markdown_it", "tomllib"} == set()


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
