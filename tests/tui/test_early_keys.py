"""Keys that are typed on the screen of a run before its tasks have come: they are answered in order, when they come."""

from __future__ import annotations

import threading

import pytest

from outflow_tui.snapshot import Focus, Snapshot
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, ToldRun, run, task, traceback_of, workflow


class SlowSource(FakeSource):
    """Its books tell of the runs at once, and of the tasks of one not before they are let."""

    def __init__(self, runs: list[ToldRun]) -> None:
        super().__init__(runs)
        self.tells = threading.Event()

    def look(self, focus: Focus) -> Snapshot:
        """What the books would say, in their time."""
        if focus.run_id is not None:
            self.tells.wait(10)
        return super().look(focus)


def slow() -> SlowSource:
    tasks = [task(2, "load"), *(task(number, f"frame {number}", failed=said(number), parent=1) for number in (3, 4, 5))]
    return SlowSource([run(45, tasks=[workflow(1, "night"), *tasks, task(6, "merge")])])


def said(number: int) -> str:
    return traceback_of(f"ValueError: frame number {number}")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("n", "ValueError: frame number 4"),
        ("n n", "ValueError: frame number 5"),
        ("n n N", "ValueError: frame number 4"),
        ("j j", "ValueError: frame number 5"),
        ("G", "task 6 of plugin reduce"),
        ("h space", "▸ ✓ night"),
        ("enter", "run 45  task 3  frame 3"),
        ("n enter", "run 45  task 4  frame 4"),
        ("enter n", "run 45  task 4  frame 4"),
        ("n 2", "3 failed tasks"),
        ("2", "failures by cause"),
    ],
)
@pytest.mark.parametrize("is_fast", [False, True], ids=["slowly", "at-once"])
async def test_what_is_typed_before_the_tasks_have_come_is_answered_when_they_come(
    typed: str, words: str, is_fast: bool
) -> None:
    source = slow()
    async with sitting(source, size=(110, 30)) as desk:
        await desk.sees("45")
        await type_keys(desk, f"enter {typed}", is_fast=is_fast)
        source.tells.set()
        await desk.sees(words)
        assert not desk.app._notifications


async def type_keys(desk: Desk, typed: str, *, is_fast: bool) -> None:
    """Type some keys, each when the one before was answered, or all at once."""
    for key in typed.split():
        if is_fast:
            desk.app.simulate_key(key)
        else:
            await desk.press(key)
    await desk.pilot.pause()


async def test_the_way_back_does_not_wait_and_takes_along_what_waits() -> None:
    source = slow()
    async with sitting(source, size=(110, 30)) as desk:
        await desk.sees("45")
        await desk.press("enter", "n", "q")
        await desk.sees("PROGRESS")
        source.tells.set()
        await desk.press("enter")
        await desk.sees("ValueError: frame number 3")


async def test_no_key_waits_for_a_source_that_cannot_be_read() -> None:
    source = slow()
    async with sitting(source, size=(110, 30)) as desk:
        await desk.sees("45")
        await desk.press("enter", "n")
        source.error = "The disk is away."
        source.tells.set()
        await desk.sees("The disk is away.")
        await desk.press("n")
        await desk.sees("Nothing failed in what was read of this run.")
        source.error = None
        await desk.press("r")
        await desk.sees("ValueError: frame number 3")
