"""A failure as Markdown to paste into an issue: what failed, of what, and what had changed; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outflow_core.config_diff import diff
from outflow_core.masking import mask_said, names_secrets
from outflow_core.rows import BlockDetail, BlockRow, ConfigurationRow, RunRow
from outflow_core.tracebacks import headline, parse
from outflow_tui import format as words
from outflow_tui import reports
from outflow_tui.format import ASCII
from outflow_tui.markdown import code, fenced, shortened
from outflow_tui.snapshot import RunLine, Snapshot
from outflow_tui.value_lines import plain_inputs, value_lines

TRACEBACK_LENGTH = 30_000
INPUTS_LENGTH = 6_000
DIFFERENCE_LENGTH = 12_000
"""How much of each is kept: trackers take some 65,000 characters, terminals often less."""
READ = 200_000
"""How much of either end of a text is looked at; it may be of many megabytes, and the screen waits."""


@dataclass(frozen=True, slots=True)
class Failed:
    """All that is known of a failure; a configuration that was not read is None."""

    run: RunLine
    detail: BlockDetail
    inside: tuple[str, ...] = ()
    """The names of the workflows around it, from the outermost on."""
    configuration: ConfigurationRow | None = None
    last_success: RunLine | None = None
    its_configuration: ConfigurationRow | None = None


def compared(snapshot: Snapshot, run_id: int) -> frozenset[int]:
    """The runs whose configurations belong into the report: this one, and the last successful one before it."""
    before = snapshot.last_success_before(run_id)
    return frozenset({run_id, before.row.id} if before else {run_id})


def failure_of(snapshot: Snapshot, run_id: int, detail: BlockDetail, inside: tuple[str, ...]) -> Failed | None:
    """What a snapshot tells of a failure."""
    line, before, known = snapshot.line(run_id), snapshot.last_success_before(run_id), snapshot.configurations
    if line is None:
        return None
    return Failed(line, detail, inside, known.get(run_id), before, known.get(before.row.id) if before else None)


def failure_report(failed: Failed) -> str:
    """The failure as Markdown; whatever is foreign in it is code."""
    return "\n\n".join([_title(failed), "\n".join(_facts(failed)), *_sections(failed)]) + "\n"


def _title(failed: Failed) -> str:
    exception, block = failed.detail.exception, failed.detail.block
    kind = code(exception.type) if exception else "A failure without a recorded exception"
    return f"### {kind} in {code(block.name)}, run {failed.run.row.id} of {code(failed.run.row.command or '?')}"


def _facts(failed: Failed) -> Iterator[str]:
    row, detail = failed.run.row, failed.detail
    yield f"- run {row.id}: {row.state.value}, {_times(row)}, host {code(row.hostname or '?')}, uuid {code(row.uuid)}"
    yield f"- command: {code(row.command or '?')}"
    tasks = failed.run.tasks
    yield f"- tasks: {words.progress(tasks, ASCII).partition(' ')[0] or 0} done, {tasks.failed} failed"
    block = detail.block
    plugin = f" of plugin {code(detail.plugin)}" if detail.plugin else ""
    yield (
        f"- {block.type.value} {block.id}: {code(block.name)}{plugin}, {block.state.value}, {_times(block)}, host "
        + code(block.hostname or "?")
    )
    if failed.inside:
        yield f"- inside: {', '.join(code(name) for name in failed.inside)}"
    digest = failed.configuration.hash if failed.configuration else failed.run.config_hash
    yield f"- configuration: {code(digest) if digest else 'not known'}"


def _times(row: RunRow | BlockRow) -> str:
    """Start, end and how long; by the clock of the node that wrote them."""
    start, end = (when and f"{when:%Y-%m-%d %H:%M:%S}" for when in (row.start_time, row.end_time))
    took = words.duration(words.seconds_between(row.start_time, row.end_time))
    return f"{start or 'not started'} to {end or 'no end recorded'}" + (f" ({took})" if took else "")


def _sections(failed: Failed) -> Iterator[str]:
    yield from failure_sections(failed.detail, failed.detail.input_values)
    yield from since_it_worked(failed.last_success, failed.its_configuration, failed.configuration)


def failure_sections(detail: BlockDetail, values: Any) -> Iterator[str]:
    """What was raised, the inputs, and the traceback, as far as they are known."""
    exception = detail.exception
    if exception is not None:
        said = headline(parse(_masked(exception.traceback, READ // 2))) or _masked(exception.message, READ // 2)
        yield code(said, 1000)
    inputs = plain_inputs(values)
    if inputs not in ({}, [], None):
        yield "**Inputs**"
        yield fenced(_masked("\n".join(value_lines(inputs)), INPUTS_LENGTH))
    if exception is not None:
        yield "**Traceback**"
        yield fenced(_masked(exception.traceback, TRACEBACK_LENGTH))


def _masked(said: str, length: int) -> str:
    """Both ends of a text without secrets, which are not looked for in the middle of a long one."""
    line = said[said.rfind("\n", 0, -READ) + 1 : -READ]
    is_cut = names_secrets(line)  # a secret may be of any length, but ends with its line
    front, back = mask_said(said[:READ]), mask_said(said[-READ:])
    if len(said) <= 2 * READ or is_cut or len(front) < length // 4 or len(back) < length:
        return shortened(mask_said(said), length)
    return shortened(front + said[READ:-READ] + back, length)


def since_it_worked(
    before: RunLine | None, old: ConfigurationRow | None, new: ConfigurationRow | None
) -> Iterator[str]:
    """What differs from the last success, as far as it is known."""
    if before is None:
        yield "No run of this command before it was successful."
        return
    when = f"run {before.row.id}, the last success of this command ({_times(before.row)})"
    if old is None or new is None:
        yield f"What differs from {when} is not known: the configurations were not read."
        return
    yield f"**What differs from {when}**"
    yield fenced(shortened(reports.diff_text(old, new, diff(old, new)), DIFFERENCE_LENGTH))
