"""Has this input been processed, and with this configuration? Reads the books and writes nothing.

    if not processed({"file": "n1.fits"}, config="config.yml"):
        ...

The blocks are gone over in slices, in which the database finds those that may hold the input.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from outflow_core import block_queries, configuration_queries, odd_values, run_queries, slices
from outflow_core.errors import RecordError
from outflow_core.in_force import InForce, in_force
from outflow_core.json_text import as_json
from outflow_core.processing_rows import has_untold_items, processings_of
from outflow_core.reader import Reader, Reads
from outflow_core.rows import BlockRow, ProcessingRow, RunRow
from outflow_core.settings import Settings, load_settings
from outflow_core.states import BlockType, State
from outflow_core.tables import block
from outflow_core.wanted_inputs import Holder, Wanted, WantedItem, holder_of

LISTS = 20
"""How many inputs one statement fetches: the list of a map can be megabytes."""


def processed(
    inputs: Mapping[str, Any],
    config: str | Path | Settings | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    command: str | None = None,
) -> tuple[ProcessingRow, ...]:
    """The successful processings of these inputs with this configuration, newest first; empty when there is none.

    All of `inputs` must be among those of a task or an item of a map, others may stand beside them.
    `config` and `settings` are as for `record_run`; without `settings` those of a run do not matter.
    With `command` only its runs count, without it those of any.
    Configurations are compared by content; of secrets that were masked before they were stored
    nothing is known, and they count as equal. A run of which some other task with these inputs
    failed, or is not over, is not among the answers.

    Raises ValueError without inputs, RecordError for inputs without names, and ConfigError or
    SourceError when nothing can be read.
    """
    if not isinstance(inputs, Mapping):
        raise RecordError(f"inputs: must name its values, as in {{'file': ...}}; {inputs!r:.60} does not.")
    read = config if isinstance(config, Settings) else load_settings(config)
    wanted = WantedItem.of(inputs)
    reader = Reader(read.database())
    try:
        return successes(processings(reader, wanted, in_force(read, settings), command=command, only_same=True))
    finally:
        reader.close()


def successes(rows: Iterable[ProcessingRow]) -> tuple[ProcessingRow, ...]:
    """The successful ones, without those of runs of which another one is not."""
    found = tuple(rows)
    unfinished = {row.run.id for row in found if not row.is_success and row.state is not State.SKIPPED}
    return tuple(row for row in found if row.is_success and row.run.id not in unfinished)


def processings(
    reads: Reads,
    wanted: Wanted,
    current: InForce | None = None,
    *,
    command: str | None = None,
    only_same: bool = False,
) -> tuple[ProcessingRow, ...]:
    """Every processing of inputs that fit, by one command or any, newest first, whatever became of it.

    With `only_same` those of other configurations than `current` are left out, unread.
    """
    return processings_of_held(reads, _held(reads, wanted), current, command=command, only_same=only_same)


def processings_of_held(
    reads: Reads,
    held: Sequence[Holder],
    current: InForce | None = None,
    *,
    command: str | None = None,
    only_same: bool = False,
) -> tuple[ProcessingRow, ...]:
    """The processings of inputs of which it is known which blocks hold them, newest first."""
    found = run_queries.runs_by_id(reads, {holder.run_id for holder in held})
    runs = [run for run in found if run.id >= 0 and command in (None, run.command)]
    stored = configuration_queries.configurations(reads, {run.configuration_id for run in runs})
    same = {number: current.is_same(row) if current else None for number, row in stored.items()}
    uncompared = {number: current.uncompared(row) if current else 0 for number, row in stored.items()}
    kept = [run for run in runs if not only_same or same.get(run.configuration_id)]
    return tuple(
        row._replace(same_configuration=same.get(number), uncompared=uncompared.get(number, 0))
        for run, rows in _by_run(reads, kept, held)
        for row in rows
        for number in [run.configuration_id]
    )


def _by_run(
    reads: Reads, runs: Collection[RunRow], held: Sequence[Holder]
) -> Iterator[tuple[RunRow, list[ProcessingRow]]]:
    """The processings of each run, newest first."""
    by_run: dict[int, list[Holder]] = {run.id: [] for run in runs}
    for holder in held:
        by_run.get(holder.run_id, []).append(holder)
    last = _last_blocks(reads, [holder for some in by_run.values() for holder in some])
    for run in sorted(runs, key=lambda run: run.id, reverse=True):
        of_run = by_run[run.id]
        yield run, processings_of(run, of_run, _around(reads, run.id, of_run, last.get(run.id, 0)))


def _held(reads: Reads, wanted: Wanted) -> list[Holder]:
    """The blocks whose inputs fit. The database leaves out what it can, by the text; the rest is decided here."""
    c = block.c
    text = odd_values.as_text(c.input_values)
    ids = [row[0] for row in slices.rows_in_slices(reads, select(c.id).where(_may_fit(text, wanted)), c.id)]
    found = []
    for start in range(0, len(ids), LISTS):
        for row in reads.rows(select(c.id, c.run_id, text).where(c.id.in_(ids[start : start + LISTS]))):
            found.append(holder_of(row[0], row[1], as_json(row[2]), wanted))
    return [held for held in found if held is not None]


def _may_fit(text: ColumnElement[Any], wanted: Wanted) -> ColumnElement[bool]:
    """What can be said of the text of inputs that fit: escapes are written in many ways, plain letters in one."""
    told = [or_(*(text.contains(needle) for needle in needles)) for needles in wanted.needles if needles]
    return and_(func.length(text) > len("{}"), *told)


def _around(reads: Reads, run_id: int, held: Sequence[Holder], last: int) -> list[BlockRow]:
    """The blocks that tell what became of the inputs: for some maps all of the run from the map on, in short reads."""
    found = _with_parents(reads, run_id, {holder.block_id for holder in held})
    maps = [holder.block_id for holder in held if holder.size is not None]
    if maps and (has_untold_items(held, found) or _has_workflows(reads, run_id, maps, last)):
        for first, end in _stretches(min(maps), last):
            found += block_queries.blocks_between(reads, run_id, first, end)
    return sorted({row.id: row for row in found}.values(), key=lambda row: row.id)


def _stretches(first: int, last: int) -> Iterator[tuple[int, int]]:
    return ((start, min(last, start + slices.SLICE - 1)) for start in range(first, last + 1, slices.SLICE))


def _has_workflows(reads: Reads, run_id: int, maps: Collection[int], last: int) -> bool:
    """Whether there are workflows directly inside some of these maps."""
    c = block.c
    inside = select(c.parent_id).distinct().where(c.run_id == run_id, c.type == BlockType.WORKFLOW)
    return any(
        row[0] in maps
        for first, end in _stretches(min(maps), last)
        for row in reads.rows(inside.where(c.id.between(first, end)))
    )


def _with_parents(reads: Reads, run_id: int, ids: set[int]) -> list[BlockRow]:
    """These blocks and the workflows around them, whatever their depth."""
    found: list[BlockRow] = []
    while ids:
        found += block_queries.blocks_by_id(reads, run_id, ids)
        ids = {row.parent_id for row in found if row.parent_id is not None} - {row.id for row in found} - ids
    return found


def _last_blocks(reads: Reads, held: Sequence[Holder]) -> dict[int, int]:
    """The greatest id of a block of each run whose maps hold the inputs."""
    maps = [holder for holder in held if holder.size is not None]
    query = select(block.c.run_id, func.max(block.c.id)).group_by(block.c.run_id)
    runs = {holder.run_id for holder in maps}
    first = min((holder.block_id for holder in maps), default=0)
    rows = slices.rows_in_slices(reads, query, block.c.id, at_least=first) if maps else ()
    return {run: last for run, last in rows if run in runs}
