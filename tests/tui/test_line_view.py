"""The list that everything is shown in: what is seen after moving, whatever its length."""

from __future__ import annotations

import pytest

from outflow_core.states import State
from outflow_tui.lines import Line, Piece
from outflow_tui.widgets.text_lines import TextLines
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, run, task

MANY = [run(number, f"command_{number:03d}") for number in range(1, 201)]


def shown(desk: Desk) -> list[str]:
    return [line[:-1].rstrip() for line in (line.ljust(80) for line in desk.lines()) if "command_" in line]


async def test_the_end_is_reached_and_seen() -> None:
    async with sitting(FakeSource(MANY), size=(80, 24)) as desk:
        await desk.sees("command_200")
        await desk.press("G")
        await desk.sees("command_001")
        await desk.misses("command_200")
        await desk.press("g")
        await desk.sees("command_200")


@pytest.mark.parametrize("key", ["pagedown", "ctrl+d"])
async def test_a_page_shows_what_comes_next(key: str) -> None:
    async with sitting(FakeSource(MANY), size=(80, 24)) as desk:
        await desk.sees("command_200")
        page = len(shown(desk))
        await desk.press(key, key)
        await desk.misses("command_200")
        assert len(shown(desk)) == page


async def test_the_view_follows_the_cursor_line_by_line() -> None:
    async with sitting(FakeSource(MANY), size=(80, 24)) as desk:
        await desk.sees("command_200")
        await desk.press(*["down"] * 30)
        await desk.sees("command_170")
        await desk.press("enter")
        await desk.sees("run 170")


async def test_the_cursor_stays_in_view_when_the_window_shrinks() -> None:
    async with sitting(FakeSource(MANY), size=(80, 40)) as desk:
        await desk.sees("command_200")
        await desk.press(*["down"] * 25)
        await desk.pilot.resize_terminal(80, 12)
        await desk.sees("command_175")


async def test_a_far_failure_is_scrolled_to() -> None:
    tasks = [task(number, f"item_{number}") for number in range(1, 300)]
    tasks[250] = task(251, "item_251", failed="Traceback (most recent call last):\nValueError: far")
    async with sitting(FakeSource([run(1, state=State.FAILED, tasks=tasks)]), size=(80, 24)) as desk:
        await desk.sees("reduce")
        await desk.press("enter")
        await desk.sees("item_252")
        await desk.press("home")
        await desk.sees("item_2 ")
        await desk.misses("item_252")
        await desk.press("n")
        await desk.sees("item_252")


async def test_what_is_seen_stays_in_place_while_runs_arrive_above() -> None:
    async with sitting(FakeSource(MANY), size=(80, 24)) as desk:
        await desk.sees("command_200")
        await desk.press(*["down"] * 40)
        await desk.sees("command_160")
        before = shown(desk)
        await desk.answers([*MANY, run(201, "command_201"), run(202, "command_202")])
        await desk.until(lambda: len(desk.app.seen[0].runs) == 202, "the new runs did not come")
        assert shown(desk) == before


async def test_a_page_of_twenty_thousand_lines_draws_no_more_than_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = "".join(f'  File "/data/p.py", line {number}, in step\n    go()\n' for number in range(10_000))
    told = task(1, failed=f"Traceback (most recent call last):\n{frames}ValueError: no\n")
    drawn: list[object] = []
    draw = TextLines.draw

    def counted(view: TextLines, item: Line, width: int) -> list[Piece]:
        drawn.append(item.key)
        return draw(view, item, width)

    async with sitting(FakeSource([run(45, state=State.FAILED, tasks=[told])]), size=(80, 24)) as desk:
        await desk.press("enter")
        await desk.sees("calibrate")
        await desk.press("enter", "pagedown")
        monkeypatch.setattr(TextLines, "draw", counted)
        for key in ("pagedown", "end", "pageup", "home"):
            drawn.clear()
            await desk.press(key)
            assert 0 < len(drawn) <= 2 * 24, key


async def test_the_looks_of_lines_and_keys_follow_the_theme() -> None:
    def ink(row: int, words: str) -> str:
        strip = desk.app.screen._compositor.render_strips()[row]
        return next(str(part.style.color) for part in strip if words in part.text and part.style is not None)

    async with sitting(FakeSource([run(46, state=State.FAILED)]), size=(80, 24)) as desk:
        await desk.sees("46")
        row = next(row for row, line in enumerate(desk.lines()) if "✗ failed" in line)
        dark = (ink(row, "✗ failed"), ink(-1, "quit"))
        desk.app.theme = "safe-light"
        await desk.until(lambda: ink(row, "✗ failed") != dark[0], "the line looks as it did")
        await desk.until(lambda: ink(-1, "quit") != dark[1], "the keys look as they did")
