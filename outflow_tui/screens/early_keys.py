"""Keys that are typed before there is what they are for: kept, in order, until it comes."""

from __future__ import annotations

from textual import events
from textual.binding import ActiveBinding
from textual.screen import Screen

from outflow_tui.widgets.typing_line import TypingLine

WAY_BACK = ("app.back", "app.quit")
OPEN_LINES = ("search", "filter")


class EarlyKeys:
    """The keys of one screen that wait; what is typed behind them waits too, but for the way back."""

    def __init__(self, actions: frozenset[str]) -> None:
        self._actions = actions
        """What only makes sense with what is to come, as do all keys of the list that shows it."""
        self._kept: list[events.Key] = []
        self._opens_line = False
        """Whether one of them opens a line, to which belongs what is typed behind it, to the enter key."""

    def keep(self, event: events.Key, screen: Screen[int | None], *, awaits: bool) -> bool:
        """Keep a key, if it is to be kept while a screen awaits something, or because others are."""
        if isinstance(screen.focused, TypingLine) or not (awaits or self._kept):
            return False
        active = screen.active_bindings.get(event.key)
        is_of_line = self._opens_line and event.key != "escape"
        is_kept = is_of_line or self._waits(active, screen)
        if is_kept:
            self._kept.append(event)
            opens_line = active is not None and active.binding.action in OPEN_LINES
            self._opens_line = event.key != "enter" if is_of_line else opens_line
        return is_kept

    def _waits(self, active: ActiveBinding | None, screen: Screen[int | None]) -> bool:
        """Whether what a key does here waits, for other keys or for what makes sense of it."""
        if active is None:
            return bool(self._kept)
        action = active.binding.action.partition("(")[0]
        if active.node is screen.app or action in WAY_BACK:
            return False
        return bool(self._kept) or active.node is not screen or action in self._actions

    def give_back(self) -> list[events.Key]:
        """The keys that waited; they do not any more."""
        kept, self._kept, self._opens_line = self._kept, [], False
        return kept
