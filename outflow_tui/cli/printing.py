"""What is printed: whole answers, or a line at a time; in whatever encoding the other end has."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

from outflow_core.printable import expressed


def tell(
    options: argparse.Namespace, value: Callable[[], Any], markdown: Callable[[], str], text: Callable[[], str]
) -> int:
    """Print an answer in the form that is wanted."""
    if options.json:
        from outflow_tui.reports import as_json

        return tell_anyway(as_json(value()))
    return tell_anyway((markdown if options.markdown else text)())


def tell_anyway(words: str) -> int:
    """Print some text; when nobody reads it any more that is no trouble, and the status tells the answer."""
    try:
        return tell_text(words)
    except BrokenPipeError:
        give_up(sys.stdout)
        return 0


def give_up(stream: TextIO) -> None:
    """Let what could not be written not be tried again at the end of the program."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def let_go_of_terminal() -> None:
    """Have Python not stumble, when it ends, over what a terminal that is gone did not take."""
    for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                give_up(stream)


def tell_text(words: str) -> int:
    """Print some text; what cannot be shown is written as an escape."""
    print(expressed(words, sys.stdout.encoding))
    sys.stdout.flush()
    return 0


def warn(words: str) -> None:
    """Tell on standard error what is no part of the answer."""
    from outflow_tui.text import clean

    print(f"outflow-tui: {clean(words)}", file=sys.stderr, flush=True)
