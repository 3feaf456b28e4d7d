"""What breaks is told on every screen, whatever it shows, and every screen comes back."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from outflow_core import reader, record_run
from outflow_tui import poller, screens
from outflow_tui.screens.books_screen import BooksScreen
from tests.core.books import SQLITE, configure, make_tables
from tests.core.servers import OwnServer
from tests.faults.stage import new_stage
from tests.faults.table import Fault
from tests.faults.test_broken_files import FILE_FAULTS
from tests.faults.test_server import FAULTS as SERVER_FAULTS
from tests.faults.watching import has_read, tells, watching
from tests.tui.desk import Desk

WALK = {
    "RunsScreen": "",
    "RunScreen": "enter",
    "TracebackScreen": "enter",
    "NeighboursScreen": "q u",
    "FailuresScreen": "q 2",
    "TimelineScreen": "q 3",
    "ConfigurationScreen": "q 4",
    "SearchBooksScreen": "q ctrl+f",
    "SaveScreen": "escape E",
    "HelpScreen": "escape question_mark",
    "ConfigDiffScreen": "q q w",
    "ConfigTableScreen": "q home space space space d",
}
"""Every screen, and the keys that lead to it from the one before."""
NO_NOTICE = "CommandPalette"
"""Textual's own: it lies over a screen for a moment, and that one tells it when the palette is closed."""


def record(config: Path) -> None:
    """Three runs that differ; the last one fails at a task that came after two others."""
    for night in range(3):
        try:
            with record_run("reduce", config=config, settings={"night": night}, strict=True) as run:
                with run.task("flat") as flat:
                    pass
                with run.task("dark") as dark:
                    pass
                with run.task("fit", upstream=[flat, dark]):
                    if night == 2:
                        raise ValueError("no stars")
        except ValueError:
            pass


async def is_told_everywhere(config: Path, fault: Fault, what: Any) -> None:
    """Go to each screen, and break and mend something there."""
    record(config)
    async with watching(str(config), size=(100, 30)) as desk:
        await desk.sees("reduce")
        await has_read(desk)
        for name, keys in WALK.items():
            await desk.press(*keys.split())
            await is_on(desk, name)
            with fault.breaks(what):
                await tells(desk, fault)
            await desk.misses("Since")
            await is_on(desk, name)
        with fault.breaks(what):
            await desk.press("ctrl+p")
            await is_on(desk, NO_NOTICE)
            await desk.press("escape")
            await tells(desk, fault)


async def is_on(desk: Desk, name: str) -> None:
    """Wait until a screen is on top."""
    await desk.until(lambda: type(desk.app.screen).__name__ == name, f"{name} is not on top")


async def test_a_file_that_is_gone_is_told_on_every_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "LONGEST_WAIT", 0.5)
    settings = configure(tmp_path, {"default": {"dialect": SQLITE, "path": "outflow.db"}})
    make_tables(settings.database())
    assert settings.path is not None
    await is_told_everywhere(settings.path, FILE_FAULTS[0], settings.database().path)


async def test_a_server_that_is_stopped_is_told_on_every_screen(
    server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "LONGEST_WAIT", 0.5)
    monkeypatch.setattr(reader, "PULSE_SECONDS", 0.4)
    stage = new_stage(server, tmp_path, "every_screen")
    await is_told_everywhere(stage.config, SERVER_FAULTS[0], stage)


def test_no_screen_is_left_out() -> None:
    rooms = [import_module(f"{screens.__name__}.{room.name}") for room in pkgutil.iter_modules(screens.__path__)]
    kinds = {kind for room in rooms for kind in vars(room).values() if isinstance(kind, type)}
    ours = {kind for kind in kinds if issubclass(kind, BooksScreen)}
    bases = {base for kind in ours for base in kind.__mro__[1:]}
    assert {kind.__name__ for kind in ours - bases} == set(WALK)
