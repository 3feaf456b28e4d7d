"""One run with its processes, tasks, failures and configuration, as text and for JSON; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outflow_core.rows import BlockDetail, ConfigurationRow, ProcessRow, Sign
from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.config_lines import config_lines
from outflow_tui.reports.causes import INPUT_LENGTH
from outflow_tui.reports.objects import iso, run_object, show_object
from outflow_tui.reports.runs import Clock, life_object, life_reason, state_text
from outflow_tui.reports.tables import Table, plain, shortened
from outflow_tui.snapshot import RunLine
from outflow_tui.value_lines import inputs_line

PROCESSES = 20
"""How many processes of a run are named."""
_TITLES = ("BLOCK", "TYPE", "STATE", "NAME", "STARTED", "TOOK", "HOST")


@dataclass(frozen=True, slots=True)
class WholeRun:
    """All that the books hold of one run."""

    line: RunLine
    exceptions: int
    configuration: ConfigurationRow | None
    blocks: Sequence[BlockDetail]
    processes: Sequence[tuple[ProcessRow, Sign]]
    inputs: Mapping[int, Mapping[str, Any]]
    """What the failed tasks were given, where it is known."""

    @property
    def failed(self) -> list[BlockDetail]:
        """The blocks at which a failure was seen first."""
        return [detail for detail in self.blocks if is_failed_task(detail)]


def whole_object(run: WholeRun, now: datetime) -> dict[str, Any]:
    """The answer of `show --json`."""
    told = {**run_object(run.line.row, run.line.tasks, run.exceptions), "life": life_object(run.line, now)}
    return show_object(told, run.configuration, run.blocks, run.processes)


def show_text(run: WholeRun, now: datetime) -> str:
    """One run as text: its line, its processes, its blocks, the tracebacks of its failed tasks, its configuration."""
    parts = [_head(run, now), blocks_text(run, now)]
    parts += [_traceback_text(detail, inputs_line(run.inputs.get(detail.block.id, {}))) for detail in run.failed]
    if run.configuration is not None:
        parts.append(configuration_text(run.configuration))
    return "\n\n".join(filter(None, parts))


def configuration_text(configuration: ConfigurationRow) -> str:
    """A stored configuration and its settings."""
    return "\n".join(plain(line.pieces) for line in config_lines(configuration)).rstrip()


def _head(run: WholeRun, now: datetime) -> str:
    row, reason = run.line.row, life_reason(run.line, now)
    took = words.duration(words.seconds_between(row.start_time, row.end_time))
    lines = [
        f"run {row.id}  {text.clean(row.command or '')}  {state_text(run.line, now)}",
        f"  uuid      {text.clean(row.uuid)}",
        f"  started   {iso(row.start_time) or 'not recorded'}",
        f"  ended     {iso(row.end_time) or 'not recorded'}{f'  after {took}' if took else ''}",
        f"  host      {text.clean(row.hostname or 'not recorded')}",
        *([f"  life      {text.clean(reason)}"] if reason else []),
        f"  tasks     {tasks_text(run.line)}",
        *_process_lines(run.processes),
    ]
    return "\n".join(lines)


def tasks_text(line: RunLine) -> str:
    """How many tasks of a run are in each state."""
    return ", ".join(f"{number} {name}" for name, number in line.tasks.as_dict().items() if number) or "none"


def blocks_text(run: WholeRun, now: datetime) -> str:
    """The tasks and workflows as aligned text; '' when there are none."""
    found = blocks_table(run.blocks, lambda when: words.moment(when, now))
    return found.as_text() if found.rows else ""


def blocks_table(blocks: Sequence[BlockDetail], clock: Clock) -> Table:
    """The tasks and workflows, but the one around the run, unless it failed."""
    depths = _depths(blocks)
    listed = [detail for detail in blocks if not detail.block.is_top_level or detail.block.state is State.FAILED]
    return Table(_TITLES, tuple(_cells(detail, depths[detail.block.id], clock) for detail in listed))


def _cells(detail: BlockDetail, depth: int, clock: Clock) -> tuple[str, ...]:
    row = detail.block
    took = words.duration(words.seconds_between(row.start_time, row.end_time))
    name = "  " * depth + row.name
    return (str(row.id), row.type.value, row.state.value, name, clock(row.start_time), took, row.hostname or "")


def _process_lines(processes: Sequence[tuple[ProcessRow, Sign]]) -> Iterator[str]:
    """The processes that recorded a run, those first of which something is to be feared."""
    order = (Sign.GONE, Sign.MISSED, Sign.ALIVE, Sign.ENDED)
    for row, sign in sorted(processes, key=lambda process: order.index(process[1]))[:PROCESSES]:
        place = " on ".join(filter(None, [str(row.pid), row.hostname]))
        job = f", Slurm job {row.job}" if row.job else ""
        age = words.duration(row.age_seconds)
        heard = f", last heard of {age} ago" if age and sign in (Sign.GONE, Sign.MISSED) else ""
        yield f"  process   {text.clean(place + job)}: {sign.value}{heard}"
    if len(processes) > PROCESSES:
        yield f"            and {len(processes) - PROCESSES} more"


def _depths(blocks: Sequence[BlockDetail]) -> dict[int, int]:
    """How many workflows are around each block, not counting the one around the run."""
    parents = {detail.block.id: detail.block.parent_id for detail in blocks if not detail.block.is_top_level}
    return {detail.block.id: len(_around(detail.block.id, parents)) for detail in blocks}


def _around(block_id: int, parents: Mapping[int, int | None]) -> list[int]:
    found: list[int] = []
    parent = parents.get(block_id)
    while parent is not None and parent in parents and parent not in found:
        found.append(parent)
        parent = parents[parent]
    return found


def is_failed_task(detail: BlockDetail) -> bool:
    """Whether this is where a failure was seen first; the workflows around it only pass it on."""
    return detail.block.state is State.FAILED and (detail.block.type.value == "task" or detail.block.is_top_level)


def _traceback_text(detail: BlockDetail, inputs: str) -> str:
    title = f"{detail.block.type.value} {detail.block.id} {text.clean(detail.block.name)}"
    given = [f"  given {shortened(inputs, INPUT_LENGTH)}"] if inputs else []
    if detail.exception is None:
        return "\n".join([f"{title}: failed, but no exception was recorded", *given])
    lines = detail.exception.traceback.rstrip("\n").split("\n")
    said = [f"{title}: {text.clean(detail.exception.type)}", *given, *(f"  {text.clean(line)}" for line in lines)]
    return "\n".join(said)
