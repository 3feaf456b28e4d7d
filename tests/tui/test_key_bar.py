"""The line of keys at the bottom: what it says, and what a click on it does."""

from __future__ import annotations

from outflow_core.states import State
from outflow_tui.widgets.key_bar import KeyBar, KeyLabel
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, run, task, traceback_of


def night() -> FakeSource:
    return FakeSource([run(45, state=State.FAILED, tasks=[task(1, "fit", failed=traceback_of("KeyError: 'gain'"))])])


def label(desk: Desk, words: str) -> KeyLabel:
    return next(item for item in desk.app.screen.query_one(KeyBar).labels if item.label == words)


async def click(desk: Desk, words: str) -> None:
    column = desk.lines()[-1].index(words)
    await desk.pilot.click(KeyBar, offset=(column, 0))
    await desk.pilot.pause()


async def test_a_click_on_a_key_presses_it() -> None:
    async with sitting(night(), size=(80, 24)) as desk:
        await desk.sees("45")
        await click(desk, "keys")
        await desk.sees("Show the keys of this screen")
        await click(desk, "back")
        await desk.misses("Show the keys of this screen")


async def test_a_click_on_a_greyed_key_or_beside_the_keys_does_nothing() -> None:
    async with sitting(FakeSource(), size=(120, 24)) as desk:
        await desk.sees("No run is recorded")
        assert not label(desk, "open").possible
        await click(desk, "open")
        await desk.pilot.click(KeyBar, offset=(110, 0))
        await desk.sees("No run is recorded")


async def test_keys_are_lit_when_they_make_sense() -> None:
    async with sitting(FakeSource(), size=(80, 24)) as desk:
        await desk.until(lambda: not label(desk, "open").possible, "open is not greyed")
        await desk.answers(night().runs)
        await desk.until(lambda: label(desk, "open").possible, "open is greyed")


async def test_each_key_tells_under_the_mouse_what_it_does() -> None:
    async with sitting(night(), size=(80, 24)) as desk:
        await desk.sees("45")
        bar = desk.app.screen.query_one(KeyBar)
        await desk.pilot.hover(KeyBar, offset=(desk.lines()[-1].index("quit"), 0))
        assert bar.tooltip == "End the program"
        await desk.pilot.hover(KeyBar, offset=(79, 0))
        assert bar.tooltip is None
