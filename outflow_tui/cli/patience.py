"""A source is looked at again and again: one that was read once may be away for a while; told once, and waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from outflow_core.errors import SourceError

LONGEST_WAIT = 30.0
Seen = TypeVar("Seen")


class Patience:
    """Looks, and says how long to wait before the next look; `away` and `back` are told when that changes."""

    def __init__(self, every: float, away: Callable[[SourceError], object], back: Callable[[], object]) -> None:
        self.every = every
        self.seconds = every
        self._away = away
        self._back = back
        self._is_away = False

    def look(self, ask: Callable[[], Seen]) -> Seen | None:
        """What is seen; None while the source cannot be read."""
        try:
            seen = ask()
        except SourceError as error:
            self.seconds = min(2 * self.seconds, max(LONGEST_WAIT, self.every))
            if not self._is_away:
                self._is_away = True
                self._away(error)
            return None
        self.seconds = self.every
        if self._is_away:
            self._is_away = False
            self._back()
        return seen
