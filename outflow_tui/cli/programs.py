"""The two programs as shells and manual pages see them: what they understand, and what they are."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from outflow_core.db_parser import db_parser
from outflow_tui.cli.parsers import whole_parser


@dataclass(frozen=True, slots=True)
class Program:
    """One program: what it is in a few words, what it understands, and what else its manual tells."""

    name: str
    what: str
    parser: argparse.ArgumentParser
    notes: tuple[tuple[str, str], ...] = ()


_VARIABLES = (
    "OUTFLOW_CONFIG_PATH names the configuration file, PIPELINE_ROOT_DIRECTORY the directory from which relative paths "
    "in it are meant."
)


def program(name: str) -> Program:
    """One of the two."""
    return _outflow_tui() if name == "outflow-tui" else _outflow_db()


def _outflow_tui() -> Program:
    notes = (
        (
            "EXIT STATUS",
            "0, or 2 on trouble, which is told on standard error as one sentence; diff, processed and wait tell more, "
            "see there.",
        ),
        ("ENVIRONMENT", f"{_VARIABLES} NO_COLOR takes the colours away; nothing is told by them alone."),
        ("FILES", "~/.config/outflow-tui/settings.toml: theme, keys, and how often to look."),
        ("SEE ALSO", "outflow-db(1)"),
    )
    return Program("outflow-tui", "watch the runs of data pipelines", whole_parser(), notes)


def _outflow_db() -> Program:
    notes = (
        ("EXIT STATUS", "0; 1 when check finds an upgrade due or a difference; 2 on trouble."),
        ("ENVIRONMENT", _VARIABLES),
        ("SEE ALSO", "outflow-tui(1)"),
    )
    return Program("outflow-db", "make and change the tables of a pipeline's databases", db_parser(), notes)


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a program and their parsers."""
    found = [action.choices or {} for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return {name: its for choices in found for name, its in dict(choices).items()}


def arguments_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The arguments and options of a parser itself."""
    return [action for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
