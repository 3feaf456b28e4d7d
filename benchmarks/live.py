"""A run that goes on: what a tick costs, how soon a change is seen, how many bytes it is, what idling costs."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.opened_run import answer, at_home
from benchmarks.ratios import Figure, bound, busy, of_pairs, timed
from benchmarks.reads import Bare, complete
from benchmarks.registry import Bench, figures, monitor, program
from benchmarks.wire import Wire
from benchmarks.writer import AHEAD, Books
from outflow_core.errors import SourceError
from outflow_core.reader import Reader
from outflow_tui.snapshot import Focus

RATE = 100
BARE_TICK = (
    "SELECT id, state FROM outflow_block WHERE id > {last}",
    "SELECT id, run_id, type, state, name, start_time, end_time FROM outflow_block WHERE id BETWEEN {first} AND {end}",
    "SELECT id, uuid, state, start_time, end_time, hostname, configuration_id FROM outflow_run WHERE id = 1",
)


@contextmanager
def private(bench: Bench, name: str, kind: str = "delete") -> Iterator[str]:
    """A copy of a file to write into."""
    path = bench.books.private(name, kind)
    try:
        yield str(path)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{path}{ending}").unlink(missing_ok=True)


@contextmanager
def written(place: str, seconds: float) -> Iterator[None]:
    """A writer at work, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.writer", place, str(RATE), str(seconds + 5)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@figures("tick")
def tick(bench: Bench) -> Iterator[Figure]:
    """A look after a second of changes, on a million finished tasks and on a thousand."""
    for kind, what in (("delete", "rollback journal"), ("wal", "WAL"), ("indexed", "our indexes")):
        with private(bench, "d", kind) as many, private(bench, "d-small", kind) as few:
            yield from _ticks(bench, what, many, few)
    yield from _ticks(
        bench, "PostgreSQL", bench.books.private_postgresql("d"), bench.books.private_postgresql("d-small")
    )


def all_rows(bare: Bare, statements: list[str]) -> None:
    """The rows of several statements."""
    for statement in statements:
        bare.rows(statement)


def _ticks(bench: Bench, what: str, many: str, few: str) -> Iterator[Figure]:
    large, small = complete(many), complete(few)
    reads = _longest_reads(large._reader)
    writers, bare = (Books(many), Books(few)), Bare(many)
    to_bare, to_few = [], []
    taken = timed if "://" in many else busy  # a file is read in this very thread
    for second in range(bench.rounds(15)):
        first = writers[0].running[0][0]
        for writer in writers:
            for number in range(RATE):
                writer.change(AHEAD + second + number / RATE)
        end = writers[0].running[-1][0]
        statements = [sql.format(last=1 << 30, first=first, end=end) for sql in BARE_TICK]
        bare_seconds = taken(partial(all_rows, bare, statements))
        few_seconds, seconds = (taken(partial(source.look, Focus())) for source in (small, large))
        to_bare.append((bare_seconds, seconds))
        to_few.append((few_seconds, seconds))
    for closed in (large, small, *writers, bare):
        closed.close()
    yield bound(f"longest read of a tick on (d), {what}", [1000 * max(reads)], wanted="20 ms", limit=20, unit="ms")
    yield of_pairs(f"tick on (d), {what}", to_bare, wanted="4 x the bare statements", limit=4)
    yield of_pairs(f"tick on (d) against 1,000 tasks, {what}", to_few, wanted="1.3 x (the same)", limit=1.3)


@figures("polling")
def polling(bench: Bench) -> Iterator[Figure]:
    """All looks together while 100 states a second change: processor, bytes read, the longest read."""
    seconds = bench.seconds(10)
    with private(bench, "d") as place:
        for what, focus in (("at home", Focus()), ("in the run", Focus(run_id=1))):
            source = complete(place, focus)
            reads = _longest_reads(source._reader)  # with the time that the writer's lock is waited for
            failed = 0
            with written(place, seconds):
                start, cpu, read = time.monotonic(), 0.0, _read_bytes()
                while time.monotonic() - start < seconds:
                    before = time.thread_time()
                    try:
                        source.look(focus)
                    except SourceError:
                        failed += 1
                    cpu += time.thread_time() - before
                    time.sleep(1)
                spent = time.monotonic() - start
                megabytes = (_read_bytes() - read) / 1e6 / spent
            source.close()
            yield bound(f"polling (d) {what}", [100 * cpu / spent], wanted="2 % of a core", limit=2, unit="%")
            yield bound(f"read while polling (d) {what}", [megabytes], wanted="5 MB a second", limit=5, unit="MB/s")
            yield bound(f"failed looks (d) {what}", [failed], wanted="0", limit=0, unit="looks")
            yield bound(f"longest wait for an answer (d) {what}", [max(reads)], wanted="one tick", limit=1, unit="s")


def _longest_reads(reader: Reader) -> list[float]:
    """The seconds of every read from now on: from the question to the last row, which is all of its transaction."""
    seconds: list[float] = [0.0]
    ask = reader._ask

    def asked(*question: Any) -> Sequence[Any]:
        start = time.perf_counter()
        try:
            return ask(*question)
        finally:
            seconds.append(time.perf_counter() - start)

    reader._ask = asked  # type: ignore[method-assign, assignment]
    return seconds


def _read_bytes() -> int:
    found = re.search(r"rchar: (\d+)", Path(f"/proc/{os.getpid()}/io").read_text())
    return int(found[1]) if found else 0


@figures("seen-after")
def seen_after(bench: Bench) -> Iterator[Figure]:
    """From a commit to the changed cell on the terminal, with a writer at work; the slowest of twenty."""
    pause = random.Random(3)
    count = 2 if bench.quick else 20
    with private(bench, "d") as place, Wire(monitor(place)) as wire:
        at_home(wire)
        seconds = []
        with written(place, count * 3):
            books = Books(place)
            for number in range(count):
                time.sleep(pause.uniform(0.2, 1.2))
                wire.press("")
                books.execute("UPDATE outflow_run SET command_name = ? WHERE id = 1", f"change{number}")
                wire.began = time.perf_counter()
                seconds.append(wire.until(f"change{number}"))
            books.close()
    slowest = quantiles(seconds, n=20)[-1] if len(seconds) > 2 else max(seconds)
    yield bound("change to changed cell, (d), p95", [slowest], wanted="one tick + 0.1 s", limit=1.1, unit="s")


@figures("idle")
def idle(bench: Bench) -> Iterator[Figure]:
    """A minute without a change: bytes to the terminal, and processor against an empty app with a timer."""
    seconds = bench.seconds(60)
    places = {"SQLite": str(bench.books.sqlite("a")), "PostgreSQL": bench.books.postgresql("a")}
    with ExitStack() as stack:
        bare = stack.enter_context(Wire(program("empty_app", "1")))
        bare.until("ready")
        wires = {f"{what}, {where}": stack.enter_context(Wire(monitor(place)))
                 for what, place in places.items() for where in ("at home", "in a run")}  # fmt: skip
        for what, wire in wires.items():
            at_home(wire)
            if "run" in what:
                answer(wire, "\r")
        everything = {"": bare, **wires}
        sent = {what: wire.sent for what, wire in everything.items()}
        cpu = {what: wire.cpu() for what, wire in everything.items()}
        read = {what: wire.read_bytes() for what, wire in everything.items()}
        time.sleep(seconds)
        for wire in everything.values():
            wire.drain(0)
        used = {what: wire.cpu() - cpu[what] for what, wire in everything.items()}
        for what, wire in wires.items():
            yield bound(
                f"bytes of {seconds:.0f} s idle, {what}",
                [float(wire.sent - sent[what])],
                wanted="0",
                limit=0,
                unit="bytes",
            )
            each = (wire.read_bytes() - read[what]) / seconds
            yield bound(f"bytes read an idle second, {what}", [each], wanted="4,096", limit=4096, unit="bytes")
            words = "2 x the empty app with a timer"
            yield of_pairs(f"processor when idle, {what}", [(max(used[""], 0.01), used[what])], wanted=words, limit=2)


@figures("bytes")
def sent_bytes(bench: Bench) -> Iterator[Figure]:
    """What one change writes to a terminal of 120 columns."""
    with private(bench, "few") as place, Wire(monitor(place)) as wire:
        at_home(wire)
        books = Books(place)
        last = books.rows("SELECT max(id) FROM outflow_block")[0][0]

        def changed(statement: str, *values: object) -> float:
            before = wire.sent
            books.execute(statement, *values)
            wire.drain(bench.seconds(2.5))
            return float(wire.sent - before)

        row = "UPDATE outflow_run SET command_name = ?, hostname = ?, start_time = ? WHERE id = 1"
        words = [("other", "nid1", "2026-01-23 01:23:45.000000"), ("calibrate", "host", "2026-02-14 17:08:09.000000")]
        rows = [changed(row, *words[number % 2]) for number in range(max(bench.rounds(4), 2))]
        yield bound("bytes of a changed row, runs", rows, wanted="400", limit=400, unit="bytes")
        equal = [changed(row, *words[1])]
        yield bound("bytes of an equal change", equal, wanted="0", limit=0, unit="bytes")
        answer(wire, "\r")
        wire.press("G")
        wire.settle(1)
        assert "pending" in wire.glass.lines()[-2], "the tasks that wait are not in view"
        state = "UPDATE outflow_block SET state = ?, end_time = ? WHERE id = ?"
        begins = [changed(state, "running", None, last - 1)]
        yield bound("bytes of a changed state, tree", begins, wanted="120", limit=120, unit="bytes")
        ends = [changed(state, "success", "2026-03-01 12:00:00.000000", last - 1)]
        what = "bytes of a changed state, tree, with the run's progress"
        yield bound(what, ends, wanted="120 for the cell alone", limit=240, unit="bytes")
        hidden = [changed("UPDATE outflow_block SET plugin = 'x' WHERE id = 3")]
        yield bound("bytes of a change off the screen", hidden, wanted="0", limit=0, unit="bytes")
        books.close()


@figures("storm")
def storm(bench: Bench) -> Iterator[Figure]:
    """While 100 states a second change: bytes a second on the screen of the run, against one whole screen a tick."""
    seconds = bench.seconds(10)
    with private(bench, "d") as place, Wire(monitor(place)) as wire:
        at_home(wire)
        answer(wire, "\r")
        full = wire.screen_bytes()
        with written(place, seconds + 5):
            wire.drain(1.5)
            cpu, sent = wire.cpu(), wire.drain(seconds)
            used = wire.cpu() - cpu
        rate = sent / seconds
    yield of_pairs("bytes a second in a live run", [(full, rate)], wanted="1 x the whole screen", limit=1, unit="bytes")
    yield bound("processor in a live run", [100 * used / seconds], wanted="no bound given", limit=100, unit="%")
