"""The screen; into a pipe the runs as text instead."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from outflow_core.answers import tell_text
from outflow_core.databases import Database
from outflow_core.errors import ConfigError, SourceError
from outflow_core.nearest import did_you_mean
from outflow_core.sources import find_place
from outflow_tui.cli.commands import COMMANDS
from outflow_tui.cli.parsers import command_parser
from outflow_tui.cli.printing import let_go_of_terminal
from outflow_tui.open_files import allowed, needed, sources_that_fit


def show_screen(options: argparse.Namespace) -> int:
    """Open the screen on the sources that are named, or on the one that is found."""
    names = [*options.sources, *([options.config] if options.config else [])] or [None]
    places = [_place(name) for name in names]
    if not has_screen():
        return _tell_runs(options, names)
    shown = distinct([_short(str(place) if isinstance(place, Path) else place.shown) for place in places])
    openers = _openers(options, names, shown)
    from outflow_tui.app import OutflowApp
    from outflow_tui.lookout import Watched
    from outflow_tui.preferences import read_preferences
    from outflow_tui.terminal import watch_terminal
    from outflow_tui.textual_variables import refuse_nonsense

    refuse_nonsense(os.environ)
    watched = [Watched(name, opens) for name, opens in zip(shown, openers, strict=True)]
    app = OutflowApp(watched, seconds=options.every, preferences=read_preferences())
    watch_terminal(app.leave)
    if not sys.stderr.isatty():
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc]  # there Textual draws
    app.run()
    let_go_of_terminal()
    return app.return_code or 0


def has_screen() -> bool:
    """Whether somebody sits before a terminal that can show more than lines."""
    is_seen = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    return is_seen and os.environ.get("TERM") not in ("dumb", "unknown")


def _openers(options: argparse.Namespace, asked: Sequence[str | None], shown: Sequence[str]) -> list[Callable[[], Any]]:
    """What opens each source; those beyond the files that are allowed to be open say so instead."""
    room = sources_that_fit()
    words = f"Only {allowed()} open files are allowed here; 'ulimit -n {needed(len(asked))}' before the start is enough"
    if not room:
        raise ConfigError(f"{words}. With so few there can be no screen.")
    return [
        *(_opener(options, source) for source in asked[:room]),
        *(_refuser(f"{name}: not opened. {words}, or name fewer sources.") for name in shown[room:]),
    ]


def _refuser(words: str) -> Callable[[], NoReturn]:
    """Says of a source why it is not opened."""

    def refuses() -> NoReturn:
        raise SourceError(words)

    return refuses


def _place(name: str | None) -> Database | Path:
    """The database that is meant, or its configuration file; a misspelt command is told as such."""
    try:
        return find_place(name)
    except ConfigError as error:
        meant = did_you_mean(name, COMMANDS) if name and name.isalpha() else ""
        raise ConfigError(f"{error} As a command: {meant}") if meant else error from None


def _opener(options: argparse.Namespace, source: str | None) -> Callable[[], Any]:
    """Opens a source: its configuration is read when the screen stands, and again until it can be read."""

    def opens() -> Any:
        from outflow_core.sources import find_settings
        from outflow_tui.configured import ConfiguredSource
        from outflow_tui.source import BooksSource

        def current() -> Any:
            from outflow_core.in_force import in_force

            settings = find_settings(source)
            return in_force(settings) if settings else None

        def books(database: Database) -> BooksSource:
            return BooksSource(database, copy=options.copy, in_force=current)

        place = find_place(source)
        return ConfiguredSource(place, books) if isinstance(place, Path) else books(place)

    return opens


def _tell_runs(options: argparse.Namespace, names: Sequence[str | None]) -> int:
    """The runs of every source as text; nothing is printed when one of them is in trouble."""
    from outflow_tui.cli.runs import found_text

    answers = []
    for name in names:
        words = [*(["-s", name] if name else []), *(["--copy"] if options.copy else [])]
        answer = found_text(command_parser(COMMANDS["runs"]).parse_args(words))
        answers.append(f"{name}:\n{answer}" if len(names) > 1 else answer)
    return tell_text("\n\n".join(answers))


def _short(name: str) -> str:
    """A source's name as people wrote it: a path seen from here, if there is a here."""
    try:
        relative = os.path.relpath(name) if name.startswith("/") else name
    except FileNotFoundError:
        return name
    return name if relative.startswith("../..") else relative


def distinct(names: Sequence[str]) -> list[str]:
    """Names of sources without what all of them share at both ends.

    >>> distinct(["/data/a/outflow.db", "/data/b/outflow.db"]), distinct(["x/outflow.db"])
    (['a', 'b'], ['x/outflow.db'])
    """
    parts = [name.split("/") for name in names]
    for end in (-1, 0):
        while len(parts) > 1 and min(map(len, parts)) > 1 and len({path[end] for path in parts}) == 1:
            for path in parts:
                path.pop(end)
    return ["/".join(path) for path in parts]
