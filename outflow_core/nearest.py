"""The way out of a misspelt name: the nearest known one, or all of them; pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question after the nearest of the known names; '' where none is near.

    >>> did_you_mean("paht", ["path", "dialect"]), did_you_mean("x", ["path"])
    ("did you mean 'path'?", '')
    """
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def way_out(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, or else all of them.

    >>> way_out("x", ["path", "dialect"])
    'known: path, dialect.'
    """
    names = list(known)
    return did_you_mean(name, names) or f"known: {', '.join(names)}."
