"""Every screen, and the keys that lead to it from the start: for its pictures, its keys, its mouse."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

from outflow_tui.preferences import Preferences
from outflow_tui.screens.books_screen import BooksScreen
from tests.tui.desk import Desk, sitting
from tests.tui.pictures import Picture, picture_of, sheet
from tests.tui.scenes import observatory
from tests.tui.story import FakeSource, run

BASELINES = Path(__file__).parent / "baselines"
SIZES = ((80, 24), (120, 40), (200, 50))
THEMES: Mapping[str, Mapping[str, str]] = {"dark": {}, "light": {}, "plain": {"NO_COLOR": "1"}}
"""Looks, and what is to be set in the environment for them."""
UNTIL = "until "
"""Among keys: wait until the words behind it stand on the screen."""
SLOWLY = 5.0
"""Seconds between two looks: nothing happens by itself while a picture is made."""


def one() -> tuple[FakeSource, ...]:
    """The books of the observatory."""
    return (observatory(),)


def empty() -> tuple[FakeSource, ...]:
    """Books in which nothing is written yet."""
    return (FakeSource([]),)


def several() -> tuple[FakeSource, ...]:
    """The observatory, and a second pipeline whose books cannot be read."""
    other = FakeSource([run(7, "simulate")])
    other.error = "Cannot reach 'archive' at db2:5432: the connection was refused"
    return (observatory(), other)


@dataclass(frozen=True)
class View:
    """A screen by the keys that lead to it, and words by which it is recognised."""

    name: str
    """As `keys.SCREENS` calls it; for what is no screen of its own, what it is."""
    keys: Sequence[str]
    words: str
    sources: Callable[[], tuple[FakeSource, ...]] = one

    @property
    def file(self) -> Path:
        """Where its pictures are kept."""
        return BASELINES / f"{self.name.lower().replace(',', '').replace(' ', '-')}.svg"


VIEWS = (
    View("Runs", (), "reduce_night"),
    View("Run", ("down", "enter"), "could not convert"),
    View("Traceback", ("down", "enter", "enter"), "run 45  task"),
    View("Failures", ("down", "enter", "2"), "4 failed tasks, 2 causes"),
    View("Timeline", ("down", "enter", "3", "home"), "at most"),
    View("Upstream, downstream", ("down", "enter", "home", "o"), "24 downstream"),
    View("Configuration", ("c",), "tolerance"),
    View("Difference", ("space", "down", "space", "d"), "differ"),
    View("Several configurations", ("space", "space", "space", "d"), "3 runs"),
    View("Search all runs", ("ctrl+f", *"night_0004", f"{UNTIL}6 found", "down"), "6 found"),
    View("Save", ("E",), "Text: all lines of it"),
    View("Searching", ("down", "enter", "enter", "slash", *"gain", "enter"), "1 of"),
    View("Help", ("question_mark",), "Open the run"),
    View("Palette", ("ctrl+p",), "Choose other colours"),
    View("No runs", (), "No run is recorded", empty),
    View("Several sources", (), "Cannot reach", several),
)


@asynccontextmanager
async def at(view: View, theme: str = "dark", *, size: tuple[int, int] = SIZES[0]) -> AsyncIterator[Desk]:
    """Sit before a view, in a usual terminal but for what the theme needs."""
    usual = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "XDG_CONFIG_HOME": "/nowhere", **THEMES[theme]}
    others = {name: told for name, told in os.environ.items() if name not in ("LC_ALL", "LC_CTYPE", "NO_COLOR")}
    with patch.dict(os.environ, others | usual, clear=True):
        likes = Preferences(theme="textual-light") if theme == "light" else None
        async with sitting(*view.sources(), size=size, likes=likes, seconds=SLOWLY) as desk:
            await go(desk, view.keys)
            await desk.sees(view.words)
            yield desk


async def go(desk: Desk, pressed: Sequence[str]) -> None:
    """Press keys, each when what the screen before wanted to know is there, or when the words behind UNTIL are."""
    for key in pressed:
        await is_read(desk)
        if key.startswith(UNTIL):
            await desk.sees(key.removeprefix(UNTIL))
        else:
            await desk.press(key)
    await settled(desk)


async def is_read(desk: Desk) -> None:
    """Wait until what the screen on top wants to know has been read."""
    app = desk.app

    def answered() -> bool:
        top = app.screen
        return not isinstance(top, BooksScreen) or all(
            seen.focus == top.wants(place) and (seen.is_read or bool(seen.error)) for place, seen in enumerate(app.seen)
        )

    await desk.until(answered, "what the screen wants was not read")


async def settled(desk: Desk) -> None:
    """Wait until everything has been read and drawn."""
    await is_read(desk)
    await desk.pilot.pause()
    await is_read(desk)
    await desk.pilot.pause()


def seen(desk: Desk) -> Picture:
    """The window as it is drawn."""
    width, height = desk.app.size
    return picture_of(list(desk.app.screen._compositor.render_strips())[:height], width)


def _is_drawn_in(desk: Desk, size: tuple[int, int]) -> bool:
    return tuple(desk.app.screen.size) == size == tuple(desk.app.size)


async def pictures(view: View) -> str:
    """A view in all windows and themes: a sitting for each theme, resized."""
    found: dict[str, Picture] = {}
    for theme in THEMES:
        async with at(view, theme) as desk:
            for width, height in SIZES:
                await desk.pilot.resize_terminal(width, height)
                await desk.until(partial(_is_drawn_in, desk, (width, height)), "the window has its old size")
                await settled(desk)
                found[f"{theme} {width}x{height}"] = seen(desk)
    return sheet(
        {f"{theme} {width}x{height}": found[f"{theme} {width}x{height}"] for width, height in SIZES for theme in THEMES}
    )
