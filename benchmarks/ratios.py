"""Two ways of doing the same, timed in turns: machines are noisy, a ratio of neighbours is less so."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much longer one thing takes than another: the median of the rounds, with the least and the most."""

    what: str
    aim: str
    median: float
    least: float
    most: float
    seconds: float
    """Of the thing itself, for one round: only the ratio is worth a comparison between machines."""


def ratio(what: str, ours: Work, bare: Work, *, aim: str, rounds: int = 7) -> Ratio:
    """Time both in turns, so that what else the machine does meets both; the first round warms up."""
    taken = [(timed(bare), timed(ours)) for _ in range(rounds + 1)][1:]
    ratios = [second / first for first, second in taken]
    seconds = statistics.median(second for _, second in taken)
    return Ratio(what, aim, statistics.median(ratios), min(ratios), max(ratios), seconds)


def timed(work: Work) -> float:
    """Seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def report(found: Iterable[Ratio], file: Path | None) -> None:
    """Print the table, and keep it as JSON."""
    rows = list(found)
    print("| what | ratio | from - to | aim |\n| --- | --- | --- | --- |")
    for row in rows:
        print(f"| {row.what} | {row.median:.2f} | {row.least:.2f} - {row.most:.2f} | {row.aim} |")
    if file is not None:
        file.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
