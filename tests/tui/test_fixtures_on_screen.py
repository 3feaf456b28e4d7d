"""Everything that real Outflow wrote is walked through on the real screen, and no stray byte gets out."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from outflow_core.sources import find_database
from outflow_tui.app import OutflowApp
from outflow_tui.lookout import Watched
from outflow_tui.screens.run import RunScreen
from outflow_tui.source import BooksSource
from outflow_tui.widgets.task_tree import TaskTree
from tests.fixtures import READABLE, copy_of
from tests.tui.desk import Desk

STRAY = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]")


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


async def sit_down(folder: Path) -> tuple[OutflowApp, Path]:
    database = find_database(str(folder))
    return OutflowApp([Watched(folder.name, lambda: BooksSource(database))], seconds=0.05), folder


@pytest.mark.parametrize("name", READABLE)
async def test_every_run_its_failures_and_configurations_can_be_looked_at(name: str, tmp_path: Path) -> None:
    folder = copy_of(name, tmp_path)
    before = files_of(folder)
    app, _ = await sit_down(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        desk = Desk(app, pilot, [])
        await desk.until(lambda: app.seen[0].is_complete, "the history was not counted")
        runs = [line.row.id for line in app.seen[0].runs]
        for run_id in runs:
            await look_at_run(desk, pilot, run_id)
        for old, new in zip(runs[1:], runs, strict=False):
            await look_at_difference(desk, old, new)
        assert not STRAY.search("".join(desk.lines()))
    assert files_of(folder) == before


async def look_at_run(desk: Desk, pilot: Pilot[None], run_id: int) -> None:
    """Open a run, walk through its first failures, read one whole, look at the configuration."""
    desk.app.open_run(0, run_id)
    await desk.sees(f"run {run_id}")
    screen = desk.app.screen
    assert isinstance(screen, RunScreen)
    await desk.until(
        lambda: (view := desk.app.seen[0].run) is not None and view.run_id == run_id, f"run {run_id} was not read"
    )
    await desk.press("n")
    no_stray_bytes(desk)
    if screen.query_one(TaskTree).block_id is not None:
        await desk.press("enter", "end", "q")
    else:
        await desk.sees("No task is recorded in this run")
    await desk.press("3")
    await desk.until(lambda: "at most" in desk.text() or "No task has begun yet" in desk.text(), "no timeline")
    await desk.press("s")
    no_stray_bytes(desk)
    await desk.press("q", "c")
    await desk.sees("configuration")
    no_stray_bytes(desk)
    await desk.press("q", "q")
    await desk.sees("PROGRESS")


async def look_at_difference(desk: Desk, old: int, new: int) -> None:
    """Compare two neighbours."""
    desk.app.open_diff((0, old), (0, new))
    await desk.until(
        lambda: "differ" in desk.text() or "No difference" in desk.text() or "the same" in desk.text(), "no"
    )
    no_stray_bytes(desk)
    await desk.press("q")
    await asyncio.sleep(0)


def no_stray_bytes(desk: Desk) -> None:
    for line in desk.lines():
        assert not STRAY.search(line), repr(line)
