"""`outflow-tui runs`: the runs, newest first."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from outflow_core import run_counts, run_queries
from outflow_core.reader import Reader
from outflow_core.states import State
from outflow_tui import status
from outflow_tui.cli.books import asked, lines_of
from outflow_tui.cli.commands import LIVES
from outflow_tui.cli.printing import tell
from outflow_tui.reports.objects import run_object
from outflow_tui.reports.runs import life_object, runs_markdown, runs_text
from outflow_tui.snapshot import RunLine


def answer(options: argparse.Namespace) -> int:
    """Tell the runs."""
    now = datetime.now()
    lines, exceptions = asked(options, lambda reader: _found(reader, options, now))
    return tell(
        options,
        lambda: [_object(line, exceptions, now) for line in lines],
        lambda: runs_markdown(lines, now),
        lambda: runs_text(lines, now),
    )


def found_text(options: argparse.Namespace) -> str:
    """The runs as text."""
    now = datetime.now()
    return runs_text(asked(options, lambda reader: _found(reader, options, now))[0], now)


def _found(reader: Reader, options: argparse.Namespace, now: datetime) -> tuple[Sequence[RunLine], Mapping[int, int]]:
    """The runs that are asked for, and if wanted how many exceptions each has."""
    if options.state in LIVES:
        rows = run_queries.runs(reader, count=0, state=State.RUNNING, command=options.only)
        lines = [line for line in lines_of(reader, rows) if status.kind(line, now) == options.state]
        lines = lines[: options.limit or None]
    else:
        state = State(options.state) if options.state else None
        rows = run_queries.runs(reader, count=options.limit, state=state, command=options.only)
        lines = lines_of(reader, rows)
    ids = {line.row.id for line in lines}
    return lines, run_counts.exception_counts(reader, ids) if options.json and ids else {}


def _object(line: RunLine, exceptions: Mapping[int, int], now: datetime) -> dict[str, Any]:
    return {**run_object(line.row, line.tasks, exceptions.get(line.row.id, 0)), "life": life_object(line, now)}
