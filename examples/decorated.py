"""A pipeline of plain functions that record themselves.

python examples/decorated.py config.yml
"""

from __future__ import annotations

import statistics
import sys

from outflow_core import record_run, task, workflow


@task
def load(night: int) -> list[float]:
    """The counts of a night."""
    return [1000 + (night * 31 + place * 17) % 60 for place in range(200)]


@task(name="clip outliers")
def clip(counts: list[float], sigma: float = 1.5) -> list[float]:
    """The counts without those that lie far out; the books say that there were 200, not which."""
    centre, width = statistics.fmean(counts), statistics.stdev(counts)
    return [count for count in counts if abs(count - centre) <= sigma * width]


@workflow
def reduce(night: int) -> float:
    """The level of a night."""
    return statistics.fmean(clip(load(night)))


def main(config: str) -> None:
    """Reduce three nights in one recorded run."""
    with record_run("decorated", config=config):
        for night in range(3):
            print(f"night {night}: {reduce(night):.1f}")


if __name__ == "__main__":
    main(sys.argv[1])
