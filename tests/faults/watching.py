"""The real program before a real source, under a pilot: what is broken meanwhile shows on the screen."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from outflow_tui.app import OutflowApp
from outflow_tui.cli.screen import _opener
from outflow_tui.lookout import Watched
from tests.faults.leftovers import nothing_left
from tests.faults.table import GAP, Fault
from tests.tui.desk import Desk

SCREENS = ("", "enter", "2", "q 3", "q 4", "q ctrl+f", "escape E", "escape question_mark")
"""Keys that lead from one screen to the next, until each has been seen."""


@asynccontextmanager
async def watching(
    *sources: str,
    copy: bool = False,
    size: tuple[int, int] = (80, 24),
    seconds: float = 0.05,
    clock: Callable[[], datetime] = datetime.now,
) -> AsyncIterator[Desk]:
    """The program on sources as the command line names them; afterwards nothing of it is left in this process."""
    with nothing_left():
        options = argparse.Namespace(copy=copy)
        app = OutflowApp(
            [Watched(source, _opener(options, source)) for source in sources], seconds=seconds, clock=clock
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Desk(app, pilot, [])


async def has_read(desk: Desk) -> None:
    """Wait until everything is read: what breaks then breaks between two looks, not amid a long read."""
    await desk.until(lambda: all(seen.is_read and seen.is_complete for seen in desk.app.seen), "it is not read")


async def tells(desk: Desk, fault: Fault) -> None:
    """Wait until the screen tells of a fault: in its words, since when, and without a trace of the program's own."""
    tail = f"{GAP} Since {GAP}; trying again every {GAP} s."
    whole = replace(fault, says=fault.says.rstrip(GAP) + tail)
    await desk.until(lambda: whole.is_told(desk.lines()), f"{whole.says!r} is not on the screen")
    text = "".join(desk.text().split())
    ours = [words for words in ("Traceback (", "fault of outflow-tui", "sqlalche.me") if words not in fault.says]
    assert not any("".join(words.split()) in text for words in ours), desk.text()
