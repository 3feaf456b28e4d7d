"""A timeline becomes cells: the bars of tasks, how many at once, what stands over them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui.format import Glyphs
from outflow_tui.spans import AtOnce, Span, moment_at
from outflow_tui.time_scale import TimeScale
from outflow_tui.timeline import Timeline
from outflow_tui.usual import Usual

TALL = 4
"""How many at once it takes, at least, for the tallest sign: one after the other is no crowd."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A task's place on the scale: blanks, a word of ours, the bar itself, and a word behind it."""

    blanks: int
    before: str
    cells: str
    behind: str


def bar(span: Span, scale: TimeScale, until: float, glyphs: Glyphs, slow: Usual | None) -> Bar:
    """Where a task stands; that it is slow is said where there is room: behind its bar, before it, or in it."""
    start, end = span.start, span.end_by(until)
    side = scale.side(start, end)
    if side:
        return _astray(side, scale, glyphs, abs(start - (scale.start if side < 0 else scale.end)))
    first, behind = scale.cells(start, end)
    cells = _cells(span.row.state, behind - first, glyphs)
    said = slow_words(slow) if slow else ""
    if said and behind + 1 + len(said) <= scale.width:
        return Bar(first, "", cells, f" {said}")
    if said and len(said) + 1 <= first:
        return Bar(first - len(said) - 1, f"{said} ", cells, "")
    if said and len(said) + 4 <= len(cells):
        cells = f"{cells[0]} {said} {cells[len(said) + 3 :]}"
    return Bar(first, "", cells, "")


def _cells(state: State, cells: int, glyphs: Glyphs) -> str:
    """A bar; how a task stands is seen at its end."""
    fill = glyphs.broken if state is State.FAILED else glyphs.span
    end = glyphs.states[state] if state in (State.FAILED, State.RUNNING) else fill
    return fill * (cells - 1) + end


def _astray(side: int, scale: TimeScale, glyphs: Glyphs, seconds: float) -> Bar:
    """A sign at the edge for what lies beyond it, with how far away it is."""
    distance = words.whole(words.duration(seconds))
    if side < 0:
        said = f" {distance} before"
        return Bar(0, "", glyphs.before, said if len(said) < scale.width else "")
    said = f"{distance} later "
    left = scale.width - 1 - len(said)
    return Bar(left, said, glyphs.after, "") if left >= 0 else Bar(scale.width - 1, "", glyphs.after, "")


def slow_words(usual: Usual) -> str:
    """That a task is slow, and what it is measured by."""
    return f"slow, {'usually' if usual.run_id is not None else 'others'} {words.duration(usual.seconds)}"


def levels(at_once: AtOnce, scale: TimeScale, until: float, glyphs: Glyphs) -> str:
    """How many tasks ran at once, a sign for each cell: the taller the more."""
    most = max(at_once.most, TALL)
    cells = []
    for cell in range(scale.width):
        start, end = scale.stretch(cell)
        number = at_once.within(start, end) if start < until else 0
        cells.append(glyphs.levels[-(-number * len(glyphs.levels) // most) - 1] if number > 0 else " ")
    return "".join(cells)


def marks(timeline: Timeline, scale: TimeScale, slow: Sequence[Span], until: float, glyphs: Glyphs) -> str:
    """Where something failed, and where something slow ended; a failure hides what is slow in its cell."""
    cells = [" "] * scale.width
    for sign, spans in ((glyphs.slow, slow), (glyphs.states[State.FAILED], timeline.failed)):
        for span in spans:
            end = span.end_by(until)
            if not scale.side(span.start, end):
                cells[scale.cells(span.start, end)[1] - 1] = sign
    return "".join(cells)


def axis(scale: TimeScale, now: datetime, glyphs: Glyphs) -> str:
    """When the scale begins and ends, and how long after the beginning its quarters are.

    >>> from outflow_tui.format import ASCII
    >>> from outflow_tui.spans import seconds_at
    >>> start = seconds_at(datetime(2026, 11, 23, 11, 2))
    >>> axis(TimeScale(start, start + 480, 48), datetime(2026, 11, 23, 12, 0), ASCII)
    '|11:02:00   |+2m00s     |+4m00s     |  11:10:00|'
    """
    begin, finish = moment_at(scale.start), moment_at(scale.end)
    end = f"{finish:%m-%d %H:%M}" if scale.seconds > 86_400 else f"{finish:%H:%M:%S}"
    line = _put(" " * scale.width, max(scale.width - len(end) - 1, 0), f"{end}{glyphs.bar}")
    line = _put(line, 0, f"{glyphs.bar}{words.moment(begin, now)}")
    for quarter in (2, 1, 3):
        place = scale.width * quarter // 4
        after = f"{glyphs.bar}+{_mark(scale.seconds * quarter / 4, scale)}"
        line = _put(line, place, after) if _is_free(line, place, after) else _put(line, place, glyphs.bar)
    return line


def _mark(seconds: float, scale: TimeScale) -> str:
    mark = words.duration(seconds)
    return words.whole(mark) if scale.seconds >= 40 else mark


def _put(line: str, place: int, said: str) -> str:
    """The line with some words at a place, where nothing stands there and they fit."""
    if place + len(said) > len(line) or line[place : place + len(said)].strip():
        return line
    return line[:place] + said + line[place + len(said) :]


def _is_free(line: str, place: int, said: str) -> bool:
    around = line[max(place - 1, 0) : place + len(said) + 1]
    return place + len(said) < len(line) and not around.strip()
