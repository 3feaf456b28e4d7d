"""Rows as real Outflow writes them, any number of them, always the same ones; pure."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

FAILED = 0.02
BEGIN = datetime(2026, 3, 1, 8)
HOSTS = ("nid001", "nid002", "nid003", "login1")
COMMANDS = ("reduce_night", "calibrate", "stack", "photometry")
TARGETS = '{"frame": {"type": "str"}, "tolerance": {"type": "float", "default": "1e-06"}}'
CAUSES = (
    ("ValueError", "could not convert string to float: 'n/a' in row {n}", "calibrate.py", 88, "parse_header"),
    ("KeyError", "'GAIN_{n}'", "calibrate.py", 91, "parse_header"),
    ("FileNotFoundError", "[Errno 2] No such file: '/data/raw/night_{n}.fits'", "frames.py", 17, "read_frame"),
    ("TimeoutError", "no answer from archive after {n} s", "archive.py", 140, "fetch"),
)

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How much there is: runs of so many finished tasks; of a live run also so many that wait."""

    runs: int
    tasks: int
    waiting: int = 0
    running: int = 8
    items: int = 5_000
    """How many a map has at most; Outflow writes all of them in one commit."""

    @property
    def is_live(self) -> bool:
        """Whether the newest run goes on."""
        return self.waiting > 0


@dataclass(frozen=True, slots=True)
class RunRows:
    """The rows of one run by table."""

    run: Row
    blocks: list[Row]
    edges: list[Row]
    exceptions: list[Row]


def uuid(numbers: random.Random) -> str:
    """A random uuid, made faster than by the module of that name."""
    digits = f"{numbers.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def traceback(number: int) -> tuple[str, str, str]:
    """Type, message and traceback of one failure."""
    kind, words, file, line, function = CAUSES[number * 7919 % 10 % len(CAUSES)]
    message = f"{kind}: {words.format(n=number)}"
    inner = f'  File "/home/ana/reduce/{file}", line {line}, in {function}\n    value = lookup(header, {number})\n'
    outer = "".join(
        f'  File "/opt/envs/reduce/lib/python3.11/site-packages/runner/{name}.py", line {place}, in {name}\n'
        f"    result = step_{place}(item, context=context, attempts=attempts)\n"
        for name, place in (("execute", 120), ("attempt", 44), ("invoke", 61))
    )
    own = '  File "/home/ana/reduce/pipeline.py", line 41, in run\n    frame = calibrate(path, flat)\n'
    return kind, message, f"Traceback (most recent call last):\n{outer}{own}{inner}{message}\n"


def configuration(number: int) -> Row:
    """One of several stored configurations: (id, config, settings, hash)."""
    config = {"name": "config", "parameters": {"tolerance": 10.0**-number}, "secrets": {"token": "******"}}
    settings = {"name": "settings", "BACKENDS": {"default": "backends.default"}, "PLUGINS": ["reduce.jobs"]}
    return number, json.dumps(config), json.dumps(settings), f"{number:064x}"


def runs(shape: Shape) -> Iterator[RunRows]:
    """All runs of a shape, oldest first."""
    numbers = random.Random(5)
    block = exception = 1
    for run_id in range(1, shape.runs + 1):
        is_live = shape.is_live and run_id == shape.runs
        rows = _Run(run_id, block, exception, numbers).rows(shape, is_live)
        block, exception = block + len(rows.blocks), exception + len(rows.exceptions)
        yield rows


class _Run:
    """One run in the making; a block is (id, uuid, start, end, state, host, type, plugin, name, run, ...)."""

    def __init__(self, run_id: int, block: int, exception: int, numbers: random.Random) -> None:
        self._run_id, self._next, self._exception, self._numbers = run_id, block, exception, numbers
        self._clock = BEGIN + timedelta(minutes=30 * run_id)
        self._blocks: list[Row] = []
        self._edges: list[Row] = []
        self._exceptions: list[Row] = []

    def rows(self, shape: Shape, is_live: bool) -> RunRows:
        begin, top = self._clock, self._block("workflow", "top_level_workflow", "pending", None)
        self._block("task", "load_catalog", "success", top)
        left = shape.tasks - 1
        while left > 0:
            self._map(top, min(left, shape.items))
            left -= shape.items
        waiting = shape.waiting if is_live else 0
        while waiting > 0:
            self._open_map(top, min(waiting, shape.items), shape.running if waiting == shape.waiting else 0)
            waiting -= shape.items
        state = "running" if is_live else "failed" if self._run_id % 10 == 3 else "success"
        end = None if is_live else text_of(self._clock)
        host, command = HOSTS[self._run_id % 4], COMMANDS[self._run_id % 4]
        run = (self._run_id, uuid(self._numbers), text_of(begin), end, state, host, 1 + self._run_id % 5, command)
        return RunRows(run, self._blocks, self._edges, self._exceptions)

    def _map(self, top: int, items: int) -> None:
        """A map that is over, with its failed items; before it and behind it there is an edge."""
        values = json.dumps([{"frame": str(n)} for n in range(items)])
        outer = self._block("workflow", "map_frames", "success", top, values)
        self._edges.append((outer - 1, outer))
        for _ in range(items):
            is_failed = self._numbers.random() < FAILED
            block_id = self._block("task", "reduce_frame", "failed" if is_failed else "success", outer)
            if is_failed:
                self._fail(block_id)

    def _open_map(self, top: int, items: int, running: int) -> None:
        values = json.dumps([{"frame": str(n)} for n in range(items)])
        outer = self._block(
            "workflow", "map_frames", "running" if running else "pending", top if running else None, values
        )
        for number in range(items):
            is_running = number < running
            self._block("task", "reduce_frame", "running" if is_running else "pending", outer if is_running else None)

    def _fail(self, block_id: int) -> None:
        kind, message, words = traceback(block_id)
        self._exceptions.append((self._exception, block_id, kind, message, words, text_of(self._clock)))
        self._exception += 1

    def _block(self, kind: str, name: str, state: str, parent: int | None, values: str = "{}") -> int:
        block_id = self._next
        self._next += 1
        start = end = host = None
        if state != "pending":
            self._clock += timedelta(microseconds=1_001_003)
            start, host = text_of(self._clock), HOSTS[block_id % 3]
            end = None if state == "running" else text_of(self._clock + timedelta(seconds=0.9 + block_id % 7))
            host = None if state == "running" else host
        plugin = "reduce.jobs" if kind == "task" else None
        head = (block_id, uuid(self._numbers), start, end, state, host, kind, plugin, name, self._run_id)
        self._blocks.append((*head, TARGETS, TARGETS, values, parent))
        return block_id


def text_of(when: datetime) -> str:
    """A time as Outflow's databases write it."""
    return when.isoformat(" ", "microseconds")
