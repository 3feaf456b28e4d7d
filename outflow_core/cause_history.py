"""In which earlier runs a cause was seen, of what is known of these runs; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from outflow_core.failures import Cause, Fingerprint, History
from outflow_core.rows import RunRow
from outflow_core.states import State

EARLIER_RUNS = 50
"""How many runs before one are looked into."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The runs before one, newest first, that are over and of the same command; `is_all` if no older ones are left."""

    runs: tuple[RunRow, ...]
    is_all: bool


@dataclass(frozen=True, slots=True)
class RunCauses:
    """What an earlier run failed of."""

    run: RunRow
    causes: frozenset[Fingerprint]
    is_whole: bool = True
    """Whether all failures of the run were read."""


def earlier_runs(runs: Iterable[RunRow], run: RunRow, count: int = EARLIER_RUNS) -> Earlier | None:
    """At most `count` runs that can show whether the causes of a run are new; None while its command is not known."""
    if run.command is None:
        return None
    older = [other for other in runs if other.id < run.id and other.command == run.command and other.state.is_final]
    found = sorted(older, key=lambda other: -other.id)
    return Earlier(tuple(found[:count]), len(found) <= count)


def with_history(causes: Sequence[Cause], earlier: Sequence[RunCauses], *, is_all: bool) -> tuple[Cause, ...]:
    """The causes, each with what the earlier runs (newest first) say of it."""
    return tuple(replace(cause, history=history_of(cause.fingerprint, earlier, is_all=is_all)) for cause in causes)


def history_of(fingerprint: Fingerprint, earlier: Sequence[RunCauses], *, is_all: bool) -> History:
    """Where a cause was seen; a run that failed without it says nothing, a successful one that it was gone."""
    row: list[int] = []
    others: list[int] = []
    is_broken = False
    for one in earlier:
        if fingerprint in one.causes:
            (others if is_broken else row).append(one.run.id)
        elif one.is_whole and one.run.state is State.SUCCESS:
            is_broken = True
    since = row[-1] if row else None
    in_part = sum(not one.is_whole for one in earlier)
    return History(since, tuple(others), len(earlier), is_all, in_part, is_open=since is not None and not is_broken)
