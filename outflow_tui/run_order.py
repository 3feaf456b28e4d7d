"""How the runs are put in order; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Protocol, TypeVar

from outflow_tui import status
from outflow_tui.snapshot import RunLine


class RunOrder(Enum):
    """What the runs are sorted by."""

    NEWEST = "newest first"
    LONGEST = "longest first"
    FAILED = "most failed first"
    COMMAND = "by command"
    STATE = "by state"

    @property
    def following(self) -> RunOrder:
        """The order after this one, round and round."""
        orders = list(RunOrder)
        return orders[(orders.index(self) + 1) % len(orders)]

    @property
    def column(self) -> str:
        """The title of the column that tells why a run stands where it stands."""
        return _COLUMNS[self]

    @property
    def is_down(self) -> bool:
        """Whether the greatest comes first."""
        return self in (RunOrder.NEWEST, RunOrder.LONGEST, RunOrder.FAILED)


_COLUMNS = {
    RunOrder.NEWEST: "STARTED",
    RunOrder.LONGEST: "TOOK",
    RunOrder.FAILED: "PROGRESS",
    RunOrder.COMMAND: "COMMAND",
    RunOrder.STATE: "STATE",
}


class HasLine(Protocol):
    """What can be put in order: something with a run's line."""

    @property
    def line(self) -> RunLine:
        """The run."""


Item = TypeVar("Item", bound=HasLine)


def in_order(newest: Sequence[Item], order: RunOrder, now: datetime, *, is_reversed: bool = False) -> Sequence[Item]:
    """The runs, given newest first, in an order; equal ones stay newest first, and what is not known comes last."""
    if order is RunOrder.NEWEST:
        return newest[::-1] if is_reversed else newest
    keyed = [(_KEYS[order](item.line, now), item) for item in newest]
    known = sorted(
        (pair for pair in keyed if pair[0] is not None),
        key=lambda pair: pair[0],
        reverse=order.is_down != is_reversed,
    )
    return [*(item for _, item in known), *(item for key, item in keyed if key is None)]


_KEYS: dict[RunOrder, Callable[[RunLine, datetime], Any]] = {
    RunOrder.LONGEST: status.took,
    RunOrder.FAILED: lambda line, _now: line.tasks.failed,
    RunOrder.COMMAND: lambda line, _now: line.row.command.lower() if line.row.command else None,
    RunOrder.STATE: lambda line, now: status.KINDS.index(status.kind(line, now)),
}
