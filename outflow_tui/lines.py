"""What a line on the screen is made of; pure."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

Piece = tuple[str, str]
"""Some text, foreign or ours, and the name of its look (see `LineView.LOOKS`), or ''."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, in pieces; the key says what it tells, for the cursor to stay on it."""

    key: Hashable
    pieces: tuple[Piece, ...]
