"""What the monitor and the recorder cost, as ratios to bare programs, taken in the same run.

    make bench
    python -m benchmarks [NAME ...] [--quick] [--json FILE]

What is not reached stands in bold.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.generated import Books
from benchmarks.ratios import Figure, report
from benchmarks.registry import MAKERS, Bench
from benchmarks.wire import Wire

ROOMS = ("start", "opened_run", "reads", "live", "plans", "pure", "recording")


def names() -> list[str]:
    """The names of all figures."""
    for room in ROOMS:
        import_module(f"benchmarks.{room}")
    return list(MAKERS)


def measure(chosen: Sequence[str], bench: Bench) -> Iterator[Figure]:
    """The figures of these names, one after the other."""
    for name in chosen:
        yield from MAKERS[name](bench)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    known = names()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What the monitor costs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which figures (default: all): {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="small databases, one round: only that they run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the table here, too")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in known:
            parser.error(f"unknown figure {name!r}; known are {', '.join(known)}")
    Wire.rest = 0.2 if options.quick else 1.0
    books = Books(quick=options.quick)
    try:
        report(measure(options.names or known, Bench(books, options.quick)), options.json)
    finally:
        books.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
