"""Asking the books, once: the answer is of one database, and errors name the source."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from outflow_core import configuration_queries, meant_run, run_counts, run_queries
from outflow_core.errors import NotFoundError, SchemaError, SourceError
from outflow_core.lives import Watch
from outflow_core.reader import Reader
from outflow_core.rows import BlockRow, ConfigurationRow, Life, ProcessRow, RunRow, Sign, TaskCounts
from outflow_core.sources import find_database
from outflow_core.states import BlockType, State
from outflow_tui.snapshot import RunLine

TRIES = 3
Answer = TypeVar("Answer")


def open_reader(options: argparse.Namespace) -> Reader:
    """The reader of the source that is meant."""
    return Reader(find_database(options.source), copy=options.copy)


def asked(options: argparse.Namespace, ask: Callable[[Reader], Answer]) -> Answer:
    """What the books of the source answer; asked again when the file was replaced meanwhile."""
    reader = open_reader(options)
    try:
        return steady(reader, ask)
    finally:
        reader.close()


def steady(reader: Reader, ask: Callable[[Reader], Answer]) -> Answer:
    """What the books answer, all of it from one and the same file."""
    try:
        for _ in range(TRIES):
            reader.pulse()
            identity = reader.identity
            answer = ask(reader)
            if reader.identity == identity:
                return answer
    except SchemaError as error:
        raise error.of(reader.name) from None
    raise SourceError(f"{reader.name}: replaced again and again while it is read; trying again may do.")


def run_meant(reader: Reader, wanted: str) -> RunRow:
    """The run that a person means, or an error that names the source."""
    try:
        return meant_run.find_run(reader, wanted)
    except NotFoundError as error:
        raise NotFoundError(f"{reader.name}: {error}") from None


def configuration_of(reader: Reader, run: RunRow) -> ConfigurationRow:
    """The configuration of a run, or an error that names both."""
    found = configuration_queries.configurations(reader, [run.configuration_id])
    if run.configuration_id not in found:
        raise NotFoundError(f"{reader.name}: configuration {run.configuration_id} of run {run.id} is not in the books.")
    return found[run.configuration_id]


def lines_of(reader: Reader, rows: Sequence[RunRow]) -> list[RunLine]:
    """These runs with their tasks, and what is known of the lives of those that claim to run."""
    running = [row.id for row in rows if row.state is State.RUNNING]
    tasks = run_counts.task_counts(reader, {row.id for row in rows}) if rows else {}
    signs, lives = run_counts.last_signs(reader, running), lives_of(reader, running)
    return [
        RunLine(row, tasks.get(row.id, TaskCounts()), signs.get(row.id, row.start_time), life=lives.get(row.id))
        for row in rows
    ]


def line_of(reader: Reader, row: RunRow, blocks: Iterable[BlockRow]) -> RunLine:
    """One run as a line, by its blocks, which are read already."""
    tasks, signs = Counter[str](), [row.start_time]
    for block in blocks:
        tasks[block.state.value] += block.type is BlockType.TASK
        signs += (block.start_time, block.end_time)
    sign = max((time for time in signs if time is not None), default=None)
    lives = lives_of(reader, [row.id]) if row.state is State.RUNNING else {}
    return RunLine(row, TaskCounts(**tasks), sign, life=lives.get(row.id))


def lives_of(reader: Reader, run_ids: Collection[int]) -> Mapping[int, Life]:
    """What is known of the processes of these runs, where a table tells."""
    return Watch().lives(run_queries.processes(reader, run_ids)) if run_ids and reader.has_processes() else {}


def signs_of(reader: Reader, run_id: int) -> tuple[tuple[ProcessRow, Sign], ...]:
    """All processes that recorded a run, and how each stands."""
    watch = Watch()
    rows = run_queries.processes(reader, [run_id], ended=True).get(run_id, ()) if reader.has_processes() else ()
    watch.look(rows)
    return tuple((row, watch.sign(row)) for row in rows)
