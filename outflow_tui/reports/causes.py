"""The failed tasks of a run by cause, and what they were given, as text; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outflow_core.failures import Cause
from outflow_core.rows import BlockDetail
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.cause_words import seen_words, tasks_words
from outflow_tui.reports.objects import cause_object
from outflow_tui.reports.tables import shortened
from outflow_tui.snapshot import RunLine
from outflow_tui.value_lines import inputs_line, plain_inputs

NO_FAILURES = "No failed tasks."
NAMED_TASKS = 12
"""How many tasks of a cause are named."""
INPUT_LENGTH = 100


@dataclass(frozen=True, slots=True)
class RunCauses:
    """Why the tasks of one run failed, and what the failed ones are called and were given."""

    line: RunLine
    causes: tuple[Cause, ...]
    names: Mapping[int, str]
    inputs: Mapping[int, Mapping[str, Any]]
    examples: Mapping[int, BlockDetail]
    """Details of the first task of each cause, by its id."""


def causes_object(found: RunCauses) -> list[dict[str, Any]]:
    """The answer of `failures --json`: the causes, most tasks first, with the inputs of their tasks by id."""
    return [{**cause_object(cause), "inputs": _inputs_object(cause, found)} for cause in found.causes]


def _inputs_object(cause: Cause, found: RunCauses) -> dict[str, Any]:
    return {str(task): plain_inputs(found.inputs[task]) for task in cause.tasks if task in found.inputs}


def failures_text(found: RunCauses, now: datetime) -> str:
    """The causes as text, most tasks first."""
    if not found.causes:
        return NO_FAILURES
    return "\n\n".join("\n".join(_cause_lines(cause, found, now)) for cause in found.causes)


def _cause_lines(cause: Cause, found: RunCauses, now: datetime) -> Iterator[str]:
    first, last = words.moment(cause.first, now), words.moment(cause.last, now)
    yield f"{tasks_words(cause)}: {text.clean(cause.type or 'no exception recorded')}"
    if cause.message:
        yield f"  message  {text.clean(cause.message[:1000])}"
    if cause.where:
        yield f"  where    {text.clean(place_text(cause))}"
    yield f"  when     {first if first == last else f'{first} to {last}'}"
    if cause.history is not None:
        yield f"  seen     {seen_words(cause.history)}"
    for title, line in zip(_titles("tasks"), task_lines(cause, found), strict=False):
        yield f"  {title}    {line}"
    if cause.hosts:
        yield f"  hosts    {text.clean(', '.join(cause.hosts))}"


def _titles(first: str) -> Iterator[str]:
    yield first
    while True:
        yield " " * len(first)


def number_text(cause: Cause) -> str:
    """How many tasks failed of a cause."""
    return f"{len(cause.tasks):,} task{'s' if len(cause.tasks) != 1 else ''}"


def place_text(cause: Cause) -> str:
    """Where in the code a cause is; '' when that is not known."""
    where = cause.where
    return f"{where.file}:{where.line} in {where.function}" if where else ""


def task_lines(cause: Cause, found: RunCauses, count: int = NAMED_TASKS) -> list[str]:
    """The tasks of a cause with what they were given, a line each; of those without known inputs the ids on one."""
    shown, left = cause.tasks[:count], len(cause.tasks) - count
    if any(task in found.inputs for task in shown):
        lines = [_task_line(task, found) for task in shown]
        return [*lines, f"and {left:,} more"] if left > 0 else lines
    ids = ", ".join(map(str, shown))
    return [f"{ids} and {left:,} more" if left > 0 else ids]


def _task_line(task: int, found: RunCauses) -> str:
    name = text.clean(found.names.get(task, ""))
    return shortened(f"{task} {name}: {inputs_line(found.inputs.get(task, {})) or 'inputs not known'}", INPUT_LENGTH)
