"""The arguments that commands have in common, and what their values may be."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

TROUBLE = 2
RUN_HELP = "an id, the beginning of a uuid, last, last:failed, or last:COMMAND"
SOURCE_HELP = (
    "a config file, a directory that holds one, a SQLite file, or a postgresql:// URL; without it the configuration "
    "is looked for: OUTFLOW_CONFIG_PATH, then config.json, .yml, .yaml or .toml in this directory"
)
COPY_HELP = "look at a private copy of a SQLite file"
CONFIG_HELP = "the configuration file, as a SOURCE"
EVERY_HELP = "how often to look (default 1)"


class Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what it does not understand."""

    def error(self, message: str) -> NoReturn:
        """Tell it and end."""
        self.exit(TROUBLE, f"{self.prog}: {message}; see '{self.prog} --help'.\n")


class Once(argparse.Action):
    """An option that may be given once: of two sources the first would be lost without a word."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, value: Any, option: str | None = None) -> None:
        """Keep the value, or refuse a second one."""
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{option} is given twice; a script reads one source at a time")
        setattr(namespace, self.dest, value)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Which books are asked, and how."""
    parser.add_argument("-s", "--source", "--config", metavar="SOURCE", action=Once, help=SOURCE_HELP)
    parser.add_argument("--copy", action="store_true", help=COPY_HELP)


def add_form(parser: argparse.ArgumentParser) -> None:
    """In which form the answer is told: one of them."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="JSON instead of text")
    forms.add_argument("--markdown", action="store_true", help="Markdown instead of text, to paste into an issue")


def add_every(parser: argparse.ArgumentParser) -> None:
    """How often to look."""
    parser.add_argument("--every", type=interval, default=1.0, metavar="SECONDS", help=EVERY_HELP)


def add_command(parser: argparse.ArgumentParser) -> None:
    """Of which command of the pipeline."""
    parser.add_argument("--command", dest="only", metavar="NAME", help="only runs of this command")


def interval(text: str) -> float:
    """Seconds between two looks."""
    found = _number(text)
    if not 0.1 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return found


def patience(text: str) -> float:
    """Seconds to wait at most."""
    found = _number(text)
    if not 0 <= found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


def count(text: str) -> int:
    """A number of runs."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs (0: all)")
    return int(text)


def positive(text: str) -> int:
    """A number of findings."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of findings from 1 on")
    return int(text)


def not_blank(text: str) -> str:
    """Some words."""
    if not text.strip():
        raise argparse.ArgumentTypeError("name what to look for; blanks are nothing")
    return text


def not_empty(text: str) -> str:
    """Some text."""
    if not text:
        raise argparse.ArgumentTypeError("name an input; the empty text is none")
    return text
