"""Clocks jump while the screen is open, ours and those of hosts that write: it is told, and no time is negative."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.files_broken import execute
from tests.faults.table import Fault
from tests.faults.watching import has_read, watching
from tests.hostile.books import make_books
from tests.tui.desk import Desk

RUN = 5
"""It goes on, and is the newest."""
NEGATIVE = re.compile(r"(?<![\w./:-])[-−]\s?\d[\d.]*\s?(?:s|m|h|d|min)(?![a-z])")
"""A length of time, or an age, below zero."""


@dataclass
class Times:
    """Books of a run that goes on, and the clock of whoever looks at them."""

    books: Path
    set_by: timedelta = timedelta()

    def now(self) -> datetime:
        """What our clock says."""
        return datetime.now() + self.set_by

    def change(self, *statements: str) -> None:
        """Somebody writes."""
        execute(self.books, statements)


Breaks = Callable[[Times], AbstractContextManager[None]]


def ours(by: timedelta) -> Breaks:
    """Our clock is set."""

    @contextmanager
    def breaks(times: Times) -> Iterator[None]:
        times.set_by = by
        yield
        times.set_by = timedelta()

    return breaks


def written(start: str, end: str) -> Breaks:
    """Two tasks that waited are run where the clock was set, and are told with these times; then they are run again."""

    @contextmanager
    def breaks(times: Times) -> Iterator[None]:
        times.change(f"UPDATE outflow_block SET state = 'success', start_time = {start}, end_time = {end} {TWO}")
        yield
        times.change(f"UPDATE outflow_block SET state = 'running', start_time = {at(-1)}, end_time = NULL {TWO}")

    return breaks


@contextmanager
def ended_early(times: Times) -> Iterator[None]:
    """A run is told to have ended before it began."""
    times.change(f"UPDATE outflow_run SET state = 'success', end_time = {at(-300)} WHERE id = {RUN}")
    yield
    times.change(f"UPDATE outflow_run SET state = 'running', end_time = NULL WHERE id = {RUN}")


def at(minutes: int) -> str:
    """So many minutes from now, as SQLite tells it and Outflow writes it."""
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', 'localtime', '{minutes} minutes')"


TWO = "WHERE id IN (3, 4)"
TIMELINE = ("enter", "3")
AGAIN = "when they are run again"
CASES: tuple[tuple[Fault, tuple[str, ...]], ...] = (
    (
        Fault("our clock is set forward by three hours", "? silent 3 h", "when it is right", ours(timedelta(hours=3))),
        (),
    ),
    (
        Fault("our clock is set back by a day", "▶ running 0s", "when it is right", ours(timedelta(days=-1))),
        TIMELINE,
    ),
    (
        Fault(
            "tasks are run on a host whose clock is five hours ahead",
            "Clocks seem to disagree: 2 tasks (…) up to … ahead of now.",
            AGAIN,
            written(at(300), at(301)),
        ),
        TIMELINE,
    ),
    (
        Fault(
            "tasks are run on a host whose clock is five hours behind",
            "Clocks seem to disagree: 2 tasks (…) up to … before the run began.",
            AGAIN,
            written(at(-300), at(-299)),
        ),
        TIMELINE,
    ),
    (
        Fault(
            "the clock of a host is set back by five hours while tasks run on it",
            "Clocks seem to disagree: … 2 ended before they began.",
            AGAIN,
            written(at(-1), at(-300)),
        ),
        TIMELINE,
    ),
    (
        Fault(
            "the clock of a host is set back by five hours while a run goes on there",
            "✓ success 0.0s … Clocks seem to disagree: 4 tasks (…) up to … after the run was over.",
            "when it goes on",
            ended_early,
        ),
        TIMELINE,
    ),
)
FAULTS = tuple(fault for fault, _ in CASES)


@pytest.fixture
def times(tmp_path: Path) -> Times:
    """A run that began ten minutes ago, with tasks that are over, one that goes on and two that wait."""
    books = make_books(tmp_path / "outflow.db", lambda where, number: f"{where}{number}", RUN + 1)
    execute(
        books,
        [
            f"DELETE FROM outflow_run WHERE id > {RUN}",
            f"UPDATE outflow_run SET state = 'success', start_time = {at(-90)}, end_time = {at(-60)}",
            f"UPDATE outflow_run SET state = 'running', start_time = {at(-10)}, end_time = NULL WHERE id = {RUN}",
            f"UPDATE outflow_block SET state = 'success', start_time = {at(-9)}, end_time = {at(-2)}",
            f"UPDATE outflow_block SET state = 'running', end_time = NULL WHERE id IN (1, {RUN})",
            f"UPDATE outflow_block SET state = 'pending', start_time = NULL, end_time = NULL {TWO}",
            "DELETE FROM outflow_runtime_exception WHERE id > 2",
            "UPDATE outflow_block SET state = 'failed' WHERE id = 2",
        ],
    )
    return Times(books)


async def is_never_negative(desk: Desk) -> None:
    """Go over the screens that tell times, from the first one on and back."""
    for keys in ("", "enter", "2", "q 3", "q q"):
        await desk.press(*keys.split())
        assert not NEGATIVE.search(desk.text()), desk.text()


@pytest.mark.parametrize(("fault", "keys"), CASES, ids=lambda case: case.name if isinstance(case, Fault) else "")
async def test_a_clock_that_jumps_is_told_and_makes_no_time_negative(
    fault: Fault, keys: tuple[str, ...], times: Times
) -> None:
    async with watching(str(times.books), size=(120, 30), clock=times.now) as desk:
        await desk.sees(f"command{RUN}")
        await has_read(desk)
        await desk.press(*keys)
        assert not fault.is_told(desk.lines())
        with fault.breaks(times):
            await desk.until(lambda: fault.is_told(desk.lines()), f"{fault.says!r} is not told")
            await desk.press(*["q"] * len(keys))
            await is_never_negative(desk)
            await desk.press(*keys)
            await desk.until(lambda: fault.is_told(desk.lines()), f"{fault.says!r} is not told any more")
        await desk.until(lambda: not fault.is_told(desk.lines()), f"{fault.says!r} is told still")
        assert not NEGATIVE.search(desk.text())


def test_a_negative_time_would_be_found() -> None:
    assert all(NEGATIVE.search(words) for words in ("took -3.0s", "-2 min", "(-1h30m)", "silent −5 s"))
    assert not any(
        NEGATIVE.search(words) for words in ("2026-11-20 10:00", "run-5 s", "3.0s", "a - 5 tasks", "-5 more")
    )
