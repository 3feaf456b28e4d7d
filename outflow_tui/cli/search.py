"""`outflow-tui search WORDS`: where in the books they stand, and whether an input was processed."""

from __future__ import annotations

import argparse
from datetime import datetime

from outflow_core.book_search import Search
from outflow_core.findings import Found
from outflow_core.in_force import in_force
from outflow_core.reader import Reader
from outflow_core.sources import find_settings
from outflow_tui.cli.books import asked
from outflow_tui.cli.printing import tell
from outflow_tui.reports.search import found_markdown, found_object, found_text


def answer(options: argparse.Namespace) -> int:
    """Tell what was found; 0 when it is something, 1 when it is nothing."""
    settings = find_settings(options.source)
    current = in_force(settings) if settings else None

    def ask(reader: Reader) -> Found:
        search = Search(reader, options.words, in_force=lambda: current, command=options.only, limit=options.limit)
        while not search.is_over:
            search.go_on(1.0)
        return search.found()

    found = asked(options, ask)
    tell(
        options,
        lambda: found_object(found),
        lambda: found_markdown(found),
        lambda: found_text(found, datetime.now()),
    )
    return 0 if found.findings else 1
