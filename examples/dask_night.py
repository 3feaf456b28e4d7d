"""A map over Dask: the items run wherever Dask has workers, and each is recorded where it runs.

    python examples/dask_night.py --config config.yml                           # workers of this machine
    python examples/dask_night.py --config config.yml --scheduler tcp://n1:8786 # those of a cluster

On a cluster the workers need this package, the file's functions, and the way to the database: for
more than one machine that is PostgreSQL.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from distributed import Client, LocalCluster

from outflow_core import OutflowError, record_run


def mean_of_frame(number: int, pixels: int) -> float:
    """The mean of a made-up frame; every twentieth is broken."""
    values = [(number * 7919 + place * 104729) % 1000 for place in range(pixels)]
    if number % 20 == 13:
        raise ValueError(f"frame {number}: no shutter signal")
    return statistics.fmean(values)


def reduce_night(config: Path, client: Client, count: int) -> list[float]:
    """Record and run the night; the means of the frames that are whole."""
    inputs = [{"number": number, "pixels": 2_000} for number in range(count)]
    with record_run("dask_night", config=config, settings={"frames": count}) as run:
        with run.workflow("map_frames", inputs=inputs, tasks=["mean"]) as frames:
            outcomes = frames.map("mean", mean_of_frame, client)
        means = [outcome.result for outcome in outcomes if outcome.result is not None]
        with run.task("stack", inputs={"frames": len(means)}, upstream=[frames]):
            print(f"{len(means)} of {count} frames, mean {statistics.fmean(means):.2f}")
    return means


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the night from the command line."""
    parser = argparse.ArgumentParser(description="Reduce the frames of a night on Dask.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration file")
    parser.add_argument("--scheduler", help="the address of a Dask scheduler; workers of this machine without it")
    parser.add_argument("--frames", type=int, default=60)
    options = parser.parse_args(arguments)
    try:
        if options.scheduler:
            with Client(options.scheduler) as client:
                reduce_night(options.config, client, options.frames)
        else:
            with LocalCluster(n_workers=2, dashboard_address=None) as cluster, Client(cluster) as client:
                reduce_night(options.config, client, options.frames)
    except OutflowError as error:
        print(f"dask_night: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
