"""A run of very many tasks, as a person sees it: while it is read, and what is left out of what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outflow_core.run_shape import shape_of
from outflow_core.states import State
from outflow_tui.screens import run as run_screen
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.widgets import line_view
from tests.tui.desk import sitting
from tests.tui.story import FakeSource, run, task, traceback_of, workflow

LOST = traceback_of("OSError: no space left")
ITEMS = [task(number, "frame", parent=1, failed=LOST if number == 30 else None) for number in range(2, 42)]
NIGHT = run(45, state=State.FAILED, tasks=[workflow(1, "map_frames"), *ITEMS])


class SlowSource(FakeSource):
    """A source that has read only the first blocks of a run."""

    known: int | None = 20

    def look(self, focus: Focus) -> Snapshot:
        seen = super().look(focus)
        if seen.run is None or self.known is None:
            return seen
        rows = [page.row(index) for page in seen.run.shape.pages for index in range(len(page))]
        return seen._replace(run=seen.run._replace(shape=shape_of(rows[: self.known]), is_whole=False))


async def test_while_a_run_is_read_its_first_tasks_are_shown_and_how_much_is_read() -> None:
    async with sitting(SlowSource([NIGHT])) as desk:
        await desk.press("enter")
        await desk.sees("50 % read")
        await desk.sees("map_frames")


async def test_a_failure_that_is_read_later_is_gone_to_unless_the_cursor_was_moved() -> None:
    source = SlowSource([NIGHT])
    async with sitting(source) as desk:
        await desk.press("enter")
        await desk.sees("50 % read")
        source.known = None
        await desk.misses("% read")
        await desk.sees("OSError: no space left")
        await desk.sees("frame 29")


async def test_no_run_is_called_empty_before_it_is_read() -> None:
    source = SlowSource([NIGHT])
    source.known = 0
    async with sitting(source) as desk:
        await desk.press("enter")
        await desk.sees("0 % read")
        assert "No task is recorded" not in desk.text()


async def test_of_very_many_lines_the_first_are_saved_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(line_view, "MOST_SAID", 10)
    monkeypatch.setattr(run_screen, "MOST_SAID", 10)
    async with sitting(FakeSource([NIGHT])) as desk:
        await desk.press("enter")
        await desk.sees("frame 29")
        await desk.press("E", "t")
        await desk.until((tmp_path / "run-45.txt").exists, "nothing was saved")
        assert "(31 more lines are left out)" in (tmp_path / "run-45.txt").read_text(encoding="utf-8")
        await desk.press("E", "J")
        await desk.until((tmp_path / "run-45.json").exists, "nothing was saved")
        kept = json.loads((tmp_path / "run-45.json").read_text(encoding="utf-8"))
        assert (len(kept["blocks"]), kept["blocks_left_out"]) == (10, 31)


async def test_every_line_of_a_long_run_can_be_reached() -> None:
    async with sitting(FakeSource([NIGHT]), size=(100, 20)) as desk:
        await desk.press("enter")
        await desk.sees("frame 29")
        await desk.press("end")
        await desk.sees("frame 40")
        await desk.press("home", "left")
        await desk.misses("frame 1 ")
        await desk.press("n")
        await desk.sees("frame 29")
