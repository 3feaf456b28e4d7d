"""What a line on the screen is made of; pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from outflow_tui import text

if TYPE_CHECKING:
    from outflow_core.tracebacks import Frame

Piece = tuple[str, str]
"""Some text, foreign or ours, and the names of its looks (`line--NAME` in the TCSS) with blanks between, or ''."""


class Line(NamedTuple):
    """One line, in pieces; the key says what it tells, for the cursor to stay on it."""

    key: Hashable
    pieces: tuple[Piece, ...]
    depth: int = 0
    """How deep it stands in what is nested: what is deeper than the line before it can be folded into that one."""
    joint: str | None = None
    """What stood between this line and the one before it, when they are one that was too long for the window."""
    frame: Frame | None = None
    """The place in the code that it tells of."""


def plain(pieces: Iterable[Piece]) -> str:
    """A line without its looks, as it is seen: the very text that is searched and marked."""
    return "".join(text.clean(piece) for piece, _ in pieces)
