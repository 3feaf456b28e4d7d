"""`outflow-tui completions SHELL`: the script that lets a shell complete the command line."""

from __future__ import annotations

import argparse

import shtab

from outflow_core.answers import tell_text
from outflow_tui.cli.programs import Program, arguments_of, commands_of, program

FILES = ("source", "sources", "config")
"""Arguments that may be files, if not something else."""
RUNS = ("run", "runs", "first", "second", "others")


def answer(options: argparse.Namespace) -> int:
    """Print the script."""
    return tell_text(completions(program(options.program), options.shell).rstrip("\n"))


def completions(described: Program, shell: str) -> str:
    """The script; besides commands a shell offers files where a source may stand."""
    parser = described.parser
    for each in (parser, *commands_of(parser).values()):
        for action in arguments_of(each):
            _add_candidates(action)
    if shell != "fish":  # there a program has sources or commands, not both
        for action in [action for action in arguments_of(parser) if not action.option_strings]:
            parser._remove_action(action)
    return _with_files(shtab.complete(parser, shell), described.name, shell)


def _add_candidates(action: argparse.Action) -> None:
    if action.dest in FILES:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif action.dest in RUNS:
        action.choices = ("last",)


def _with_files(script: str, name: str, shell: str) -> str:
    """The script, with files in the place of a command too."""
    if shell == "bash":
        return script.replace("complete -o bashdefault -F", "complete -o bashdefault -o default -F")
    described = f"_describe '{name} commands' _commands"
    return script.replace(described, f"{described}\n  _files") if shell == "zsh" and name == "outflow-tui" else script
