"""How long tasks of a name usually take, and from when on one took much longer; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from outflow_core.rows import BlockRow
from outflow_core.states import BlockType, State
from outflow_tui.spans import Span

FEW = 8
"""How many tasks of a name it takes to say what is usual among them."""
TIMES = 3
"""How many times the usual time is much."""
SECONDS = 5.0
"""What is less than this above the usual time is never called slow."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What tasks of one name usually take, by the median; what takes more than `limit` is slow."""

    seconds: float
    limit: float
    run_id: int | None = None
    """The earlier run that it was found in; None: among the tasks of the same run."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What tasks took in an earlier run, by name."""

    run_id: int
    usual: Mapping[str, Usual]


def usual_of(durations: Sequence[float], run_id: int | None = None) -> Usual:
    """What is usual among these durations.

    >>> usual_of([12.0, 12.0, 13.0, 11.0, 12.0, 12.0, 12.0, 300.0]).seconds
    12.0
    >>> usual_of([2.0], 41)
    Usual(seconds=2.0, limit=7.0, run_id=41)
    """
    quarter, half, last_quarter = (
        quantiles(durations, n=4, method="inclusive") if len(durations) > 1 else [durations[0]] * 3
    )
    fence = last_quarter + 3 * (last_quarter - quarter)
    return Usual(half, max(TIMES * half, half + SECONDS, fence), run_id)


def durations_of(rows: Iterable[BlockRow]) -> dict[str, list[float]]:
    """How long successful tasks took, by name; what clocks turned round is left out."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.state is State.SUCCESS and row.type is BlockType.TASK and row.start_time and row.end_time:
            seconds = (row.end_time - row.start_time).total_seconds()
            if seconds >= 0:
                found[row.name].append(seconds)
    return found


def earlier_of(run_id: int, rows: Iterable[BlockRow]) -> Earlier:
    """What the tasks of an earlier run took."""
    return Earlier(run_id, {name: usual_of(seconds, run_id) for name, seconds in durations_of(rows).items()})


def usual_by_name(rows: Iterable[BlockRow], earlier: Earlier | None) -> dict[str, tuple[Usual, ...]]:
    """What is usual, by name: in the earlier run, then among many tasks of the same run."""
    found: dict[str, tuple[Usual, ...]] = {name: (usual,) for name, usual in earlier.usual.items()} if earlier else {}
    for name, seconds in durations_of(rows).items():
        if len(seconds) >= FEW:
            found[name] = (*found.get(name, ()), usual_of(seconds))
    return found


def exceeded(span: Span, usual: Mapping[str, Sequence[Usual]], until: float) -> Usual | None:
    """What a task took much longer than, seen at a moment; None when it did not."""
    known = usual.get(span.row.name) if span.row.type is BlockType.TASK else None
    seconds = span.seconds(until) if known else None
    return next((one for one in known or () if seconds is not None and seconds > one.limit), None)
