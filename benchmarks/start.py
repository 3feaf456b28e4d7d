"""How long it takes from the command line to the first frame, to the first rows, to an answer for scripts."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator, Sequence

from benchmarks.ratios import Figure, of_pairs, timed
from benchmarks.registry import Bench, figures, monitor, program
from benchmarks.wire import Wire

FIRST_COMMAND = "reduce_night|calibrate|stack|photometry"


def until(command: Sequence[str], words: str) -> float:
    """Seconds until a program shows words."""
    with Wire(command) as wire:
        return wire.until(words)


def used_until(command: Sequence[str], words: str) -> tuple[float, float]:
    """Seconds until a program shows words, and seconds of processor, which others on the machine disturb less."""
    with Wire(command) as wire:
        return wire.until(words), wire.processor()


Program = tuple[Sequence[str], str]


def shown(what: str, ours: Program, bare: Program, *, wanted: str, limit: float, rounds: int) -> Iterator[Figure]:
    """Until words are shown: by the clock, and by the processor."""
    taken = [(used_until(*bare), used_until(*ours)) for _ in range(rounds + 1)][1:]
    for place, name in enumerate((what, f"{what}, processor")):
        pairs = [(theirs[place], own[place]) for theirs, own in taken]
        yield of_pairs(name, pairs, wanted=wanted, limit=limit)


@figures("first-frame")
def first_frame(bench: Bench) -> Iterator[Figure]:
    """The frame before any row."""
    yield from shown(
        "first frame",
        (monitor(str(bench.books.sqlite("a"))), "outflow "),
        (program("empty_app"), "ready"),
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
        yield from shown(
            f"first rows, {what}",
            (monitor(place), FIRST_COMMAND),
            (program("rows_app", url), FIRST_COMMAND),
            wanted="1.15 x 50 rows by Textual and SQLAlchemy Core",
            limit=1.15,
            rounds=bench.rounds(7),
        )


@figures("runs-json")
def runs_json(bench: Bench) -> Iterator[Figure]:
    """The answer for scripts."""
    for what, place, url in places(bench):
        commands = program("runs_json", url), monitor("runs", "--json", "-s", place)
        taken = [tuple(map(used, commands)) for _ in range(bench.rounds(5) + 1)][1:]
        for number, name in enumerate((f"runs --json, {what}", f"runs --json, {what}, processor")):
            pairs = [(theirs[number], ours[number]) for theirs, ours in taken]
            yield of_pairs(name, pairs, wanted="1.3 x SQLAlchemy Core that prints the same", limit=1.3)


def used(command: Sequence[str]) -> tuple[float, float]:
    """Seconds that a program takes, and seconds of processor."""
    before = _children()
    seconds = timed(lambda: subprocess.run(list(command), check=True, stdout=subprocess.DEVNULL))
    return seconds, _children() - before


def _children() -> float:
    """Seconds of processor of all programs that were started here and are over."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime
