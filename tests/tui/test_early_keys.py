"""Keys that are typed on a screen before that has come which they are for: answered in order, when it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from outflow_tui.snapshot import Focus, Snapshot
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, ToldRun, configuration, run, task, traceback_of, workflow


def of_a_run(focus: Focus) -> bool:
    """Whether more is asked than which runs there are."""
    return focus.run_id is not None


def of_anything(_focus: Focus) -> bool:
    """Whatever is asked."""
    return True


def of_a_configuration(focus: Focus) -> bool:
    """Whether configurations are asked for."""
    return bool(focus.configurations_of)


class SlowSource(FakeSource):
    """Its books tell of some things at once, and of others not before they are let."""

    def __init__(self, runs: list[ToldRun], is_slow: Callable[[Focus], bool]) -> None:
        super().__init__(runs)
        self.is_slow = is_slow
        self.tells = threading.Event()

    def look(self, focus: Focus) -> Snapshot:
        """What the books would say, in their time."""
        self.asked.append(focus)
        if self.is_slow(focus):
            self.tells.wait(10)
        return super().look(focus)


def slow(is_slow: Callable[[Focus], bool] = of_a_run) -> SlowSource:
    tasks = [task(2, "load"), *(task(number, f"frame {number}", failed=said(number), parent=1) for number in (3, 4, 5))]
    one = run(45, tasks=[workflow(1, "night"), *tasks, task(6, "merge")], config=configuration(1, {"gain": 1.5}))
    return SlowSource([run(44, config=configuration(2, {"gain": 1.25})), one], is_slow)


def said(number: int) -> str:
    return traceback_of(f"ValueError: frame number {number}")


async def type_keys(desk: Desk, typed: str, *, is_fast: bool) -> None:
    """Type some keys, each when the one before was answered, or all at once."""
    for key in typed.split():
        if is_fast:
            desk.app.simulate_key(key)
        else:
            await desk.press(key)
    await desk.pilot.pause()


async def answered(typed: str, words: str, is_slow: Callable[[Focus], bool], *, is_fast: bool) -> None:
    """Type before the books have told anything of what is slow; see what it leads to when they have."""
    source = slow(is_slow)
    async with sitting(source, size=(110, 30)) as desk:
        if is_slow is not of_anything:
            await desk.sees("45")
        await type_keys(desk, typed, is_fast=is_fast)
        source.tells.set()
        await desk.sees(words)
        assert not desk.app._notifications


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("enter n n N", "ValueError: frame number 4"),
        ("enter h space", "▸ ✓ night"),
        ("G k enter n enter", "run 45  task 4  frame 4"),
        ("enter enter n", "run 45  task 4  frame 4"),
        ("enter n enter slash m b e r enter n", "2 of 2"),
        ("enter 2 enter n", "ValueError: frame number 4"),
        ("enter 2 3 s", "by host"),
        ("enter 3 n n enter", "ValueError: frame number 5"),
        ("slash 4 5 backspace 4 enter enter", "No task is recorded in this run"),
    ],
)
@pytest.mark.parametrize(
    ("is_slow", "is_fast"),
    [(of_anything, True), (of_a_run, True), (of_a_run, False)],
    ids=["anything-at-once", "run-at-once", "run-slowly"],
)
async def test_keys_find_their_way_through_screens_whose_data_has_not_come(
    typed: str, words: str, is_slow: Callable[[Focus], bool], is_fast: bool
) -> None:
    await answered(typed, words, is_slow, is_fast=is_fast)


@pytest.mark.parametrize(
    ("typed", "words"), [("c slash g a i n enter n", "1 of 1"), ("space d slash g a i n enter", "1 of 1")]
)
@pytest.mark.parametrize("is_fast", [False, True], ids=["slowly", "at-once"])
async def test_what_is_typed_before_there_is_a_text_is_sought_in_it(typed: str, words: str, is_fast: bool) -> None:
    await answered(typed, words, of_a_configuration, is_fast=is_fast)


async def test_behind_a_slash_that_waits_all_keys_are_letters_but_escape() -> None:
    source = slow(of_a_configuration)
    async with sitting(source, size=(110, 30)) as desk:
        await desk.sees("45")
        await desk.press("c", "slash", "q", "r")
        await desk.sees("reading its configuration")
        await desk.press("escape")
        await desk.sees("PROGRESS")
        source.tells.set()


async def test_a_line_in_which_something_was_sought_can_be_clicked_and_typed_in_again() -> None:
    source = slow(of_a_configuration)
    source.tells.set()
    async with sitting(source, size=(110, 30)) as desk:
        await desk.sees("45")
        await type_keys(desk, "c slash g a enter", is_fast=True)
        await desk.sees("1 of 1")
        await desk.pilot.click("TypingLine")
        await desk.press("end", "i", "n")
        await desk.sees("/gain")


@pytest.mark.parametrize(
    ("opened", "closed"), [("question_mark", "q"), ("ctrl+p", "escape"), ("ctrl+f", "escape"), ("E", "q")]
)
async def test_what_the_app_opens_meanwhile_takes_no_key_away(opened: str, closed: str) -> None:
    source = slow()
    async with sitting(source, size=(110, 30)) as desk:
        await desk.sees("45")
        await desk.press("enter", "n", opened)
        await desk.until(lambda: len(desk.app.screen_stack) == 3, "nothing was opened")
        source.tells.set()
        await desk.press(closed)
        await desk.sees("ValueError: frame number 4")


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
        await type_keys(desk, "2 1 4", is_fast=True)
        await desk.sees("reading its configuration")
        await desk.press("q")
        source.error = None
        await desk.press("r")
        await desk.sees("ValueError: frame number 3")
