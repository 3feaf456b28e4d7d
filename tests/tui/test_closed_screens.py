"""A screen that is closed is gone: nothing holds on to it, however long the books stay as they are."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from textual._context import visible_screen_stack
from textual.screen import Screen

from tests.tui.desk import Desk
from tests.tui.views import VIEWS, View, at, settled

HOME = ("Runs", "No runs", "Several sources")
OPENED = [view for view in VIEWS if view.name not in HOME]


def screens_above_home(desk: Desk) -> Iterator[weakref.ref[Screen[Any]]]:
    return (weakref.ref(screen) for screen in desk.app.screen_stack[1:])


async def close_all(desk: Desk) -> None:
    while len(desk.app.screen_stack) > 1:
        await desk.press("escape")
        await settled(desk)


@pytest.mark.parametrize("view", OPENED, ids=lambda view: view.name)
async def test_a_closed_screen_is_let_go(view: View) -> None:
    async with at(view) as desk:
        closed = list(screens_above_home(desk))
        assert closed
        await close_all(desk)
        await desk.press("down", "up")  # the last keys are known to those they were sent to
        visible_screen_stack.set([])  # what this test has drawn itself

        def are_gone() -> bool:
            gc.collect()
            return not any(screen() for screen in closed)

        await desk.until(are_gone, "something holds on to a screen that was closed")
