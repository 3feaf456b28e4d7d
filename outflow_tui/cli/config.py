"""`outflow-tui config RUN`: the configuration and the settings of a run."""

from __future__ import annotations

import argparse

from outflow_core.reader import Reader
from outflow_core.rows import ConfigurationRow, RunRow
from outflow_tui.cli.books import asked, configuration_of, run_meant
from outflow_tui.cli.pasted import config_markdown
from outflow_tui.cli.printing import tell
from outflow_tui.reports.show import configuration_text


def answer(options: argparse.Namespace) -> int:
    """Tell the configuration."""
    run, row = asked(options, lambda reader: _found(reader, options.run))
    return tell(
        options,
        lambda: {"configuration": row.config, "settings": row.settings},
        lambda: config_markdown(run, row),
        lambda: configuration_text(row),
    )


def _found(reader: Reader, wanted: str) -> tuple[RunRow, ConfigurationRow]:
    run = run_meant(reader, wanted)
    return run, configuration_of(reader, run)
