"""`outflow-tui man`: the manual page, made from what a program understands."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator

from outflow_core.answers import tell_text
from outflow_tui.cli.programs import Program, arguments_of, commands_of, program


def answer(options: argparse.Namespace) -> int:
    """Print the page."""
    return tell_text("\n".join(page(program(options.program))))


def page(described: Program) -> Iterator[str]:
    """The lines of a manual page, in roff's man macros."""
    name, parser = described.name, described.parser
    yield f'.TH "{name.upper()}" "1" "" "{name}" "User Commands"'
    yield from (".nh", ".ad l")
    yield from (".SH NAME", f"{_escaped(name)} \\- {_escaped(described.what)}", ".SH SYNOPSIS")
    yield from _synopsis(name, arguments_of(parser))
    yield from (".br", f"\\fB{_escaped(name)}\\fR \\fICOMMAND\\fR ...")
    yield from (".SH DESCRIPTION", _escaped(parser.description or ""), ".SH OPTIONS", *_arguments(arguments_of(parser)))
    yield ".SH COMMANDS"
    for command, its in commands_of(parser).items():
        yield from _command(name, command, its, _help_of(parser, command))
    for title, words in described.notes:
        yield from (f".SH {title}", _escaped(words))


def _help_of(parser: argparse.ArgumentParser, command: str) -> str:
    """The line that a program's help has on a command."""
    choices = (choice for action in parser._actions for choice in getattr(action, "_choices_actions", ()))
    return next((choice.help or "" for choice in choices if choice.dest == command), "")


def _command(name: str, command: str, parser: argparse.ArgumentParser, told: str) -> Iterator[str]:
    own = [action for action in arguments_of(parser) if action.dest != "help"]
    yield f".SS {_escaped(command)}"
    yield from _synopsis(f"{name} {command}", own)
    yield from (".PP", _escaped(_sentence(told)))
    if parser.epilog:
        yield from (".PP", _escaped(parser.epilog))
    yield from _arguments(own)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _synopsis(name: str, actions: Iterable[argparse.Action]) -> Iterator[str]:
    shown = [_usage(action) for action in sorted(actions, key=lambda action: not action.option_strings)]
    yield " ".join([f"\\fB{_escaped(name)}\\fR", *shown])


def _usage(action: argparse.Action) -> str:
    if not action.option_strings:
        return _repeated(action)
    value = f" {_value(action)}" if action.nargs != 0 else ""
    used = f"\\fB{_escaped(action.option_strings[0])}\\fR{value}"
    return used if action.required else f"[{used}]"


def _repeated(action: argparse.Action) -> str:
    value = _value(action)
    shapes = {"*": f"[{value} ...]", "+": f"{value} [{value} ...]", "?": f"[{value}]"}
    return shapes.get(str(action.nargs), value)


def _value(action: argparse.Action) -> str:
    if action.metavar is None and action.choices is not None:
        return "|".join(f"\\fB{_escaped(str(choice))}\\fR" for choice in action.choices)
    return f"\\fI{_escaped(str(action.metavar or action.dest))}\\fR"


def _arguments(actions: Iterable[argparse.Action]) -> Iterator[str]:
    for action in actions:
        names = ", ".join(f"\\fB{_escaped(name)}\\fR" for name in action.option_strings)
        value = _value(action) if action.nargs != 0 else ""
        yield from (".TP", " ".join(filter(None, [names, value])), _escaped((action.help or "").replace("%%", "%")))


def _escaped(words: str) -> str:
    """Words as roff takes them literally.

    >>> _escaped(".a -b c:\\\\d")
    '\\\\&.a \\\\-b c:\\\\ed'
    """
    escaped = words.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
