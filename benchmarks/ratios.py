"""Two ways of doing the same, measured in turns: machines are noisy, a ratio of neighbours is less so."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Work = Callable[[], object]
Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """How one thing compares to another, or to a bound: the median of the rounds, with the least and the most."""

    what: str
    wanted: str
    reached: float
    limit: float
    least: float
    most: float
    ours: float
    """The thing itself, for one round, in `unit`: only the ratio is worth a comparison between machines."""
    bare: float
    """What it is compared to, in the same unit; 0 for a bound that is compared to nothing."""
    unit: str = "s"

    @property
    def is_reached(self) -> bool:
        """Whether it is what was wanted, at the accuracy of the table."""
        return round(self.reached, 2) <= self.limit


def ratio(what: str, ours: Work, bare: Work, *, wanted: str, limit: float, rounds: int = 7) -> Figure:
    """How much longer one piece of work takes than another."""
    return compared(what, lambda: timed(ours), lambda: timed(bare), wanted=wanted, limit=limit, rounds=rounds)


def compared(
    what: str, ours: Measure, bare: Measure, *, wanted: str, limit: float, rounds: int = 7, unit: str = "s"
) -> Figure:
    """How two measures compare, taken in turns, so that what else the machine does meets both; one round warms up."""
    taken = [(bare(), ours()) for _ in range(rounds + 1)][1:]
    return of_pairs(what, taken, wanted=wanted, limit=limit, unit=unit)


def of_pairs(what: str, pairs: Sequence[tuple[float, float]], *, wanted: str, limit: float, unit: str = "s") -> Figure:
    """How what was measured (bare, ours) in some rounds compares."""
    ratios = [ours / max(bare, 1e-9) for bare, ours in pairs]
    bare, ours = (statistics.median(values) for values in zip(*pairs, strict=True))
    return Figure(what, wanted, statistics.median(ratios), limit, min(ratios), max(ratios), ours, bare, unit)


def bound(what: str, values: Sequence[float], *, wanted: str, limit: float, unit: str, bare: float = 0.0) -> Figure:
    """A measure that is held against a fixed bound, not against another program."""
    middle = statistics.median(values)
    return Figure(what, wanted, middle, limit, min(values), max(values), middle, bare, unit)


def timed(work: Work) -> float:
    """Seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def busy(work: Work) -> float:
    """Seconds of this thread's processor that some work takes: what else the machine does is not in it."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def amount(value: float, unit: str) -> str:
    """A measured value as people read it."""
    if not value:
        return ""
    if unit != "s":
        return f"{value:,.1f} {unit}"
    factor, name = next((pair for pair in ((1, "s"), (1e3, "ms")) if value * pair[0] >= 1), (1e6, "us"))
    return f"{value * factor:.{2 if value * factor < 100 else 0}f} {name}"


def row(figure: Figure) -> str:
    """One line of the table."""
    reached = f"{'' if figure.is_reached else '**'}{figure.reached:.2f}{'' if figure.is_reached else '**'}"
    spread = f"{figure.least:.2f} - {figure.most:.2f}"
    ours, bare = (amount(value, figure.unit) for value in (figure.ours, figure.bare))
    return f"| {figure.what} | {reached} | {spread} | {figure.wanted} | {ours} | {bare} |"


HEAD = "| what | reached | from - to | wanted | ours | bare |\n| --- | --- | --- | --- | --- | --- |"


def report(found: Iterable[Figure], file: Path | None = None) -> None:
    """Print the table as its figures come, what is not reached in bold; and keep it as JSON."""
    figures = []
    print(HEAD, flush=True)
    for figure in found:
        figures.append({**asdict(figure), "is_reached": figure.is_reached})
        print(row(figure), flush=True)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
