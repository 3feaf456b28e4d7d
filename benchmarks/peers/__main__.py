"""Our monitor beside snkmt, a Textual monitor of Snakemake on SQLite: start, idling and memory with 100,000 jobs.

    python -m venv PLACE && PLACE/bin/pip install snkmt greenlet
    python -m benchmarks.peers PLACE [--json FILE]

Both look once a second. The ratio is ours against theirs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.generated import Books, folder
from benchmarks.ratios import Figure, compared, of_pairs, report
from benchmarks.registry import monitor
from benchmarks.start import FIRST_COMMAND, until
from benchmarks.wire import Wire, plain_environment

THEIR_ROW = "2026-03-03 10:00:00"
IDLE = 20.0


def their_jobs(place: Path) -> Path:
    """A database of snkmt's with 100,000 jobs."""
    path = folder() / "snkmt.db"
    if not path.exists():
        script = Path(__file__).with_name("snkmt_jobs.py")
        half = path.with_suffix(".half")
        half.unlink(missing_ok=True)
        subprocess.run([place / "bin" / "python", script, half], check=True, env=plain_environment())
        half.rename(path)
    return path


def figures(place: Path, ours: str, rounds: int = 5) -> Iterator[Figure]:
    """Start, idling and memory."""
    theirs = [str(place / "bin" / "snkmt"), "console", "--db-path", str(their_jobs(place))]
    yield compared(
        "first rows, 100,000 jobs",
        lambda: until(monitor(ours), FIRST_COMMAND),
        lambda: until(theirs, THEIR_ROW),
        wanted="1 x snkmt",
        limit=1,
        rounds=rounds,
    )
    with ExitStack() as stack:
        wires = []
        for command, words in ((theirs, THEIR_ROW), (monitor(ours), FIRST_COMMAND)):
            wire = stack.enter_context(Wire(command))
            wire.until(words)
            wire.drain(3)
            wires.append(wire)
        cpu, sent = [wire.cpu() for wire in wires], [wire.sent for wire in wires]
        wires[0].drain(IDLE)
        wires[1].drain(0)
        used = [wire.cpu() - before for wire, before in zip(wires, cpu, strict=True)]
        written = [float(wire.sent - before) for wire, before in zip(wires, sent, strict=True)]
        memory = [wire.memory() for wire in wires]
    yield of_pairs(f"processor in {IDLE:.0f} s idle", [(used[0], used[1])], wanted="1 x snkmt", limit=1)
    yield of_pairs(f"bytes in {IDLE:.0f} s idle", [(written[0], written[1])], wanted="1 x", limit=1, unit="bytes")
    yield of_pairs("memory", [(memory[0], memory[1])], wanted="1 x snkmt", limit=1, unit="MB")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Our monitor beside snkmt.")
    parser.add_argument("place", type=Path, metavar="PLACE", help="a virtual environment that has snkmt")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the table here, too")
    options = parser.parse_args(arguments)
    report(figures(options.place, str(Books().sqlite("a"))), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
