"""A job array: the head begins the run, each job of the array joins it, wherever it runs.

    python examples/job_array.py config.yml --jobs 3

Without Slurm the jobs are processes of this machine. On a cluster the head would call
`sbatch --wait --array=0-9 part.sh UUID` in the place of `start_jobs`, and the books be PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from outflow_core import join_run, record_run


def head(config: str, jobs: int) -> int:
    """Begin the run, start the jobs, and wait for them; the exit status."""
    with record_run("job_array", config=config, settings={"jobs": jobs}) as run:
        with run.task("split"):
            parts = start_jobs(config, run.uuid, jobs)
        broken = [number for number, part in enumerate(parts) if part.wait() != 0]
        with run.task("merge", inputs={"broken": broken}):
            print(f"{jobs - len(broken)} of {jobs} parts are there")
    return 1 if broken else 0


def start_jobs(config: str, uuid: str, jobs: int) -> list[subprocess.Popen[bytes]]:
    """The jobs, with the variable by which Slurm tells each its number."""
    command = [sys.executable, __file__, config, "--join", uuid]
    return [subprocess.Popen(command, env={**os.environ, "SLURM_ARRAY_TASK_ID": str(n)}) for n in range(jobs)]


def part(config: str, uuid: str) -> None:
    """What one job of the array does."""
    number = int(os.environ["SLURM_ARRAY_TASK_ID"])
    with join_run(uuid, config=config) as run, run.task("part", inputs={"number": number}):
        total = sum(value * value for value in range(number * 10_000, (number + 1) * 10_000))
        print(f"part {number}: {total}")


def main() -> int:
    """Be the head, or with --join one of its jobs."""
    parser = argparse.ArgumentParser(description="A run that many jobs share.")
    parser.add_argument("config")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--join", metavar="UUID", help="be a job of this run")
    options = parser.parse_args()
    if options.join:
        part(options.config, options.join)
        return 0
    return head(options.config, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
