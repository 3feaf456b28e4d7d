"""Tries of one task, and the history of causes, as a person sees them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from outflow_core.states import State
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, Told, ToldRun, run, task, traceback_of, workflow

ERROR = "ValueError: could not convert string to float: 'n/a'"
SIZES = [(80, 24), (120, 40)]


def frame(number: int, file: str, failed: str | None = None) -> Told:
    return task(
        number, "frame", parent=1, inputs={"file": file}, failed=traceback_of(failed) if failed else None, seconds=0.5
    )


def night() -> ToldRun:
    """Of three frames one was mended by its third try, and one was tried twice in vain."""
    around = replace(workflow(1, "map_frames"), inputs=[{"file": name} for name in ("a", "b", "c")])
    tries = [frame(5, "b", ERROR), frame(6, "b"), frame(7, "c", ERROR)]
    return run(
        45, state=State.FAILED, tasks=[around, frame(2, "a"), frame(3, "b", ERROR), frame(4, "c", ERROR), *tries]
    )


def earlier(number: int, message: str | None = None, line: int = 88, command: str = "reduce_night") -> ToldRun:
    failed = [task(100 * number, failed=traceback_of(message, line=line))] if message else []
    return run(number, command, State.FAILED if message else State.SUCCESS, tasks=failed)


async def open_run(desk: Desk) -> None:
    await desk.press("enter")
    await desk.sees("map_frames")


@pytest.mark.parametrize("size", SIZES)
async def test_the_tries_of_a_task_stand_together_and_are_numbered(size: tuple[int, int]) -> None:
    async with sitting(FakeSource([night()]), size=size) as desk:
        await open_run(desk)
        await desk.sees("frame 3")
        left = [line[: size[0] * 45 // 100] for line in desk.lines()[1:]]
        shown = [" ".join(line.split()) for line in left if "frame " in line]
        assert [line.removesuffix(" 0.5s") for line in shown] == [
            "✓ frame 1",
            "✗ frame 2 try 1 of 3, mended",
            "✗ frame 2 try 2 of 3, mended",
            "✓ frame 2 try 3 of 3",
            "✗ frame 3 try 1 of 2",
            "✗ frame 3 try 2 of 2",
        ]
        await desk.sees("6/6 4✗, 2 mended")


async def test_a_run_opens_on_a_failure_that_stands_and_the_others_can_be_walked_to() -> None:
    async with sitting(FakeSource([night()]), size=(120, 40)) as desk:
        await open_run(desk)
        await desk.sees("try 2 of 2: the one before failed too, task 4")
        await desk.press("n")
        await desk.sees("try 1 of 3: mended by a later try, task 6")


async def test_a_whole_traceback_says_that_it_was_mended() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await open_run(desk)
        await desk.press("n", "enter")
        await desk.sees("try 1 of 3: mended by a later try, task 6")


async def test_items_of_a_map_are_no_tries() -> None:
    around = replace(workflow(1, "map_frames"), inputs=[{"file": "a"}, {"file": "b"}])
    told = run(45, state=State.FAILED, tasks=[around, frame(2, "a", ERROR), frame(3, "b")])
    async with sitting(FakeSource([told])) as desk:
        await open_run(desk)
        await desk.sees("frame 2")
        assert "try" not in desk.text().replace("parse_header", "")


async def test_a_cause_says_how_many_of_its_tasks_succeeded_later() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await open_run(desk)
        await desk.press("2")
        await desk.sees("2 mended")
        await desk.sees("4 tasks, 2 of them succeeded on a later try")
        await desk.press("enter")
        await desk.sees("try 1 of 2: the last try failed too")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "before, short, long",
    [
        ([], "new", "new: the first run of this command"),
        ([earlier(44), earlier(43, "KeyError: 1")], "new", "new: in none of the 2 earlier runs of this command"),
        ([earlier(44, ERROR, line=12), earlier(43, ERROR), earlier(42)], "since run 43", "seen since run 43"),
        ([earlier(44, ERROR), earlier(43), earlier(42, ERROR)], "since run 44", "seen since run 44, also in 42"),
        ([earlier(44), earlier(43, ERROR)], "last in run 43", "back again: last seen in run 43"),
        ([earlier(44, ERROR, command="calibrate")], "new", "new: the first run of this command"),
    ],
)
async def test_a_cause_says_in_which_earlier_runs_it_was_seen(
    before: list[ToldRun], short: str, long: str, size: tuple[int, int]
) -> None:
    async with sitting(FakeSource([night(), *before]), size=size) as desk:
        await open_run(desk)
        await desk.press("2")
        assert (await desk.sees("calibrate.py:88  ")).endswith(short)
        await desk.sees(f" {long}")


async def test_more_earlier_runs_than_are_looked_into_are_told_of() -> None:
    told = replace(night(), row=night().row._replace(id=90))
    async with sitting(FakeSource([told, *map(earlier, range(30, 90))]), size=(100, 30)) as desk:
        await open_run(desk)
        await desk.press("2")
        await desk.sees("not in 50 before")
        await desk.sees("not in the 50 runs of this command before")
