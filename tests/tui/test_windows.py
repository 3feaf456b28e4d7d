"""Windows of any size, and the mouse: nothing is lost, and what is clicked is meant."""

from __future__ import annotations

import pytest
from textual import events

from outflow_tui.widgets.line_view import LineView
from tests.tui.desk import Desk
from tests.tui.views import VIEWS, View, at, seen, settled

ANY = ((300, 80), (1, 1), (20, 3), (80, 2), (2, 24), (120, 40))
LISTS = {
    "Runs": "run 45",
    "Run": "run 45  workflow",
    "Failures": "run 45  reduce_night",
    "Timeline": "run 45  reduce_night",
    "Upstream, downstream": "run 45  reduce_night",
}
"""What stands on the screen after a click on the line that the cursor is on."""


def the_list(desk: Desk) -> LineView[object]:  # type: ignore[type-var]
    """The lines that have the keys."""
    return next(view for view in desk.app.screen.query(LineView) if view.has_focus)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
async def test_a_window_of_any_size_loses_nothing(view: View) -> None:
    async with at(view) as desk:
        lists = list(desk.app.screen.query(LineView))
        for lines in lists:
            lines.go_to(len(lines.items) * 2 // 3)
        await settled(desk)
        before = seen(desk)
        places = [lines.cursor_key for lines in lists]
        for size in ANY:
            await desk.pilot.resize_terminal(*size)
            await settled(desk)
            assert len(desk.lines()) == size[1]
            assert [lines.cursor_key for lines in lists] == places, f"at {size}"
        await desk.pilot.resize_terminal(80, 24)
        await settled(desk)
        assert [lines.cursor_key for lines in lists] == places
        assert {part.text for part in before.lines[0]} == {part.text for part in seen(desk).lines[0]}


@pytest.mark.parametrize("name", LISTS)
async def test_a_click_goes_to_a_line_and_another_one_opens_it(name: str) -> None:
    view = next(view for view in VIEWS if view.name == name)
    async with at(view) as desk:
        lines = the_list(desk)
        lines.go_to(0)
        await settled(desk)
        before = desk.app.screen
        await desk.pilot.click(lines, offset=(5, 1))
        await settled(desk)
        assert (lines.cursor, desk.app.screen) == (1, before)
        await desk.pilot.click(lines, offset=(5, 1))
        await desk.sees(LISTS[name])
        assert desk.app.screen is not before


@pytest.mark.parametrize("name", LISTS)
async def test_a_double_click_opens_the_line_under_it(name: str) -> None:
    view = next(view for view in VIEWS if view.name == name)
    async with at(view) as desk:
        lines = the_list(desk)
        lines.go_to(0)
        await settled(desk)
        await desk.pilot.click(lines, offset=(5, 1), times=2)
        await desk.sees(LISTS[name])
        assert lines.cursor == 1


@pytest.mark.parametrize("name", ["Run", "Timeline", "Upstream, downstream", "Help"])
async def test_the_wheel_moves_the_window_and_not_the_cursor(name: str) -> None:
    view = next(view for view in VIEWS if view.name == name)
    async with at(view, size=(80, 12)) as desk:
        lines = the_list(desk)
        lines.go_to(0)
        await settled(desk)
        lines.post_message(events.MouseScrollDown(lines, 5, 1, 0, 1, 0, False, False, False, screen_x=5, screen_y=2))
        await desk.until(lambda: lines.scroll_offset.y > 0, "the wheel does not scroll")
        assert lines.cursor == 0
