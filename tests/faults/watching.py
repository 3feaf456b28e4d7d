"""The real program before a real source, under a pilot: what is broken meanwhile shows on the screen."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import outflow_tui
from outflow_tui.app import OutflowApp
from outflow_tui.cli.screen import _opener
from outflow_tui.lookout import Watched
from outflow_tui.poller import Looks
from outflow_tui.widgets.title import Notice
from tests.faults.leftovers import held, nothing_left
from tests.faults.table import GAP, Fault
from tests.leaks import leaked
from tests.tui.desk import Desk

SCREENS = ("", "enter", "2", "q 3", "q 4", "q ctrl+f", "escape E", "escape question_mark")
"""Keys that lead from one screen to the next, until each has been seen."""
PASSWORD = "s3cret-@:/%?#-and-long"
NEW_PASSWORD = "an0ther-@:/%?#-one"
SECRETS = (PASSWORD, NEW_PASSWORD)
"""What no source may tell, whatever breaks."""
Opens = Callable[[], Looks]


class ToldApp(OutflowApp):
    """The program; all that it ever showed is kept, and what it said beside the screen."""

    CSS_PATH = str(Path(outflow_tui.__file__).with_name("styles") / "outflow.tcss")

    def __init__(self, *given: Any, **named: Any) -> None:
        self.told = dict[str, None]()
        super().__init__(*given, **named)

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        lines = ["".join(part.text for part in strip).strip() for strip in screen._compositor.render_strips()]
        self.told["\n".join(lines)] = self.told["".join(lines)] = None

    def notify(self, message: str, **how: Any) -> None:
        """Keep a notice."""
        self.told[message] = None
        super().notify(message, **how)

    def write_to_terminal(self, sequence: str) -> None:
        """Keep a title, and a notice of the desktop."""
        self.told[sequence] = None
        super().write_to_terminal(sequence)

    def copy_to_clipboard(self, text: str) -> None:
        """Keep what was copied."""
        self.told[text] = None
        super().copy_to_clipboard(text)


def here(opens: Opens) -> Looks:
    """Open a source where everybody is."""
    return opens()


@asynccontextmanager
async def watching(
    *sources: str,
    copy: bool = False,
    size: tuple[int, int] = (80, 24),
    seconds: float = 0.05,
    clock: Callable[[], datetime] = datetime.now,
    inside: Callable[[Opens], Looks] = here,
) -> AsyncIterator[Desk]:
    """The program on sources as the command line names them; afterwards nothing of it is left in this process.

    In all that it told meanwhile no password may stand. A source is opened `inside` a network, or among other names.
    """
    options = argparse.Namespace(copy=copy)
    opened = [Watched(source, partial(inside, _opener(options, source))) for source in sources]
    async with watching_opened(*opened, size=size, seconds=seconds, clock=clock) as desk:
        yield desk


@asynccontextmanager
async def watching_opened(*sources: Watched, size: tuple[int, int] = (80, 24), **how: Any) -> AsyncIterator[Desk]:
    """The same on sources that are opened by hand."""
    with nothing_left():
        app = ToldApp(sources, **how)
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Desk(app, pilot, [])
        leaks = [told for told in app.told if leaked(told, SECRETS)]
        assert app.told and not leaks, "\n".join(leaks)


async def has_read(desk: Desk) -> None:
    """Wait until everything is read: what breaks then breaks between two looks, not amid a long read."""
    await desk.until(lambda: all(seen.is_read and seen.is_complete for seen in desk.app.seen), "it is not read")


@asynccontextmanager
async def no_more_than_before(desk: Desk) -> AsyncIterator[None]:
    """When what broke inside is whole again, and is read, nothing is held that was not held before."""
    before = held()
    yield
    await desk.until(lambda: not held() - before, f"more than {before} is held")


async def tells(desk: Desk, fault: Fault) -> None:
    """Wait until the screen tells of a fault: in its words, since when, and without a trace of the program's own."""
    tail = f"{GAP} Since {GAP}; trying again every {GAP} s."
    whole = replace(fault, says=fault.says.rstrip(GAP) + tail)
    await desk.until(lambda: whole.is_told(desk.lines()), f"{whole.says!r} is not on the screen")
    said = "".join(str(desk.app.screen.query_one(Notice).render()).split())
    assert "Since" in said, "it is said elsewhere than in the notice"
    ours = [words for words in ("Traceback (", "fault of outflow-tui", "sqlalche.me") if words not in fault.says]
    assert not any("".join(words.split()) in said for words in ours), said
