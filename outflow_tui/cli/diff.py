"""`outflow-tui diff RUN RUN ...`: what differs between configurations."""

from __future__ import annotations

import argparse

from outflow_core.config_diff import diff
from outflow_core.reader import Reader
from outflow_tui.cli.books import asked, configuration_of, run_meant
from outflow_tui.cli.pasted import diff_markdown
from outflow_tui.cli.printing import tell
from outflow_tui.format import glyphs_for
from outflow_tui.reports.comparisons import Sides, sides_markdown, sides_object, sides_text
from outflow_tui.reports.differences import diff_text
from outflow_tui.reports.objects import diff_object


def answer(options: argparse.Namespace) -> int:
    """Tell the differences; 1 when there are some."""
    wanted = (options.first, options.second, *options.others)
    sides = asked(options, lambda reader: _sides(reader, wanted))
    return _tell_two(options, sides) if len(wanted) == 2 else _tell_many(options, sides)


def _sides(reader: Reader, wanted: tuple[str, ...]) -> Sides:
    runs = [run_meant(reader, run) for run in wanted]
    return Sides(runs, [configuration_of(reader, run) for run in runs])


def _tell_two(options: argparse.Namespace, sides: Sides) -> int:
    old, new = sides.configurations
    changes = diff(old, new)
    tell(
        options,
        lambda: diff_object(changes),
        lambda: diff_markdown(sides, changes),
        lambda: diff_text(old, new, changes),
    )
    return 1 if changes else 0


def _tell_many(options: argparse.Namespace, sides: Sides) -> int:
    tell(
        options,
        lambda: sides_object(sides),
        lambda: sides_markdown(sides),
        lambda: sides_text(sides, glyphs_for()),
    )
    return 1 if sides.rows() else 0
