"""Desk: the program as a person sits before it; keys go in, lines come out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial

from textual.pilot import Pilot

from outflow_tui.app import OutflowApp
from outflow_tui.lookout import Watched
from outflow_tui.preferences import Preferences
from tests.tui.story import NOW, FakeSource, ToldRun

PATIENCE = 10.0
"""Seconds after which something that should appear is called missing."""


class Desk:
    """The running app with its sources."""

    def __init__(self, app: OutflowApp, pilot: Pilot[None], sources: list[FakeSource]) -> None:
        self.app = app
        self.pilot = pilot
        self.sources = sources

    @property
    def source(self) -> FakeSource:
        """The only source, or the first one."""
        return self.sources[0]

    async def answers(self, runs: Iterable[ToldRun]) -> None:
        """The books say this from now on, and are asked at once."""
        self.source.runs = tuple(runs)
        self.app.action_read_now()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until they are answered."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def lines(self) -> list[str]:
        """The screen as text, line by line."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip)[:width].rstrip() for strip in strips[:height]]

    def text(self) -> str:
        """The whole screen as text."""
        return "\n".join(self.lines())

    async def sees(self, words: str) -> str:
        """Wait until words stand on the screen; the line they stand on."""
        await self.until(lambda: words in self.text(), f"{words!r} is not on the screen")
        return next(line for line in self.lines() if words in line)

    async def misses(self, words: str) -> None:
        """Wait until words are gone from the screen."""
        await self.until(lambda: words not in self.text(), f"{words!r} is still on the screen")

    async def until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Wait for something to become true."""
        waited = 0.0
        while not holds():
            await self.pilot.pause(0.02)
            waited += 0.02
            assert waited < PATIENCE, f"{otherwise}:\n{self.text()}"


@asynccontextmanager
async def sitting(
    *sources: FakeSource,
    size: tuple[int, int] = (100, 30),
    names: tuple[str, ...] = ("reduce/config.yml", "b.yml"),
    likes: Preferences | None = None,
    seconds: float = 0.05,
) -> AsyncIterator[Desk]:
    """Sit down before the program; the first answer is on the screen."""
    watched = [Watched(name, partial(_given, source)) for name, source in zip(names, sources, strict=False)]
    app = OutflowApp(watched, seconds=seconds, clock=lambda: NOW, preferences=likes)
    async with app.run_test(size=size, notifications=True) as pilot:
        desk = Desk(app, pilot, list(sources))
        await desk.until(lambda: all(source.asked for source in sources), "the sources were not asked")
        await pilot.pause()
        yield desk
        await asyncio.sleep(0)


def _given(source: FakeSource) -> FakeSource:
    return source
