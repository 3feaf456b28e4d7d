"""Looking for a text on the screens: what is typed, what is marked, what the keys mean meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from outflow_core.states import State
from outflow_tui.widgets.key_bar import KeyBar
from outflow_tui.widgets.search_bar import SearchBar
from outflow_tui.widgets.text_lines import TextLines
from tests.fixtures import copy_of
from tests.terminal import monitor
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, ToldRun, configuration, run, task, traceback_of

LONG = "Traceback (most recent call last):\n" + "".join(
    f'  File "/data/reduce/night.py", line {number}, in step_{number}\n    gain = step_{number - 1}(header)\n'
    for number in range(1, 10_001)
)


def night() -> ToldRun:
    """Two failures whose tracebacks share some words."""
    failed = [task(number, "frame", failed=traceback_of(f"ValueError: no Gain in frame {number}")) for number in (3, 4)]
    settings = {"backends": {f"node_{number}": number for number in range(60)}, "far": "-" * 200 + "needle"}
    return run(45, state=State.FAILED, tasks=[task(1, "load_catalog"), *failed], config=configuration(7, settings))


async def traceback_screen(desk: Desk) -> None:
    await desk.sees("45")
    await desk.press("enter", "enter")
    await desk.sees("run 45  task 3")


def lines_of(desk: Desk) -> TextLines:
    return desk.app.screen.query_one(TextLines)


def seen(desk: Desk) -> list[str]:
    """What is marked in the window, with the name of its mark."""
    lines = lines_of(desk)
    marks = []
    for item in lines.items:
        marks += [
            f"{look.split()[-1]} {piece}" for piece, look in lines.draw(item, 80) if "match" in look or "here" in look
        ]
    return marks


def footer(desk: Desk) -> str:
    return "  ".join(f"{item.shown} {item.label}" for item in desk.app.screen.query_one(KeyBar).labels)


async def test_matches_are_marked_and_counted_while_the_text_is_typed() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("slash", *"gai")
        await desk.sees("1 of 6")
        assert seen(desk)[:2] == ["here Gai", "match gai"]
        await desk.press("backspace", "backspace", "backspace", *"Gain")
        await desk.sees("1 of 2")
        assert seen(desk) == ["here Gain", "match Gain"]


async def test_n_walks_through_the_matches_and_says_when_it_comes_round() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("slash", *"Gain", "enter", "n")
        await desk.sees("2 of 2")
        assert seen(desk) == ["match Gain", "here Gain"]
        await desk.press("n")
        await desk.sees("1 of 2, from the top again")
        await desk.press("N")
        await desk.sees("2 of 2, from the end again")
        await desk.sees("run 45  task 3")


async def test_one_stands_at_the_same_match_when_the_lines_are_broken_elsewhere() -> None:
    async with sitting(FakeSource([night()]), size=(24, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("slash", *"frame 3", "enter", "n")
        await desk.sees("2 of 2")
        for width in (120, 24, 60):
            await desk.pilot.resize_terminal(width, 24)
            await desk.pilot.pause()
            await desk.sees("2 of 2")


async def test_after_esc_n_means_the_next_failed_task_again_and_the_footer_says_so() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.until(lambda: "n next failed" in footer(desk), "the footer does not say next failed")
        await desk.press("slash", *"Gain", "enter")
        await desk.until(lambda: "n next match" in footer(desk), "the footer does not say next match")
        assert "n next failed" not in footer(desk)
        assert "] next failed" in footer(desk)
        assert "esc end" in footer(desk)
        await desk.press("escape")
        await desk.misses("of 2")
        await desk.until(lambda: "n next failed" in footer(desk), "the footer does not say next failed")
        assert seen(desk) == []
        await desk.press("n")
        await desk.sees("run 45  task 4")
        await desk.press("escape")
        await desk.sees("load_catalog")


async def test_brackets_walk_to_the_next_failure_while_the_search_goes_on() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("slash", *"frame 4", "enter")
        await desk.sees("no match; a shows libraries too")
        await desk.press("right_square_bracket")
        await desk.sees("run 45  task 4")
        await desk.sees("2 matches")
        await desk.press("n", "n")
        await desk.sees("2 of 2")


async def test_esc_while_typing_gives_the_place_back_where_it_began() -> None:
    long = replace(night(), blocks=(task(3, failed=LONG + "ValueError: the end\n"),))
    async with sitting(FakeSource([long]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("pagedown")
        lines = lines_of(desk)
        before = (lines.cursor, lines.scroll_offset.y)
        await desk.press("slash", *"step_9000(")
        await desk.until(lambda: lines.cursor > 9000, "the match was not gone to")
        await desk.press("escape")
        await desk.until(lambda: (lines.cursor, lines.scroll_offset.y) == before, "it did not go back")
        assert not desk.app.screen.query_one(SearchBar).display


async def test_enter_with_nothing_typed_ends_the_search() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("slash", "enter")
        assert not desk.app.screen.query_one(SearchBar).display
        await desk.press("q")
        await desk.sees("load_catalog")


async def test_the_details_of_a_run_are_searched_from_the_tree_and_esc_goes_back_to_it() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await desk.sees("45")
        await desk.press("enter")
        await desk.sees("load_catalog")
        await desk.press("slash", *"gain", "enter")
        await desk.sees("1 of 6")
        await desk.press("n")
        await desk.sees("2 of 6")
        await desk.press("tab", "n")
        await desk.until(lambda: "in frame 4" in desk.text().replace("\n", " "), "n in the tree is the next failure")
        await desk.sees("6 matches")
        await desk.press("tab", "escape", "N")
        await desk.until(lambda: "in frame 3" in desk.text().replace("\n", " "), "n was not given back")


async def test_a_match_far_to_the_right_is_brought_into_view() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await desk.sees("45")
        await desk.press("c")
        await desk.sees("backends")
        await desk.press("slash", *"needle")
        await desk.sees('needle"')
        await desk.press("backspace", *["backspace"] * 5, *"node_5", "enter")
        await desk.sees("node_5:")
        await desk.sees("1 of 11")


async def test_a_slash_can_be_sought_like_any_letter() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("slash")
        await desk.until(lambda: "/ search" not in footer(desk), "the footer says that / begins a search")
        await desk.press(*"/data/red", "enter")
        await desk.sees("1 of 2")


def test_a_search_typed_in_one_go_is_kept_and_walked(tmp_path: Path) -> None:
    with monitor(str(copy_of("kinds", tmp_path))) as seat:
        seat.sees("bad_setup")
        seat.press("/20")
        seat.sees("1 of 28")
        seat.press("\r")
        seat.comes(0.5)
        seat.press("\r")
        seat.sees("next failed")
        seat.press("\r")
        seat.sees("task 87  level_3_boom")  # stands over the text once there is one
        seat.press("/could not\rn")
        seat.sees("2 of ")


async def test_help_and_differences_can_be_searched() -> None:
    config = configuration(8, {"backends": {"node_1": 7}, "far": "x"})
    async with sitting(FakeSource([night(), run(46, config=config)]), size=(100, 30)) as desk:
        await desk.sees("45")
        await desk.press("question_mark", "slash", *"traceback", "enter")
        await desk.sees("1 of ")
        await desk.press("escape", "q")
        await desk.sees("PROGRESS")
        await desk.press("space", "space", "d")
        await desk.sees("values differ")
        await desk.press("slash", *"node_59", "enter")
        await desk.sees("1 of 1")


async def test_what_is_pasted_is_sought_as_it_is_shown() -> None:
    hostile = run(45, state=State.FAILED, tasks=[task(3, failed=traceback_of("ValueError: \x1b[31mred"))])
    async with sitting(FakeSource([hostile]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("slash")
        desk.app.screen.query_one("TypingLine").value = "\x1b[31"  # type: ignore[attr-defined]
        await desk.sees("1 of 2")
        assert "/\\e[31" in "".join(desk.lines()).replace(" ", "")


async def test_a_key_in_a_search_through_20000_lines_is_answered_at_once() -> None:
    long = run(45, state=State.FAILED, tasks=[task(3, failed=LONG + f"ValueError: {'x gain ' * 15_000}\n")])
    async with sitting(FakeSource([long]), size=(80, 24)) as desk:
        await traceback_screen(desk)
        await desk.press("slash", *"gai")
        await desk.sees("1 of 25,0")
        await desk.press("enter")
        began = time.perf_counter()
        await desk.press(*["n"] * 20)
        await desk.sees("21 of 25,0")
        assert time.perf_counter() - began < 4.0
