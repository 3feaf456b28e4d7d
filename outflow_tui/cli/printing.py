"""What is printed: an answer in the form that is wanted, and what is no part of it."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable
from typing import Any

from outflow_core.answers import give_up, tell_anyway


def tell(
    options: argparse.Namespace, value: Callable[[], Any], markdown: Callable[[], str], text: Callable[[], str]
) -> int:
    """Print an answer in the form that is wanted."""
    if options.json:
        from outflow_tui.reports import as_json

        return tell_anyway(as_json(value()))
    return tell_anyway((markdown if options.markdown else text)())


def let_go_of_terminal() -> None:
    """Have Python not stumble, when it ends, over what a terminal that is gone did not take."""
    for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                give_up(stream)


def warn(words: str) -> None:
    """Tell on standard error what is no part of the answer."""
    from outflow_tui.text import clean

    print(f"outflow-tui: {clean(words)}", file=sys.stderr, flush=True)
