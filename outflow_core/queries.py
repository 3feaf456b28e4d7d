"""Reads for the screens and the scripts: every function asks short questions and returns frozen rows.

The columns are named, never taken by position: their order differs between the databases that
Outflow made. States are compared as text, so that a value from a newer version has a name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    not_,
    select,
    type_coerce,
)

from outflow_core import run_shape
from outflow_core.clock import SecondsBetween, SecondsSince
from outflow_core.errors import NotFoundError, SchemaError
from outflow_core.json_length import JsonLength
from outflow_core.json_text import as_json
from outflow_core.masking import mask_inputs, mask_leaves, mask_secrets, mask_text, masked_and_sealed, may_be_masked
from outflow_core.odd_values import Whole, told
from outflow_core.odd_values import as_text as as_text
from outflow_core.reader import Reads
from outflow_core.rows import BlockDetail, BlockRow, ConfigurationRow, ExceptionRow, ProcessRow, RunRow, TaskCounts
from outflow_core.run_shape import Page, ShapeRow
from outflow_core.states import BlockType, State
from outflow_core.tables import block, configuration, edge, process, run, runtime_exception
from outflow_core.task_inputs import task_inputs

CHUNK = 450
"""How many values one IN (...) holds: SQLite's older limit is 999."""

LONG_INPUTS = 200_000
"""Inputs with more characters are not read to be counted."""

UUID_DIGITS = 8
"""From how many digits on a number that is no id is looked for as the beginning of a uuid."""

SLICE = 20_000
"""How many rows one statement goes over when a whole table has to be counted."""

LARGEST = 2**63 - 1
"""The greatest id that a database can hold."""

_STATES = {state.value: state for state in State}
_TYPES = {kind.value: kind for kind in BlockType}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d+))?")


def _plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as the driver gives it: no conversion that fails on values that nobody foresaw."""
    return type_coerce(column, String)


_RUN = [
    run.c.id,
    told(run.c.uuid),
    as_text(run.c.command_name),
    _plain(run.c.state),
    as_text(run.c.start_time),
    as_text(run.c.end_time),
    as_text(run.c.hostname),
    func.coalesce(Whole(run.c.configuration_id), -1),
]
_BLOCK = [
    block.c.id,
    _plain(block.c.type),
    told(block.c.name),
    _plain(block.c.state),
    as_text(block.c.start_time),
    as_text(block.c.end_time),
    as_text(block.c.hostname),
    Whole(block.c.parent_id),
]
_SHAPE = [
    block.c.id,
    Whole(block.c.parent_id),
    _plain(block.c.type),
    _plain(block.c.state),
    told(block.c.name),
    as_text(block.c.hostname),
    SecondsBetween(block.c.start_time, block.c.end_time),
]
_EXCEPTION = select(
    *(runtime_exception.c[name] for name in ("id", "block_id", "exception_type", "exception_msg", "traceback")),
    as_text(runtime_exception.c.time),
).order_by(runtime_exception.c.id)
SOME = 20
"""How many ids a statement that is made once asks for."""
_RUNS_FROM = select(*_RUN).where(run.c.id >= bindparam("first"), run.c.id >= 0).order_by(run.c.id)
_RUNS_BETWEEN = _RUNS_FROM.where(run.c.id <= bindparam("last"))
_RUNS_NEWEST = select(*_RUN).where(run.c.id >= 0).order_by(run.c.id.desc()).limit(bindparam("count"))
_RUNS_BELOW = _RUNS_NEWEST.where(run.c.id < bindparam("below"))
_RUNS_BY_ID = select(*_RUN).where(run.c.id.in_([bindparam(f"id{place}") for place in range(SOME)]))
_IN_STRETCH = block.c.id >= bindparam("first"), block.c.id <= bindparam("last"), block.c.run_id == bindparam("run")
_SHAPES = select(*_SHAPE).where(*_IN_STRETCH).order_by(block.c.id)
_WINDOW = (
    select(*_BLOCK)
    .where(block.c.run_id == bindparam("run"), block.c.id > bindparam("after"))
    .order_by(block.c.id)
    .limit(bindparam("count"))
)
_BETWEEN = select(*_BLOCK).where(*_IN_STRETCH).order_by(block.c.id)
"""Made once: to make a statement costs more than to run it."""


def runs(
    reads: Reads, *, count: int, below: int | None = None, state: State | None = None, command: str | None = None
) -> tuple[RunRow, ...]:
    """At most `count` runs (0: all), newest first, with ids under `below`; Outflow's placeholders are left out."""
    query = select(*_RUN).where(run.c.id >= 0).order_by(run.c.id.desc())
    if below is not None:
        query = query.where(run.c.id < below)
    if state is not None:
        query = query.where(run.c.state == state)
    if command is not None:
        query = query.where(run.c.command_name == command)
    return tuple(map(run_row, reads.rows(query.limit(count) if count else query)))


def runs_by_id(reads: Reads, ids: Collection[int]) -> tuple[RunRow, ...]:
    """The runs of these ids that exist, in no order."""
    return tuple(map(run_row, rows_among(reads, select(*_RUN), run.c.id, ids)))


RunValues = tuple[Any, ...]
"""A run as the database gives it: to compare it costs nothing, to make a row of it something."""


def run_row(values: Sequence[Any]) -> RunRow:
    """The row of a run from what the database gives."""
    number, uuid, command, state, start, end, hostname, configuration_id = values
    known = _state(state, f"outflow_run {number}")
    return RunRow(number, uuid, shown_name(command), known, as_time(start), as_time(end), hostname, configuration_id)


def run_values_from(reads: Reads, first: int) -> Sequence[RunValues]:
    """The runs with ids from `first` on, oldest first."""
    return reads.rows(_RUNS_FROM, {"first": first})


def run_values_between(reads: Reads, first: int, last: int) -> Sequence[RunValues]:
    """The runs with ids from `first` to `last`, oldest first."""
    return reads.rows(_RUNS_BETWEEN, {"first": first, "last": last})


def run_values_below(reads: Reads, below: int | None, count: int) -> Sequence[RunValues]:
    """At most `count` runs with ids under `below`, newest first."""
    if below is None:
        return reads.rows(_RUNS_NEWEST, {"count": count})
    return reads.rows(_RUNS_BELOW, {"below": below, "count": count})


def run_values_by_id(reads: Reads, ids: Collection[int]) -> list[RunValues]:
    """The runs of these ids that exist, in no order."""
    ordered, found = sorted(ids), list[RunValues]()
    for start in range(0, len(ordered), SOME):
        some = ordered[start : start + SOME]
        some += some[-1:] * (SOME - len(some))
        found += reads.rows(_RUNS_BY_ID, {f"id{place}": number for place, number in enumerate(some)})
    return found


def find_run(reads: Reads, wanted: str) -> RunRow:
    """The run that a person means: an id, a prefix of a uuid, `last`, `last:STATE` or `last:COMMAND`.

    Raises NotFoundError, with what there is, when none or several fit.
    """
    wanted = wanted.strip()
    if wanted.partition(":")[0] == "last":
        return _last_run(reads, wanted)
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        found = runs_by_id(reads, [int(wanted)])
        if found or len(wanted) < UUID_DIGITS:
            return found[0] if found else _no_run(reads, wanted)
    return _run_by_uuid(reads, wanted)


def _last_run(reads: Reads, wanted: str) -> RunRow:
    _, colon, which = wanted.partition(":")
    if not colon:
        found = runs(reads, count=1)
    elif which in [state.value for state in State]:
        found = runs(reads, count=1, state=State(which))
    else:
        found = runs(reads, count=1, command=which)
    if not found:
        what = f"no run is in state or has command {which!r}" if which else "there are no runs yet"
        raise NotFoundError(f"{what}; see 'outflow-tui runs'.")
    return found[0]


def _run_by_uuid(reads: Reads, prefix: str) -> RunRow:
    found: tuple[RunRow, ...] = ()
    if prefix:
        matches = run.c.uuid.startswith(prefix.lower(), autoescape=True)
        query = select(*_RUN).where(run.c.id >= 0, matches).order_by(run.c.id.desc()).limit(5)
        found = tuple(map(run_row, reads.rows(query)))
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"several runs have a uuid that begins with {prefix!r}: {[row.id for row in found]}.")
    return _no_run(reads, prefix)


def _no_run(reads: Reads, wanted: str) -> NoReturn:
    newest = runs(reads, count=1)
    there = f"the newest is {newest[0].id}" if newest else "there are none yet"
    raise NotFoundError(
        f"no run {wanted!r}; {there} (an id, the beginning of a uuid, last, last:failed, last:COMMAND)."
    )


def task_counts(reads: Reads, run_ids: Collection[int] | None) -> dict[int, TaskCounts]:
    """The tasks by state of each of these runs (None: all); a run without tasks is not in it.

    There may be no index: the table is gone over in slices, so that no writer waits long.
    """
    query = select(block.c.run_id, _plain(block.c.state), func.count()).where(block.c.type == BlockType.TASK)
    query = query.group_by(block.c.run_id, block.c.state)
    if run_ids is not None and len(run_ids) <= CHUNK:
        query = query.where(block.c.run_id.in_(run_ids))
    found: dict[int, dict[str, int]] = {}
    for run_id, state, number in rows_in_slices(reads, query, block.c.id):
        if run_ids is None or run_id in run_ids:
            numbers = found.setdefault(run_id, {})
            name = _state(state, f"outflow_block of run {run_id}").value
            numbers[name] = numbers.get(name, 0) + number
    return {run_id: TaskCounts(**numbers) for run_id, numbers in found.items()}


def last_signs(reads: Reads, run_ids: Collection[int]) -> dict[int, datetime]:
    """The latest start or end of any block of each of these runs: their last sign of life."""
    c = block.c
    query = select(c.run_id, as_text(func.max(c.start_time)), as_text(func.max(c.end_time))).group_by(c.run_id)
    found: dict[int, datetime] = {}
    for run_id, *texts in rows_in_slices(reads, query.where(c.run_id.in_(run_ids)), c.id) if run_ids else ():
        times = [time for time in (found.get(run_id), *map(as_time, texts)) if time is not None]
        found |= {run_id: max(times)} if times else {}
    return found


def processes(reads: Reads, run_ids: Collection[int], *, ended: bool = False) -> dict[int, tuple[ProcessRow, ...]]:
    """The processes that record each of these runs, with `ended` also those that are over; only if there is a table."""
    c = process.c
    pid, start_ticks = func.coalesce(Whole(c.pid), 0), Whole(c.start_ticks)
    names = (c.id, c.run_id, as_text(c.hostname), pid, as_text(c.pid_space), start_ticks)
    jobs = map(as_text, (c.slurm_job_id, c.slurm_array_job_id, c.slurm_array_task_id))
    times = (as_text(c.started_at), as_text(c.last_seen_at), as_text(c.ended_at))
    beats = func.coalesce(cast(c.beat_seconds, Float), 0.0)
    query = select(*names, *jobs, *times, beats, SecondsSince(c.last_seen_at)).order_by(c.id)
    query = query if ended else query.where(c.ended_at.is_(None))
    found: dict[int, tuple[ProcessRow, ...]] = {}
    for row in rows_among(reads, query, c.run_id, run_ids):
        process_row = ProcessRow(*row[:9], *map(as_time, row[9:12]), *row[12:])
        found[row[1]] = (*found.get(row[1], ()), process_row)
    return found


def exception_counts(reads: Reads, run_ids: Collection[int] | None) -> dict[int, int]:
    """How many exceptions are recorded for the blocks of each run; a run without any is not in it."""
    query = (
        select(block.c.run_id, func.count())
        .join_from(runtime_exception, block, runtime_exception.c.block_id == block.c.id)
        .group_by(block.c.run_id)
    )
    found: Counter[int] = Counter()
    for run_id, number in rows_in_slices(reads, query, runtime_exception.c.id):
        found[run_id] += number
    return {run_id: number for run_id, number in found.items() if run_ids is None or run_id in run_ids}


def slices(reads: Reads, key: ColumnElement[int], *, at_least: int | None = None) -> Iterator[ColumnElement[bool]]:
    """Conditions that part a table by its primary key into slices of at most SLICE rows, whatever the gaps."""
    least = select(func.min(key)) if at_least is None else select(func.min(key)).where(key >= at_least)
    first = reads.rows(least)[0][0]
    while isinstance(first, int):  # texts and bytes, which SQLite takes for greater than all numbers, are no keys
        last = min(first + SLICE - 1, LARGEST)
        yield and_(key >= first, key <= last)
        first = reads.rows(select(func.min(key)).where(key > last))[0][0]


def rows_in_slices(reads: Reads, query: Select[Any], key: ColumnElement[int]) -> Iterator[Any]:
    """The rows of a statement that goes over a whole table, slice by slice: no writer waits long."""
    for where in slices(reads, key):
        yield from reads.rows(query.where(where))


def blocks_of(reads: Reads, run_id: int, *, after: int | None = None, count: int | None = None) -> tuple[BlockRow, ...]:
    """At most `count` blocks of one run, oldest first, from the first whose id is above `after`."""
    after, count = -LARGEST if after is None else after, LARGEST if count is None else count
    return _blocks(reads.rows(_WINDOW, {"run": run_id, "after": after, "count": count}))


def blocks_between(reads: Reads, run_id: int, first: int, last: int) -> tuple[BlockRow, ...]:
    """The blocks of one run with ids from `first` to `last`, oldest first."""
    return _blocks(reads.rows(_BETWEEN, {"first": first, "last": last, "run": run_id}))


def blocks_by_id(reads: Reads, run_id: int, ids: Collection[int]) -> tuple[BlockRow, ...]:
    """The blocks of these ids that exist and belong to the run, in no order."""
    return _blocks(rows_among(reads, select(*_BLOCK).where(block.c.run_id == run_id), block.c.id, ids))


def page_of(reads: Reads, run_id: int, number: int, size: int) -> Page | None:
    """What is kept of the blocks of one run whose ids lie in a page; None when there are none."""
    first = number * size
    stretch = {"run": run_id, "first": first, "last": first + size - 1}
    return run_shape.page_of(first, _shapes(reads.rows(_SHAPES, stretch)))


def shapes_by_id(reads: Reads, run_id: int, ids: Collection[int]) -> dict[int, ShapeRow]:
    """The same of the blocks of these ids that exist and belong to the run."""
    found = rows_among(reads, select(*_SHAPE).where(block.c.run_id == run_id), block.c.id, ids)
    return {row[0]: row for row in _shapes(found)}


def first_block(reads: Reads, run_id: int) -> int | None:
    """The id of the first block of a run, if it has any."""
    found = reads.rows(select(block.c.id).where(block.c.run_id == run_id).order_by(block.c.id).limit(1))
    return found[0][0] if found else None


def shown_name(given: Any) -> Any:
    """A name as it is shown: some pipelines put the address of what they read into it, password and all."""
    return mask_text(given) if isinstance(given, str) else given


def _shapes(found: Iterable[Any]) -> list[ShapeRow]:
    rows = [
        (*row[:4], shown_name(row[4]), *row[5:]) if isinstance(row[4], str) and "://" in row[4] else tuple(row)
        for row in found
    ]
    for kind, state, number in {(row[2], row[3]): (row[2], row[3], row[0]) for row in rows}.values():
        _ = _TYPES.get(kind) or _unknown_type(kind, number)
        _ = _STATES.get(state) or _unknown_state(state, number)
    return rows


def _blocks(found: Iterable[Any]) -> tuple[BlockRow, ...]:
    return tuple(
        BlockRow(
            number,
            _TYPES.get(kind) or _unknown_type(kind, number),
            shown_name(name),
            _STATES.get(state) or _unknown_state(state, number),
            as_time(start),
            as_time(end),
            hostname,
            parent,
        )
        for number, kind, name, state, start, end, hostname, parent in found
    )


def failed_tasks(reads: Reads, run_ids: Collection[int]) -> dict[int, list[int]]:
    """The ids of the failed tasks of each of these runs, by one walk over the table."""
    c = block.c
    is_failed_task = and_(c.type == BlockType.TASK, c.state == State.FAILED, c.run_id.in_(run_ids))
    found: dict[int, list[int]] = {run_id: [] for run_id in run_ids}
    for run_id, block_id in (
        rows_in_slices(reads, select(c.run_id, c.id).where(is_failed_task), c.id) if run_ids else ()
    ):
        found[run_id].append(block_id)
    return found


def inputs_of(reads: Reads, block_ids: Collection[int]) -> Iterator[tuple[int, Any]]:
    """The inputs of each of these blocks as they are stored."""
    query = select(block.c.id, as_text(block.c.input_values))
    return ((row[0], as_json(row[1])) for row in rows_among(reads, query, block.c.id, block_ids))


def map_sizes(reads: Reads, workflow_ids: Collection[int]) -> dict[int, int]:
    """How many items each workflow maps over, for those that do: the length of its list of inputs."""
    text = as_text(block.c.input_values)
    is_short = func.length(text) <= LONG_INPUTS
    query = select(block.c.id, case((is_short, text)), case((not_(is_short), JsonLength(block.c.input_values))))
    sizes = {}
    for block_id, short, length in rows_among(reads, query, block.c.id, workflow_ids):
        values = as_json(short)
        if isinstance(values, list) or length is not None:
            sizes[block_id] = len(values) if isinstance(values, list) else length
    return sizes


def block_details(
    reads: Reads,
    blocks: Sequence[BlockRow],
    run_id: int,
    exception_ids: Collection[int] | None = None,
    upstream_ids: Collection[int] | None = None,
) -> tuple[BlockDetail, ...]:
    """Everything about these blocks of one run, in their order.

    The ids of their exceptions and of the blocks above them may be known.
    """
    ids = [row.id for row in blocks]
    values = _values(reads, ids)
    upstream, downstream = _edges(reads, ids, upstream_ids)
    exceptions = exceptions_of(reads, ids, exception_ids)
    return tuple(
        BlockDetail(
            row,
            run_id,
            *values[row.id],
            upstream=upstream.get(row.id, ()),
            downstream=downstream.get(row.id, ()),
            exceptions=exceptions.get(row.id, ()),
        )
        for row in blocks
        if row.id in values
    )


def block_detail(
    reads: Reads,
    run_id: int,
    block_id: int,
    exception_ids: Collection[int] | None = None,
    upstream_ids: Collection[int] | None = None,
) -> BlockDetail:
    """Everything about one block; NotFoundError when it is not there (any more)."""
    found = block_details(reads, blocks_by_id(reads, run_id, [block_id]), run_id, exception_ids, upstream_ids)
    if not found:
        raise NotFoundError(f"block {block_id} is not in the books any more.")
    return found[0]


def _values(reads: Reads, ids: Collection[int]) -> dict[int, tuple[str, str | None, Any, Any, Any]]:
    c = block.c
    texts = (told(c.uuid), as_text(c.plugin))
    query = select(c.id, *texts, as_text(c.input_targets), as_text(c.output_targets), as_text(c.input_values))
    return {
        row[0]: (
            row[1],
            shown_name(row[2]),
            mask_secrets(as_json(row[3])),
            mask_secrets(as_json(row[4])),
            mask_inputs(as_json(row[5])),
        )
        for row in rows_among(reads, query, c.id, ids)
    }


def _edges(
    reads: Reads, ids: Collection[int], among: Collection[int] | None
) -> tuple[dict[int, tuple[int, ...]], dict[int, tuple[int, ...]]]:
    """What comes before and what comes after each block: (upstream, downstream)."""
    upstream: dict[int, tuple[int, ...]] = {}
    downstream: dict[int, tuple[int, ...]] = {}
    wanted = set(ids)
    for first, second in sorted(_edge_pairs(reads, wanted, among)):
        if second in wanted:
            upstream[second] = (*upstream.get(second, ()), first)
        if first in wanted:
            downstream[first] = (*downstream.get(first, ()), second)
    return upstream, downstream


def _edge_pairs(reads: Reads, ids: Collection[int], among: Collection[int] | None) -> set[tuple[int, int]]:
    """The edges at these blocks. Of many, which are most of a run, those between the first and the last.

    The key of the table begins with the block above: of those below a few blocks it is gone over in
    slices, unless it is known among which blocks those above them are.
    """
    above, below = edge.c.upstream_block_id, edge.c.downstream_block_id
    if not ids:
        return set()
    columns: list[ColumnElement[Any]] = [Whole(above), Whole(below)]
    query = select(*columns)
    if len(ids) > CHUNK:
        pairs = list(reads.rows(query.where(above.between(min(ids), max(ids)))))
    else:
        at_these = query.where(below.in_(ids))
        found = rows_in_slices(reads, at_these, above) if among is None else rows_among(reads, at_these, above, among)
        pairs = [*found, *reads.rows(query.where(above.in_(ids)))]
    return {(first, second) for first, second in pairs if first is not None and second is not None}


def exceptions_of(
    reads: Reads, block_ids: Collection[int], exception_ids: Collection[int] | None = None
) -> dict[int, tuple[ExceptionRow, ...]]:
    """The exceptions of each of these blocks, oldest first; a block without any is not in it.

    Where it is not known which they are it takes a scan: Outflow makes no index on the block.
    """
    rows: Iterable[ExceptionRow] = ()
    if exception_ids is not None:
        rows = exceptions_by_id(reads, exception_ids)
    elif 0 < len(block_ids) <= CHUNK:
        rows = _exceptions(reads.rows(_EXCEPTION.where(runtime_exception.c.block_id.in_(block_ids))))
    elif block_ids:
        rows = exceptions_by_id(reads, _exception_ids(reads, block_ids))
    found: dict[int, tuple[ExceptionRow, ...]] = {}
    for row in rows:
        if row.block_id is not None:
            found[row.block_id] = (*found.get(row.block_id, ()), row)
    return found


def exceptions_by_id(reads: Reads, ids: Collection[int]) -> tuple[ExceptionRow, ...]:
    """The exceptions of these ids, oldest first."""
    return tuple(_exceptions(rows_among(reads, _EXCEPTION, runtime_exception.c.id, ids)))


def _exceptions(found: Iterable[Any]) -> Iterator[ExceptionRow]:
    for row in found:
        message, traceback = (mask_text(words(value)) for value in row[3:5])
        yield ExceptionRow(row[0], row[1], words(row[2]), message, traceback, as_time(row[5]))


def _exception_ids(reads: Reads, block_ids: Collection[int]) -> list[int]:
    """The ids of the exceptions of many blocks; without an index on the block each IN would be a full scan."""
    c, wanted = runtime_exception.c, set(block_ids)
    among = select(c.id, c.block_id).where(c.block_id.between(min(wanted), max(wanted)))
    return [row[0] for row in rows_in_slices(reads, among, c.id) if row[1] in wanted]


def words(value: Any) -> str:
    """Text as a lenient database may hold it: bytes are read as UTF-8, what is missing is empty."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value or "")


def inputs_of_tasks(reads: Reads, blocks: Sequence[BlockRow], wanted: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """What these tasks were given, where it is known, secrets masked; `blocks` are all of their run, by id."""
    if not wanted:
        return {}
    ids = {row.id for row in blocks if row.type is BlockType.WORKFLOW} | set(wanted)
    return task_inputs(wanted, blocks, {number: mask_inputs(values) for number, values in inputs_of(reads, ids)})


def configurations(reads: Reads, ids: Collection[int]) -> dict[int, ConfigurationRow]:
    """The stored configurations of these ids, secrets masked."""
    c = configuration.c
    query = select(c.id, told(c.hash), told(c.config), told(c.settings))
    return {row[0]: _configuration(*row) for row in rows_among(reads, query, c.id, ids)}


def _configuration(number: int, digest: str, config: str, settings: str) -> ConfigurationRow:
    parts = {"config": _mapping(config), "settings": _mapping(settings)}
    for part in parts.values():
        if part.get("secrets"):
            part["secrets"] = mask_leaves(part["secrets"])
    shown = mask_secrets(parts)
    is_plain = shown is parts and not may_be_masked(config) and not may_be_masked(settings)
    masked, sealed = ((), ()) if is_plain else masked_and_sealed(shown)
    return ConfigurationRow(number, digest, shown["config"], shown["settings"], masked, sealed)


def _mapping(text: str) -> dict[str, Any]:
    value = as_json(text)
    return value if isinstance(value, dict) else {"": value}


def hashes(reads: Reads, ids: Collection[int]) -> dict[int, str]:
    """The hashes of these configurations."""
    query = select(configuration.c.id, told(configuration.c.hash))
    return {row[0]: row[1] for row in rows_among(reads, query, configuration.c.id, ids)}


def as_time(text: str | None) -> datetime | None:
    """A time from a database's text, in the clock of whoever wrote it; what is no time is none."""
    if isinstance(text, str) and len(text) == 26:  # nearly all are written in full
        try:
            return datetime.fromisoformat(text).replace(tzinfo=None)
        except ValueError:
            pass
    found = _TIME.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    day, clock, fraction = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '')[:6]:0<6}")
    except ValueError:
        return None


def _state(value: str, place: str) -> State:
    return _STATES.get(value) or _unknown(place, f"unknown state {value!r}")


def _unknown_state(value: str, block_id: int) -> NoReturn:
    _unknown(f"outflow_block {block_id}", f"unknown state {value!r}")


def _unknown_type(value: str, block_id: int) -> NoReturn:
    _unknown(f"outflow_block {block_id}", f"unknown type {value!r}")


def _unknown(place: str, what: str) -> NoReturn:
    raise SchemaError(f"{place}: {what}; the books are newer than this program: look for a newer one.")


def rows_among(reads: Reads, query: Select[Any], key: ColumnElement[Any], ids: Collection[int]) -> Iterator[Any]:
    """The rows of a statement whose key is among these, by as many statements as it takes."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        yield from reads.rows(query.where(key.in_(ordered[start : start + CHUNK])))
