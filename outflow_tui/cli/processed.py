"""`outflow-tui processed VALUE`: what became of an input, in every run."""

from __future__ import annotations

import argparse
from datetime import datetime

from outflow_core.in_force import in_force
from outflow_core.processings import processings, successes
from outflow_core.sources import find_settings
from outflow_core.wanted_inputs import WantedValue
from outflow_tui.cli.books import asked
from outflow_tui.cli.printing import tell
from outflow_tui.markdown import code
from outflow_tui.reports.processings import not_given, processed_markdown, processed_object, processed_text


def answer(options: argparse.Namespace) -> int:
    """Tell the processings; 0 when one of them is a success that counts."""
    settings = find_settings(options.source)
    current = in_force(settings) if settings else None
    wanted = WantedValue.of(options.value)
    rows = asked(options, lambda reader: processings(reader, wanted, current, command=options.only))
    done = successes(row for row in rows if row.same_configuration or current is None)
    nothing = "" if rows else not_given(options.value, options.only)
    tell(
        options,
        lambda: processed_object(rows, done),
        lambda: code(nothing, 2000) if nothing else processed_markdown(rows, done),
        lambda: nothing or processed_text(rows, done, datetime.now()),
    )
    return 0 if done else 1
