"""Saving and copying what is on the screen: each key, what is in the files, and what cannot be written."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from outflow_core.states import State
from outflow_tui.saving import SaveError, save_new
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, ToldRun, configuration, run, task, traceback_of, workflow

HOSTILE = "calibrate[/b]\x1b[31m\n```"


def books() -> list[ToldRun]:
    """A failed run and the successful one before it, with other configurations."""
    tasks = [
        workflow(2, "map_frames"),
        replace(task(3, HOSTILE, parent=2, failed=traceback_of("ValueError: no gain")), upstream=(4, 5)),
        task(4, "load_catalog"),
        task(5, "load_flats"),
    ]
    return [
        run(46, state=State.FAILED, tasks=tasks, config=configuration(2, {"tolerance": 1e-4, "long": "x" * 300})),
        run(45, config=configuration(1, {"tolerance": 1e-6})),
    ]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def saves(desk: Desk, key: str, name: str) -> str:
    """Press E and a key; what the file says."""
    await desk.press("E")
    await desk.sees("Text: all lines of it")
    await desk.press(key)
    await desk.until(lambda: Path(name).exists(), f"{name} was not written")
    return Path(name).read_text()


async def test_the_runs_are_saved_as_text_with_their_titles(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        text = await saves(desk, "t", "runs.txt")
        assert "STATE" in text
        assert "reduce_night" in text
        assert "seen 2026-11-23 12:00:00" in text
        await desk.sees("Saved as runs.txt")
        assert stat.S_IMODE((here / "runs.txt").stat().st_mode) == 0o600


async def test_every_screen_can_be_saved_as_json(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        assert [run["id"] for run in json.loads(await saves(desk, "J", "runs.json"))] == [46, 45]
        await desk.press("w")
        await desk.sees("differ")
        assert json.loads(await saves(desk, "J", "diff-45-46.json"))["same"] is False
        await desk.press("q", "c")
        await desk.sees("tolerance")
        assert json.loads(await saves(desk, "J", "run-46-configuration.json"))["configuration"]["tolerance"] == 1e-4
        await desk.press("q", "enter")
        await desk.sees("no gain")
        shown = json.loads(await saves(desk, "J", "run-46.json"))
        assert shown["selected"]["exception"]["type"] == "ValueError"
        assert [block["id"] for block in shown["blocks"]] == [2, 3, 4, 5]
        await desk.press("2")
        await desk.sees("1 failed task")
        assert json.loads(await saves(desk, "J", "run-46-failures.json"))[0]["tasks"] == [3]
        await desk.press("q", "enter")
        await desk.sees("run 46  task 3")
        assert json.loads(await saves(desk, "J", "run-46-task-3.json"))["name"] == HOSTILE
        await desk.press("u")
        await desk.sees("2 upstream")
        assert len(json.loads(await saves(desk, "J", "upstream.json"))["lines"]) == 3
        await desk.press("question_mark")
        await desk.sees("keys")
        assert json.loads(await saves(desk, "J", "keys.json"))["title"] == "keys"


async def test_a_line_that_was_cut_for_the_window_is_saved_whole(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        await desk.press("c")
        await desk.sees("tolerance")
        assert f'long: "{"x" * 300}"' in await saves(desk, "t", "run-46-configuration.txt")


async def test_markdown_keeps_foreign_text_in_its_fence(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        await desk.press("enter", "enter")
        await desk.sees("run 46  task 3")
        text = await saves(desk, "m", "run-46-task-3.md")
        assert "\x1b" not in text
        assert text.count("\n````\n") == 2 or text.count("\n````") == 2


async def test_a_picture_is_of_the_screen_below_and_fetches_nothing(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        picture = await saves(desk, "s", "runs.svg")
        assert "reduce" in picture
        assert "Markdown" not in picture
        assert "cdnjs" not in picture


async def test_enter_saves_in_the_way_under_the_cursor_and_q_saves_nothing(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        await desk.press("E")
        await desk.sees("Text: all lines of it")
        await desk.press("q")
        await desk.sees("PROGRESS")
        assert list(here.iterdir()) == []
        await desk.press("E")
        await desk.sees("Text: all lines of it")
        await desk.press("E", "down", "enter")
        await desk.until((here / "runs.md").exists, "it was not saved")


async def test_a_failure_report_is_copied_and_saved(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        await desk.press("enter")
        await desk.sees("no gain")
        await desk.press("Y")
        await desk.until(lambda: "### `ValueError`" in desk.app.clipboard, "it was not copied")
        assert "~ config: tolerance  1e-06 -> 0.0001" in desk.app.clipboard
        assert "- inside: `map_frames`" in desk.app.clipboard
        assert await saves(desk, "f", "run-46-failure-3.md") == desk.app.clipboard + "\n"
        desk.app.copy_to_clipboard("")
        await desk.press("enter")
        await desk.sees("run 46  task 3")
        await desk.press("Y")
        await desk.until(lambda: "~ config: tolerance" in desk.app.clipboard, "it was not copied")


async def test_while_the_view_is_held_or_the_books_are_away_the_report_says_what_is_not_known(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        await desk.press("enter")
        await desk.sees("no gain")
        await desk.press("p", "Y")
        await desk.until(lambda: "configurations were not read" in desk.app.clipboard, "it was not copied")
        await desk.press("p")
        desk.source.error = "books are away"
        desk.app.action_read_now()
        await desk.sees("books are away")
        desk.app.copy_to_clipboard("")
        await desk.press("Y")
        await desk.until(lambda: "configurations were not read" in desk.app.clipboard, "it was not copied")


async def test_of_what_did_not_fail_there_is_no_failure_report(here: Path) -> None:
    async with sitting(FakeSource(books()), size=(80, 24)) as desk:
        await desk.sees("46")
        await desk.press("E", "f")
        await desk.sees("A failure report: Markdown to paste into an issue (here is none)")
        await desk.press("q", "enter")
        await desk.sees("no gain")
        await desk.press("end")
        await desk.sees("success  load_flats")
        assert desk.app.screen.check_action("report", ("copy",)) is None
        await desk.press("Y")
        assert desk.app.clipboard == ""


async def test_what_cannot_be_written_is_said(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = here / "gone"
    gone.mkdir()
    async with sitting(FakeSource(books()), size=(100, 24)) as desk:
        await desk.sees("46")
        monkeypatch.chdir(gone)
        gone.rmdir()
        await desk.press("E")
        await desk.sees("a directory that is gone")
        await desk.press("t")
        await desk.sees("Cannot write runs.txt into")


def test_nothing_is_ever_overwritten_nor_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "runs.txt").write_text("mine")
    (tmp_path / "runs-2.txt").symlink_to(tmp_path / "elsewhere")
    assert save_new("runs", "txt", "new", tmp_path) == tmp_path / "runs-3.txt"
    assert (tmp_path / "runs.txt").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_leaves_no_half_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("outflow_tui.saving.open", lambda *_, **__: full(), raising=False)
    with pytest.raises(SaveError, match=r"Cannot write runs.txt into .*: No space left"):
        save_new("runs", "txt", "new", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_for_its_owner_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = save_new("runs", "txt", "\ud800", tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "\\ud800"
