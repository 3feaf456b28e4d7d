"""The table of commands: parsers, help, completions and the manual page are made from it.

Each command has a module of its name here, whose `answer(options)` gives the exit status.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from outflow_core.states import State
from outflow_tui import start
from outflow_tui.cli import arguments

GONE, TIMED_OUT = 3, 124
LIVES = ("gone", "silent")
SHELLS = ("bash", "zsh", "fish")


class Command(NamedTuple):
    """One command: a line on what it does, more of it for its own help, and its arguments."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    more: str = ""

    def answer(self, options: argparse.Namespace) -> int:
        """Do it; its module is imported only now."""
        room = import_module(f"outflow_tui.cli.{self.name}")
        start.over()
        status: int = room.answer(options)
        return status


def _runs(parser: argparse.ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_form(parser)
    parser.add_argument("--limit", type=arguments.count, default=50, metavar="N", help="at most N (default 50, 0: all)")
    states = [*(state.value for state in State), *LIVES]
    help_state = "only runs in this state; running is what the books say, gone and silent are those that only claim it"
    parser.add_argument("--state", choices=states, help=help_state)
    arguments.add_command(parser)


def _one_run(parser: argparse.ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_form(parser)
    parser.add_argument("run", metavar="RUN", help=arguments.RUN_HELP)


def _diff(parser: argparse.ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_form(parser)
    parser.add_argument("first", metavar="RUN", help=arguments.RUN_HELP)
    parser.add_argument("second", metavar="RUN", help="the run to compare it with")
    parser.add_argument("others", metavar="RUN", nargs="*", help="more runs: a table with a column for each")


def _processed(parser: argparse.ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_form(parser)
    arguments.add_command(parser)
    parser.add_argument("value", metavar="[KEY=]VALUE", type=arguments.not_empty, help=_VALUE_HELP)


def _search(parser: argparse.ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_form(parser)
    arguments.add_command(parser)
    limit = "stop at N findings (default 1000); equal ones of a run are one"
    parser.add_argument("--limit", type=arguments.positive, default=1000, metavar="N", help=limit)
    parser.add_argument("words", metavar="WORDS", type=arguments.not_blank, help=_WORDS_HELP)


def _wait(parser: argparse.ArgumentParser) -> None:
    arguments.add_source(parser)
    parser.add_argument("--json", action="store_true", help=_JSON_LINES)
    parser.add_argument(
        "--timeout", type=arguments.patience, metavar="SECONDS", help="give up after so long (default: never)"
    )
    arguments.add_every(parser)
    parser.add_argument("runs", metavar="RUN", nargs="+", help=arguments.RUN_HELP)


def _watch(parser: argparse.ArgumentParser) -> None:
    arguments.add_source(parser)
    parser.add_argument("--json", action="store_true", help=_JSON_LINES)
    arguments.add_command(parser)
    arguments.add_every(parser)


def _completions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to complete")
    programs = ("outflow-tui", "outflow-db")
    parser.add_argument("--program", choices=programs, default=programs[0], help="for which (default outflow-tui)")


def _man(parser: argparse.ArgumentParser) -> None:
    programs = ("outflow-tui", "outflow-db")
    parser.add_argument("program", nargs="?", choices=programs, default=programs[0], help="of which program")


_JSON_LINES = "a JSON object on each line instead of text"
_DIFF_MORE = (
    "Of two runs each path at which their configurations differ; of three or more a table, in which what goes with "
    "failure stands first. Ends with 0 when they are the same, 1 when they differ, 2 on trouble."
)
_PROCESSED_MORE = (
    "Every processing of an input: the tasks of a run, or an item of a map, that were given it. Ends with 0 when a run "
    "processed it successfully with the configuration in force now (that of the source; of a bare database with any), "
    "with 1 when none did, with 2 on trouble."
)
_VALUE_HELP = (
    "an input is meant when it is this very text, a path whose last part it is (n1.fits means /data/n1.fits too), or "
    "the number, true, false or null that is written so; also inside a list or a mapping; with KEY= only what stands "
    "under that name"
)
_SEARCH_MORE = (
    "Where words stand in the books: in inputs, names, hosts, uuids, exceptions, tracebacks and configurations, newest "
    "runs first; and of the inputs that hold them whether they were processed with the configuration in force. Secrets "
    "are never searched. Ends with 0 when something is found, with 1 when nothing is, with 2 on trouble."
)
_WORDS_HELP = "a text, meant as it is written; capitals count only when there are some; PATH=VALUE for both together"
_WAIT_MORE = (
    "Waits until the runs are over and tells how each ended. Ends with 0 when all were successful, with 1 when one "
    f"failed, with {GONE} when none failed but the processes of one are gone though the books say that it runs, with "
    f"{TIMED_OUT} when the time is up before, with 2 on trouble. A run that is merely silent is waited for. When the "
    "database cannot be read for a while that is told once, and waited for."
)
_WATCH_MORE = (
    "Tells what happens from now on, a line for each change: a run began or ended, a task failed (and of what), a run "
    "is gone or silent or came back, the source cannot be read or can be read again. Ctrl-C or SIGTERM ends it, with 0."
)
_COMPLETIONS_MORE = (
    'Prints the script. bash: eval "$(outflow-tui completions bash)" in ~/.bashrc; zsh: the output as a file '
    "_outflow-tui in a directory of fpath; fish: as ~/.config/fish/completions/outflow-tui.fish."
)

_TABLE = (
    Command("runs", "list the runs, newest first", _runs),
    Command("show", "show one run: its tasks, tracebacks and configuration", _one_run),
    Command("failures", "why tasks of a run failed, by cause, and what they were given", _one_run),
    Command("diff", "what differs between the configurations of runs", _diff, _DIFF_MORE),
    Command("config", "the configuration and settings that a run was given", _one_run),
    Command(
        "processed", "whether an input file or value was processed, and in which runs", _processed, _PROCESSED_MORE
    ),
    Command("search", "find words in all runs: inputs, names, errors, values", _search, _SEARCH_MORE),
    Command("wait", "wait until a run ends; the exit status tells how", _wait, _WAIT_MORE),
    Command("watch", "tell what happens, a line for each change, for logs and pipes", _watch, _WATCH_MORE),
    Command(
        "completions", "print what lets bash, zsh or fish complete the command line", _completions, _COMPLETIONS_MORE
    ),
    Command("man", "print the manual page (outflow-tui man | man -l -)", _man),
)
COMMANDS = {command.name: command for command in _TABLE}
