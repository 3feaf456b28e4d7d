"""When tasks ran, in seconds on one line of time, and how many of them at once; pure.

The books hold naive local times of the node that wrote them: an end can precede its start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from outflow_core.rows import BlockRow
from outflow_core.states import BlockType, State

MOMENT = 0.001
"""For how many seconds a task that took no time at all is counted as running."""

_ZERO = datetime(2000, 1, 1)
_FIRST = (datetime.min - _ZERO).total_seconds()
_LAST = (datetime.max - timedelta(seconds=1) - _ZERO).total_seconds()


def seconds_at(moment: datetime) -> float:
    """A time as a number of seconds, whatever its zone."""
    return (moment - _ZERO).total_seconds()


def moment_at(seconds: float) -> datetime:
    """The time of a number of seconds.

    >>> moment_at(seconds_at(datetime(2026, 11, 23, 12, 0)))
    datetime.datetime(2026, 11, 23, 12, 0)
    """
    return _ZERO + timedelta(seconds=min(max(seconds, _FIRST), _LAST))


@dataclass(frozen=True, slots=True)
class Span:
    """A task that has begun; `end` is None while it goes on, and never before `start`."""

    row: BlockRow
    start: float
    end: float | None

    @property
    def key(self) -> int:
        """The id of the task."""
        return self.row.id

    def end_by(self, until: float) -> float:
        """Where it ends, seen at a moment: one that goes on ends there."""
        return self.end if self.end is not None else max(self.start, until)

    def seconds(self, until: float) -> float | None:
        """How long it took, seen at a moment; None where the books do not tell."""
        if self.end is not None and (self.row.start_time is None or self.row.end_time is None):
            return None
        return self.end_by(until) - self.start


def span_of(row: BlockRow) -> Span | None:
    """When a task ran; None when it has not begun, or nobody wrote down when."""
    start = row.start_time or (row.end_time if row.state.is_final else None)
    if start is None or row.state in (State.PENDING, State.SKIPPED):
        return None
    begun = seconds_at(start)
    if row.state is State.RUNNING:
        return Span(row, begun, None)
    return Span(row, begun, max(begun, seconds_at(row.end_time)) if row.end_time else begun)


def spans_of(blocks: Sequence[BlockRow], known: Mapping[int, Span]) -> tuple[Span, ...]:
    """The tasks that have begun, and workflows that failed by themselves, in order of start.

    What is `known` by id and did not change stays the same object, so that comparing is cheap.
    """
    around_failed = {row.parent_id for row in blocks if row.state is State.FAILED}
    found = []
    for row in blocks:
        if row.type is BlockType.WORKFLOW and (row.state is not State.FAILED or row.id in around_failed):
            continue
        span = known.get(row.id)
        if span is None or span.row is not row:
            span = span_of(row)
        if span is not None:
            found.append(span)
    return tuple(sorted(found, key=attrgetter("start")))


@dataclass(frozen=True, slots=True)
class AtOnce:
    """How many tasks ran at the same time: `counts[n]` from `times[n]` until `times[n + 1]`."""

    times: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()

    @property
    def most(self) -> int:
        """The greatest number of tasks that ran at the same time."""
        return max(self.counts, default=0)

    def within(self, start: float, end: float) -> int:
        """The greatest number from `start` until before `end`."""
        before = bisect_right(self.times, start) - 1
        return max(self.counts[max(before, 0) : bisect_left(self.times, end)], default=0)


def at_once(spans: Iterable[Span]) -> AtOnce:
    """How many of these tasks ran at the same time; one that goes on never ends, and workflows do not count.

    A task that begins at the moment in which another one ends did not run together with it.
    """
    tasks = [span for span in spans if span.row.type is BlockType.TASK]
    starts = sorted(span.start for span in tasks)
    ends = sorted(max(span.end, span.start + MOMENT) for span in tasks if span.end is not None)
    times: list[float] = []
    counts: list[int] = []
    begun = ended = 0
    for moment in sorted({*starts, *ends}):
        while begun < len(starts) and starts[begun] <= moment:
            begun += 1
        while ended < len(ends) and ends[ended] <= moment:
            ended += 1
        times.append(moment)
        counts.append(begun - ended)
    return AtOnce(tuple(times), tuple(counts))
