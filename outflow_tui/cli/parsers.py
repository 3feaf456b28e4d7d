"""The parsers: one for the screen, one for each command, and one of all of them for completions and the manual."""

from __future__ import annotations

import argparse

from outflow_core import __version__
from outflow_tui.cli import arguments
from outflow_tui.cli.arguments import Parser
from outflow_tui.cli.commands import COMMANDS, Command

PROGRAM = "outflow-tui"
DESCRIPTION = (
    "Shows the runs of data pipelines: what goes on, what failed and why. Without a command it opens the screen "
    "(? shows its keys, q leaves); into a pipe it prints the runs."
)
_BARE = ("--copy", "--json", "--markdown")
_WITH_VALUE = ("-s", "--source", "--config")


def command_first(words: list[str]) -> list[str]:
    """The words with the command before the options, wherever people put `-s SOURCE`.

    >>> command_first(["-s", "a.db", "--copy", "runs", "--json"])
    ['runs', '-s', 'a.db', '--copy', '--json']
    """
    place = 0
    while place < len(words) and words[place] in (*_BARE, *_WITH_VALUE):
        place += 1 if words[place] in _BARE else 2
    if place < len(words) and words[place] in COMMANDS:
        return [words[place], *words[:place], *words[place + 1 :]]
    return words


def command_parser(command: Command) -> argparse.ArgumentParser:
    """The parser of one command."""
    parser = Parser(prog=f"{PROGRAM} {command.name}", description=_description(command))
    command.add_arguments(parser)
    return parser


def _description(command: Command) -> str:
    """What a command does, in one sentence or more."""
    return command.more or f"{command.help[0].upper()}{command.help[1:]}."


def screen_parser() -> argparse.ArgumentParser:
    """The parser of the screen; its help lists the commands."""
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {command.name:{width}}  {command.help}" for command in COMMANDS.values())
    parser = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [SOURCE ...] [--every SECONDS] [--copy]\n       {PROGRAM} COMMAND ...",
        description=DESCRIPTION,
        epilog=f"commands, without the screen:\n{listed}\n\n'{PROGRAM} COMMAND --help' tells more of one.",
        formatter_class=_Paragraphs,
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=arguments.SOURCE_HELP)
    add_screen_options(parser)
    return parser


class _Paragraphs(argparse.HelpFormatter):
    """Fills paragraphs, but keeps what has lines of its own."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


def add_screen_options(parser: argparse.ArgumentParser) -> None:
    """The options without a command."""
    parser.add_argument("--config", metavar="FILE", help=arguments.CONFIG_HELP)
    parser.add_argument("--every", type=arguments.interval, metavar="SECONDS", help=arguments.EVERY_HELP)
    parser.add_argument("--copy", action="store_true", help=arguments.COPY_HELP)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")


def whole_parser() -> argparse.ArgumentParser:
    """All commands in one parser, as a shell or a manual page wants to see them."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION)
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=arguments.SOURCE_HELP)
    add_screen_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS.values():
        added = commands.add_parser(command.name, help=command.help, description=command.help, epilog=command.more)
        command.add_arguments(added)
    return parser
