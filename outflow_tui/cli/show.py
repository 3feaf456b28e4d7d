"""`outflow-tui show RUN`: everything about one run."""

from __future__ import annotations

import argparse
from datetime import datetime

from outflow_core import block_queries, configuration_queries, detail_queries, run_counts
from outflow_core.reader import Reader
from outflow_core.states import State
from outflow_tui.cli.books import asked, line_of, run_meant, signs_of
from outflow_tui.cli.pasted import show_markdown
from outflow_tui.cli.printing import tell
from outflow_tui.reports.show import WholeRun, show_text, whole_object


def answer(options: argparse.Namespace) -> int:
    """Tell the run."""
    run, now = asked(options, lambda reader: _whole(reader, options.run)), datetime.now()
    return tell(options, lambda: whole_object(run, now), lambda: show_markdown(run, now), lambda: show_text(run, now))


def _whole(reader: Reader, wanted: str) -> WholeRun:
    row = run_meant(reader, wanted)
    blocks = block_queries.blocks_of(reader, row.id)
    failed = {block.id for block in blocks if block.state is State.FAILED}
    return WholeRun(
        line_of(reader, row, blocks),
        run_counts.exception_counts(reader, {row.id}).get(row.id, 0),
        configuration_queries.configurations(reader, [row.configuration_id]).get(row.configuration_id),
        detail_queries.block_details(reader, blocks, row.id),
        signs_of(reader, row.id),
        block_queries.inputs_of_tasks(reader, blocks, failed),
    )
