"""`outflow-tui failures RUN`: why tasks failed, and what they were given."""

from __future__ import annotations

import argparse
from datetime import datetime

from outflow_core.block_queries import blocks_of, inputs_of_tasks
from outflow_core.configuration_queries import configurations
from outflow_core.detail_queries import block_details
from outflow_core.reader import Reader
from outflow_core.rows import RunRow, TaskCounts
from outflow_core.run_causes import causes_of_run
from outflow_core.run_queries import runs
from outflow_core.states import State
from outflow_tui.cli.books import asked, line_of, run_meant
from outflow_tui.cli.pasted import Before, failures_markdown
from outflow_tui.cli.printing import tell
from outflow_tui.reports.causes import RunCauses, causes_object, failures_text
from outflow_tui.snapshot import RunLine

EXAMPLES = 20
"""Of so many causes a task is shown whole."""


def answer(options: argparse.Namespace) -> int:
    """Tell the causes."""
    found, before = asked(options, lambda reader: _found(reader, options))
    return tell(
        options,
        lambda: causes_object(found),
        lambda: failures_markdown(found, before),
        lambda: failures_text(found, datetime.now()),
    )


def _found(reader: Reader, options: argparse.Namespace) -> tuple[RunCauses, Before]:
    row = run_meant(reader, options.run)
    blocks = blocks_of(reader, row.id)
    ordered = causes_of_run(reader, row, blocks)
    failed = {task for cause in ordered for task in cause.tasks}
    names = {block.id: block.name for block in blocks if block.id in failed}
    line = line_of(reader, row, blocks)
    inputs = inputs_of_tasks(reader, blocks, names.keys())
    if not options.markdown:
        return RunCauses(line, ordered, names, inputs, {}), Before()
    firsts = {cause.tasks[0] for cause in ordered[:EXAMPLES]}
    shown = block_details(reader, [block for block in blocks if block.id in firsts], row.id)
    examples = {detail.block.id: detail for detail in shown}
    return RunCauses(line, ordered, names, inputs, examples), _before(reader, row)


def _before(reader: Reader, row: RunRow) -> Before:
    """The last success before a run, of the same command, and both configurations."""
    found = runs(reader, count=1, below=row.id, state=State.SUCCESS, command=row.command) if row.command else ()
    rows = configurations(reader, {run.configuration_id for run in (row, *found)})
    new = rows.get(row.configuration_id)
    return (
        Before(RunLine(found[0], TaskCounts()), rows.get(found[0].configuration_id), new)
        if found
        else Before(None, None, new)
    )
