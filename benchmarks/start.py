"""How long it takes from the command line to the first frame, to the first rows, to an answer for scripts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from functools import partial

from benchmarks.ratios import Figure, compared, timed
from benchmarks.registry import Bench, figures, monitor, program
from benchmarks.wire import Wire

FIRST_COMMAND = "reduce_night|calibrate|stack|photometry"


def until(command: Sequence[str], words: str) -> float:
    """Seconds until a program shows words."""
    with Wire(command) as wire:
        return wire.until(words)


@figures("first-frame")
def first_frame(bench: Bench) -> Iterator[Figure]:
    """The frame before any row."""
    path = str(bench.books.sqlite("a"))
    yield compared(
        "first frame",
        lambda: until(monitor(path), "outflow "),
        lambda: until(program("empty_app"), "ready"),
        wanted="1.2 x the empty Textual app",
        limit=1.2,
        rounds=bench.rounds(9),
    )


def places(bench: Bench) -> Iterator[tuple[str, str, str]]:
    """Databases by name, as the monitor and as SQLAlchemy are told of them."""
    for name in "abc":
        path = str(bench.books.sqlite(name))
        yield f"SQLite ({name})", path, f"sqlite:///{path}"
    url = bench.books.postgresql("a")
    yield "PostgreSQL (a)", url, url.replace("postgresql:", "postgresql+psycopg2:")


@figures("first-rows")
def first_rows(bench: Bench) -> Iterator[Figure]:
    """The newest runs, with the columns that are known at once."""
    for what, place, url in places(bench):
        yield compared(
            f"first rows, {what}",
            partial(until, monitor(place), FIRST_COMMAND),
            partial(until, program("rows_app", url), FIRST_COMMAND),
            wanted="1.15 x 50 rows by Textual and SQLAlchemy Core",
            limit=1.15,
            rounds=bench.rounds(7),
        )


@figures("runs-json")
def runs_json(bench: Bench) -> Iterator[Figure]:
    """The answer for scripts."""
    for what, place, url in places(bench):
        yield compared(
            f"runs --json, {what}",
            partial(run, monitor("runs", "--json", "-s", place)),
            partial(run, program("runs_json", url)),
            wanted="1.3 x SQLAlchemy Core that prints the same",
            limit=1.3,
            rounds=bench.rounds(5),
        )


def run(command: Sequence[str]) -> float:
    """Seconds that a program takes."""
    return timed(lambda: subprocess.run(list(command), check=True, stdout=subprocess.DEVNULL))
