"""Answers as Markdown, ready to paste into an issue; whatever is foreign in them is code. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from outflow_core.config_diff import Change, apart, beyond_comparison
from outflow_core.failures import Cause
from outflow_core.rows import ConfigurationRow, RunRow
from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui.config_lines import path_text
from outflow_tui.failure_report import failure_sections, since_it_worked
from outflow_tui.format import as_text
from outflow_tui.markdown import code, fenced, shortened
from outflow_tui.reports.causes import NO_FAILURES, RunCauses, number_text, place_text, task_lines
from outflow_tui.reports.comparisons import Sides
from outflow_tui.reports.runs import life_reason, state_text
from outflow_tui.reports.show import WholeRun, blocks_table, configuration_text, tasks_text
from outflow_tui.reports.tables import Table
from outflow_tui.snapshot import RunLine

BLOCKS = 200
"""How many tasks and workflows a table names; of more only those that are not well."""
FAILURES = 10
"""How many failures are shown whole."""
CONFIGURATION_LENGTH = 12_000


@dataclass(frozen=True, slots=True)
class Before:
    """The last success before a run, its configuration, and that of the run."""

    line: RunLine | None = None
    old: ConfigurationRow | None = None
    new: ConfigurationRow | None = None


def show_markdown(run: WholeRun, now: datetime) -> str:
    """One run: what is known of it, its tasks, its failures, its configuration."""
    sections = ["\n".join([_title(run.line, now), "", *_facts(run.line, now)]), *_blocks(run)]
    for detail in run.failed[:FAILURES]:
        sections.append(f"#### {detail.block.type.value} {detail.block.id}: {code(detail.block.name)}")
        sections += failure_sections(detail, run.inputs.get(detail.block.id, {}))
    if len(run.failed) > FAILURES:
        sections.append(f"{len(run.failed) - FAILURES:,} more failures are not shown.")
    if run.configuration is not None:
        sections += ["#### Configuration", _configuration(run.configuration)]
    return "\n\n".join(sections)


def _title(line: RunLine, now: datetime) -> str:
    return f"### Run {line.row.id} of {code(line.row.command or '?')}: {state_text(line, now)}"


def _facts(line: RunLine, now: datetime) -> Iterator[str]:
    row = line.row
    took, reason = words.duration(words.seconds_between(row.start_time, row.end_time)), life_reason(line, now)
    yield f"- started {words.dated(row.start_time) or '(not recorded)'}"
    yield f"- ended {words.dated(row.end_time) or '(not recorded)'}{f', after {took}' if took else ''}"
    yield f"- host {code(row.hostname or '?')}, uuid {code(row.uuid)}"
    if reason:
        yield f"- life: {code(reason)}"
    yield f"- tasks: {tasks_text(line)}"


def _blocks(run: WholeRun) -> Iterator[str]:
    """The table of the tasks; of very many those that succeeded or wait are only counted."""
    told = [detail for detail in run.blocks if detail.block.state in (State.FAILED, State.RUNNING)]
    kept = run.blocks if len(run.blocks) <= BLOCKS else told[:BLOCKS]
    found = blocks_table(kept, words.dated)
    if found.rows:
        yield found.as_markdown()
    if len(kept) < len(run.blocks):
        yield f"{len(run.blocks) - len(kept):,} more tasks and workflows are not listed."


def failures_markdown(found: RunCauses, before: Before) -> str:
    """Why tasks failed: the causes, one task of each, and what has changed since it worked."""
    row = found.line.row
    title = f"### Failures of run {row.id} of {code(row.command or '?')}"
    if not found.causes:
        return f"{title}\n\n{NO_FAILURES}"
    sections = [title, "\n".join(_facts(found.line, datetime.now())), _causes_table(found.causes).as_markdown()]
    for cause in found.causes:
        sections += _cause(cause, found)
    sections += ["#### Since it worked", *since_it_worked(before.line, before.old, before.new)]
    return "\n\n".join(sections)


def _causes_table(causes: Sequence[Cause]) -> Table:
    rows = ((str(len(cause.tasks)), cause.type or "", cause.message[:300], place_text(cause)) for cause in causes)
    return Table(("TASKS", "EXCEPTION", "MESSAGE", "WHERE"), tuple(rows))


def _cause(cause: Cause, found: RunCauses) -> Iterator[str]:
    example = found.examples.get(cause.tasks[0])
    if example is None:
        return
    yield f"#### {number_text(cause)}: {code(cause.type) if cause.type else 'no exception recorded'}"
    yield fenced("\n".join(task_lines(cause, found)))
    yield f"Task {example.block.id}, {code(example.block.name)}:"
    yield from failure_sections(example, found.inputs.get(example.block.id, {}))


def diff_markdown(sides: Sides, changes: Sequence[Change]) -> str:
    """What differs between two runs' configurations, a line for each path."""
    (old, new), (first, second) = sides.configurations, sides.runs
    titles = ("", "PATH", f"run {first.id} ({first.state.value})", f"run {second.id} ({second.state.value})")
    table = Table(titles, tuple(_change(change) for change in (*changes, *apart(old, new))))
    hidden = beyond_comparison(old, new)
    parts = [
        "" if changes else "No difference in content.",
        table.as_markdown() if table.rows else "",
        f"{hidden} masked value{'s' if hidden > 1 else ''} cannot be compared." if hidden else "",
    ]
    return "\n\n".join(filter(None, parts))


def _change(change: Change) -> tuple[str, ...]:
    old = "" if change.kind == "added" else as_text(change.old)
    new = "" if change.kind == "removed" else as_text(change.new)
    return (change.kind, f"{change.section}: {path_text(change.path)}", old, new)


def config_markdown(run: RunRow, row: ConfigurationRow) -> str:
    """The configuration of a run."""
    title = f"### Configuration of run {run.id} of {code(run.command or '?')} ({run.state.value})"
    return f"{title}\n\nhash {code(row.hash)}\n\n{_configuration(row)}"


def _configuration(row: ConfigurationRow) -> str:
    return fenced(shortened(configuration_text(row), CONFIGURATION_LENGTH))
