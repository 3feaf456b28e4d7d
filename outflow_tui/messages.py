"""Mail that more than one room sends."""

from __future__ import annotations

from textual.message import Message

from outflow_tui.snapshot import Snapshot


class Seen(Message):
    """One source has something new to show; a later one makes an earlier one needless."""

    def __init__(self, place: int, snapshot: Snapshot) -> None:
        super().__init__()
        self.place = place
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Whether this mail makes another, still unread one needless."""
        return isinstance(message, Seen) and message.place == self.place
