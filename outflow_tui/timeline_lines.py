"""A timeline becomes lines: in which order, over which stretch of time, and what is said of it; pure."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import status
from outflow_tui.format import Glyphs
from outflow_tui.snapshot import RunLine
from outflow_tui.spans import Span, seconds_at
from outflow_tui.time_scale import TimeScale, roomy
from outflow_tui.timeline import Timeline
from outflow_tui.usual import exceeded

TOLERANCE = 2.0
"""Seconds by which a task may lie outside of its run before the clocks are said to disagree."""
REACH = 60.0
"""Seconds around a run, at least, within which a task is shown in its place."""

NO_HOST = "host not recorded"


class Order(Enum):
    """How the tasks of a timeline are put in order."""

    START = "by start"
    HOST = "by host"
    NAME = "by name"
    LONGEST = "longest first"

    @property
    def following(self) -> Order:
        """The order after this one, round and round."""
        orders = list(Order)
        return orders[(orders.index(self) + 1) % len(orders)]


@dataclass(frozen=True, slots=True)
class Group:
    """The heading over the tasks of one host, or of one name."""

    title: str
    spans: tuple[Span, ...]

    @property
    def key(self) -> Hashable:
        """What tells it from the other headings, and from tasks."""
        return ("group", self.title)


Row = Group | Span


def arrange(timeline: Timeline, order: Order, until: float) -> tuple[Row, ...]:
    """The lines in this order: each task once, under the heading of its group where there are groups."""
    if order is Order.START:
        return timeline.spans
    if order is Order.LONGEST:
        return tuple(sorted(timeline.spans, key=lambda span: -(span.seconds(until) or 0.0)))
    groups: dict[str, list[Span]] = defaultdict(list)
    for span in timeline.spans:
        groups[span.row.name if order is Order.NAME else span.row.hostname or NO_HOST].append(span)
    titles = sorted(groups, key=_natural) if order is Order.HOST else list(groups)
    rows: list[Row] = []
    for title in titles:
        rows += [Group(title, tuple(groups[title])), *groups[title]]
    return tuple(rows)


def _natural(title: str) -> tuple[bool, list[tuple[int, str]]]:
    """nid2 before nid10, and last what is not recorded."""
    parts = [part for part in re.split(r"(\d+)", title) if part]
    return title == NO_HOST, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


@dataclass(frozen=True, slots=True)
class Period:
    """The time of a run itself, in seconds; while it `goes_on`, until now."""

    start: float
    end: float
    goes_on: bool = False


def period_of(line: RunLine, timeline: Timeline, now: datetime) -> Period | None:
    """From when to when the run went, by its own clock; by its tasks' where it has none, or ours lags behind."""
    spans, times = timeline.spans, timeline.at_once.times
    row, goes_on = line.row, status.is_alive(line, now)
    if row.start_time is None:
        if not spans:
            return None
        last = max([*times[-1:], spans[-1].end_by(spans[-1].start)])
        return Period(spans[0].start, max(last, seconds_at(now)) if goes_on else last, goes_on)
    start, took = seconds_at(row.start_time), status.took(line, now)
    end = start + took if took is not None else max((start, *times[-1:]))
    ours_lags = goes_on and bool(spans) and spans[len(spans) // 2].start > end + TOLERANCE
    return Period(start, max(end, times[-1]) if ours_lags and times else end, goes_on)


def scale_of(timeline: Timeline, period: Period, width: int) -> TimeScale:
    """The stretch of time that is shown: the run, and the tasks not too far from it.

    Tasks of hosts whose clocks are hours off would press all others together; they are left
    outside, unless most tasks are there.
    """
    inner = near(timeline.spans, period)
    start, end = period.start, period.end
    if 2 * len(inner) < len(timeline.spans):
        inner = timeline.spans
        start, end = inner[0].start, inner[-1].start
    if inner:
        start = min(start, inner[0].start)
        latest = max(span.end_by(span.start) for span in inner)
        end = max(end, inner[-1].start, min(latest, max(end, inner[-1].start) + _reach(period)))
    return TimeScale(start, start + roomy(end - start) if period.goes_on else end, max(width, 1))


def near(spans: Sequence[Span], period: Period) -> Sequence[Span]:
    """The tasks (in order of start) that began in the run, or not too far from it."""
    starts = [span.start for span in spans]
    reach = _reach(period)
    return spans[bisect_left(starts, period.start - reach) : bisect_right(starts, period.end + reach)]


def _reach(period: Period) -> float:
    return max(period.end - period.start, REACH)


def slow_ones(timeline: Timeline, until: float) -> tuple[Span, ...]:
    """The tasks that took, or have been taking, much longer than usual."""
    return (*timeline.slow, *(span for span in timeline.running if exceeded(span, timeline.usual, until)))


def summary(timeline: Timeline, slow: int, glyphs: Glyphs) -> str:
    """How many tasks there are of each kind, those too that have no place in time."""
    ran = len(timeline.spans) - len(timeline.running)
    parts = [
        (ran, "ran"),
        (len(timeline.running), "running"),
        (len(timeline.failed), f"{glyphs.states[State.FAILED]} failed"),
        (slow, f"{glyphs.slow} slow"),
        (timeline.pending, "not started"),
        (timeline.skipped, "skipped"),
        (timeline.timeless, "without times"),
        (timeline.left_out, "older ones left out"),
    ]
    return "  ".join(f"{number} {name}" for number, name in parts if number)


def clock_words(timeline: Timeline, period: Period) -> str:
    """A sentence on clocks that evidently disagree; '' when none does."""
    spans = timeline.spans
    starts = [span.start for span in spans]
    early = spans[: bisect_left(starts, period.start - TOLERANCE)]
    late = spans[bisect_right(starts, period.end + TOLERANCE) :]
    said = []
    if early:
        said.append(_outside(early, f"{_length(period.start - early[0].start)} before the run began"))
    if late:
        after = "ahead of now" if period.goes_on else "after the run was over"
        said.append(_outside(late, f"{_length(late[-1].start - period.end)} {after}"))
    if timeline.backwards:
        said.append(f"{timeline.backwards} ended before {'it' if timeline.backwards == 1 else 'they'} began")
    return f"Clocks seem to disagree: {'; '.join(said)}." if said else ""


def _outside(spans: Sequence[Span], when: str) -> str:
    hosts = Counter(span.row.hostname or NO_HOST for span in spans)
    where = hosts.most_common(1)[0][0] + (f" and {len(hosts) - 1} more" if len(hosts) > 1 else "")
    return f"{len(spans)} task{'s' if len(spans) != 1 else ''} ({where}) up to {when}"


def _length(seconds: float) -> str:
    return words.whole(words.duration(seconds))
