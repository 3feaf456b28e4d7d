"""The demonstration: what it shows, and that nothing stays behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.terminal import MONITOR, Terminal

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"
PATIENCE = 60.0


def left_behind(folder: Path) -> list[str]:
    """What the demonstration left of its directory."""
    return [path.name for path in folder.iterdir() if path.name.startswith("outflow-")]


def is_alive(folder: Path) -> list[str]:
    """The processes that still have to do with a directory."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]


def until_gone(folder: Path) -> None:
    waited = 0.0
    while left_behind(folder) or is_alive(folder):
        time.sleep(0.1)
        waited += 0.1
        assert waited < PATIENCE, (left_behind(folder), is_alive(folder))


def test_without_a_terminal_it_prints_the_runs_and_leaves_nothing(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text("databases: {default: {dialect: sqlite, path: mine.db}}\n")
    environment = os.environ | {
        "TMPDIR": str(tmp_path),
        "OUTFLOW_CONFIG_PATH": str(mine),
        "PIPELINE_ROOT_DIRECTORY": str(tmp_path),
    }
    answer = subprocess.run(
        [sys.executable, DEMO], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    states = [line.split()[1].rstrip(",") for line in answer.stdout.splitlines() if "reduce_night" in line]
    assert states == ["running", "failed", "success", "success"]
    until_gone(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yml"]


@pytest.mark.parametrize("end", ["q", "window closed", "signal", "signal ignored, window closed"])
def test_it_leaves_nothing_whichever_way_it_ends(end: str, tmp_path: Path) -> None:
    before = deaf if end.startswith("signal ignored") else None
    with closing(Terminal([sys.executable, str(DEMO)], before=before, TMPDIR=str(tmp_path))) as terminal:
        terminal.sees("PROGRESS")
        if end == "q":
            terminal.press("q")
        else:
            if end == "signal":
                os.kill(terminal.pid, signal.SIGTERM)
            terminal.hang_up()
        terminal.ends()
    until_gone(tmp_path)


def deaf() -> None:
    """Whoever does this does not hear that its terminal is gone."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.4, 0.8])
def test_a_terminal_lost_at_any_moment_ends_the_monitor(seconds: float, tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("databases: {default: {dialect: sqlite, path: outflow.db}}\n")
    with closing(Terminal([*MONITOR, str(tmp_path)], before=deaf)) as terminal:
        assert terminal.read(PATIENCE)
        time.sleep(seconds)
        terminal.hang_up()
        terminal.ends()
