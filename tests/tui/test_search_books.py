"""A search over all runs, from every screen: question five is answered by ctrl+f and the name of the file."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest

from outflow_core.findings import Answer, InputAnswer
from outflow_core.rows import ProcessingRow
from outflow_core.states import State
from outflow_tui.finding_words import answer_words
from outflow_tui.preferences import Preferences
from tests.tui.desk import Desk, sitting
from tests.tui.story import NOW, FakeSource, configuration, run, task, traceback_of, workflow

FILE = "night_0231.fits"


def books() -> list[object]:
    """A file that failed, and was processed before; 12 tasks that failed of the same."""
    failed = traceback_of("ValueError: no gain")
    many = [
        task(number, f"fit {number}", parent=1, failed=failed, inputs={"flat": "f.fits"}) for number in range(4, 16)
    ]
    newer = [
        workflow(1, "reduce", State.FAILED),
        task(2, "load"),
        task(3, parent=1, failed=failed, inputs={"file": FILE}),
    ]
    return [
        run(45, state=State.FAILED, tasks=[*newer, *many], config=configuration(1, {"fit": {"tolerance": 1e-6}})),
        run(44, tasks=[task(1, "calibrate", inputs={"file": FILE})], config=configuration(2, {"fit": {"steps": 7}})),
    ]


def source() -> FakeSource:
    return FakeSource(books())  # type: ignore[arg-type]


async def type_in(desk: Desk, words: str) -> None:
    await desk.press("ctrl+f", *words)


async def test_question_five_is_answered_by_ctrl_f_and_the_name_of_the_file() -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await type_in(desk, FILE)
        assert await desk.sees(f"{FILE}: processed with the configuration in force in run 44.")
        assert "file=night_0231.fits" in await desk.sees("input")


@pytest.mark.parametrize("way", ([], ["enter"], ["enter", "2"], ["enter", "3"], ["c"], ["w"], ["question_mark"], ["E"]))
async def test_the_search_opens_from_every_screen_and_goes_back_there(way: list[str]) -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await desk.press(*way)
        before = desk.app.screen
        await type_in(desk, FILE)
        await desk.sees("2 found")
        await desk.press("escape")
        assert desk.app.screen is before


async def test_a_line_in_which_something_is_typed_does_not_keep_the_key() -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await desk.press("slash", "r", "ctrl+f")
        await desk.sees("search all runs")
        await desk.sees("Type the name of a file")


async def test_equal_findings_are_one_line_and_enter_goes_to_the_failed_task() -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await type_in(desk, "no gain")
        assert "13 blocks" in await desk.sees("exception")
        await desk.press("enter")
        await desk.sees("parse_header")
        assert "run 45" in desk.lines()[0]


async def test_enter_on_an_input_goes_to_its_task_though_another_one_failed_before() -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await type_in(desk, "f.fits")
        await desk.sees("12 blocks")
        await desk.press("enter")
        await desk.sees("flat")
        assert await desk.sees("f.fits")


async def test_enter_on_a_value_of_a_configuration_goes_to_its_path() -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await type_in(desk, "steps")
        await desk.sees("fit.steps=7")
        await desk.press("enter")
        await desk.sees("run 44  configuration 2")
        view = desk.app.screen.query_one("#lines")
        assert view.cursor_key == ("configuration", "fit", "steps")  # type: ignore[attr-defined]


async def test_nothing_found_is_said_with_the_way_out() -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await type_in(desk, "zebra")
        await desk.sees("Nothing in the books holds these words; type fewer of them, or esc goes back.")


async def test_a_search_tells_how_far_it_is_and_shows_what_it_has() -> None:
    books = source()
    books.looks_of_a_search = 10_000
    async with sitting(books) as desk:
        await desk.sees("45")
        await type_in(desk, FILE)
        assert "searching" in await desk.sees("120,000 of 1,000,000 blocks   2 found")
        books.looks_of_a_search = 1
        await desk.misses("searching")
        await desk.sees("2 found")


async def test_changes_in_the_books_do_not_begin_the_search_again() -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await type_in(desk, FILE)
        await desk.sees("2 found")
        await desk.answers([*desk.source.runs, run(46)])
        await desk.press("enter", "escape")
        await desk.sees("2 found")
        assert len({focus.search for focus in desk.source.asked if focus.search}) == 1


async def test_several_sources_share_the_list_each_with_its_name() -> None:
    async with sitting(source(), source(), names=("north", "south"), size=(120, 30)) as desk:
        await desk.sees("45")
        await type_in(desk, FILE)
        await desk.sees("4 found")
        assert {"north", "south"} <= {word for line in desk.lines() if "file=" in line for word in line.split()}
        await desk.sees(f"south  {FILE}: processed")


async def test_the_list_is_walked_and_the_line_is_typed_in_again() -> None:
    async with sitting(source()) as desk:
        await desk.sees("45")
        await type_in(desk, FILE)
        await desk.sees("2 found")
        await desk.press("down", "j", "slash", "x")
        await desk.sees("Nothing in the books")
        await desk.press("backspace")
        await desk.sees("2 found")
        await desk.press("down", "q")
        await desk.sees("PROGRESS")


async def test_another_key_can_be_given_to_the_search() -> None:
    async with sitting(source(), likes=Preferences(keymap={"everywhere.find": "f6"})) as desk:
        await desk.sees("45")
        await desk.press("f6")
        await desk.sees("Type the name of a file")


def said(*inputs: tuple[str, State | None], known: bool = True) -> str:
    row = run(44).row
    answers = []
    for value, state in inputs:
        done = ProcessingRow(row, {}, state or State.FAILED, None, (), (1,), None, None, False, True)
        answers.append(InputAnswer(value, done if done.is_success else None, done))
    return answer_words(Answer(tuple(answers), known))


def test_the_answer_names_the_run_that_failed_on_an_input() -> None:
    assert said(("/d/n1", State.FAILED)) == "n1: not processed with the configuration in force; run 44 failed on it."
    assert said(("/d/n1", State.RUNNING)).endswith("in run 44 it is running.")


def test_the_answer_about_several_inputs_names_those_that_are_missing() -> None:
    words = said(("a/n1", State.SUCCESS), ("a/n2", State.FAILED), known=False)
    assert words == "2 inputs: 1 processed whatever its configuration (none in force is known), 1 not (n2)."


async def test_what_began_at_an_edge_of_the_calendar_is_found_in_its_order() -> None:
    times = {46: datetime(1, 1, 1), 45: datetime(9999, 12, 31, 23, 59, 59, 999_999), 44: NOW}
    given = task(1, inputs={"file": FILE})
    runs = [run(number, tasks=[replace(given, row=given.row._replace(start_time=at))]) for number, at in times.items()]
    async with sitting(FakeSource(runs)) as desk:
        await desk.sees("45")
        await type_in(desk, FILE)
        await desk.sees("3 found")
        assert re.findall(r"input +(\d+)", desk.text()) == ["45", "44", "46"]
