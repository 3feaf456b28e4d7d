"""A stretch of time laid over the cells of a line; pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

SHORTEST = 10.0
"""A scale that grows begins with as many seconds."""


@dataclass(frozen=True, slots=True)
class TimeScale:
    """From `start` to `end`, in seconds, over `width` cells."""

    start: float
    end: float
    width: int

    @property
    def seconds(self) -> float:
        """How long the whole stretch is."""
        return max(self.end - self.start, 0.001)

    def cells(self, start: float, end: float) -> tuple[int, int]:
        """The first cell of what lasted from start to end, and the one behind its last; at least one.

        >>> TimeScale(0, 100, 10).cells(20, 45), TimeScale(0, 100, 10).cells(99.9, 99.9)
        ((2, 5), (9, 10))
        """
        first = min(max(math.floor(self._cell(start)), 0), self.width - 1)
        return first, max(min(math.ceil(self._cell(end)), self.width), first + 1)

    def _cell(self, moment: float) -> float:
        return (moment - self.start) / self.seconds * self.width

    def side(self, start: float, end: float) -> int:
        """-1 for what lies before the scale altogether, 1 for what lies behind it, else 0."""
        return -1 if end < self.start else 1 if start > self.end else 0

    def stretch(self, cell: int) -> tuple[float, float]:
        """From when to when a cell goes."""
        return self.start + cell * self.seconds / self.width, self.start + (cell + 1) * self.seconds / self.width


def roomy(seconds: float) -> float:
    """A length of time with some room to grow, which changes seldom: four times while it doubles.

    >>> [roomy(seconds) for seconds in (3, 65, 79, 81, 500)]
    [10.0, 80.0, 80.0, 96.0, 512.0]
    """
    seconds = max(seconds, SHORTEST)
    step = 2.0 ** math.floor(math.log2(seconds)) / 4 if seconds > SHORTEST else SHORTEST
    return math.ceil(seconds / step) * step
