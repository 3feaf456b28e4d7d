"""Tells outside of the screen how the runs stand: in the terminal's title, and by a bell when one has ended."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from outflow_tui import announcements
from outflow_tui.run_listing import KnownRuns
from outflow_tui.snapshot import RunKey, Snapshot


class Speaker(Protocol):
    """What a herald asks of the app."""

    def clock(self) -> datetime:
        """The time by which a run is taken for silent."""

    def notify(self, message: str, **how: Any) -> None:
        """Tell something in a corner for a while."""

    def write_to_terminal(self, sequence: str) -> None:
        """Send what is not drawn."""


class Herald:
    """Is told what was seen, and says what is new of it; the same again costs nothing."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._waited_for: set[RunKey] = set()
        self._known = KnownRuns()
        self._title = ""

    def wait_for(self, key: RunKey) -> bool:
        """Tell when this run ends, or not any more; whether it will be told."""
        self._waited_for ^= {key}
        return key in self._waited_for

    def tell(self, seen: Sequence[Snapshot]) -> None:
        """Ring for what ended, and keep the title true."""
        for key, line in announcements.ended(self._waited_for, seen).items():
            self._waited_for.discard(key)
            said = announcements.ending(line)
            self._speaker.notify(said[:1].upper() + said[1:], timeout=10)
            self._speaker.write_to_terminal(announcements.notice(said, os.environ))
        self._known = self._known.now([snapshot.runs for snapshot in seen])
        title = f"outflow: {self._known.tally(self._speaker.clock())}"
        if title != self._title and announcements.has_title(os.environ):
            kept = "" if self._title else announcements.KEEP_TITLE
            self._speaker.write_to_terminal(kept + announcements.title(title))
            self._title = title

    def leave(self) -> None:
        """Give back the title that the terminal had."""
        if self._title:
            self._speaker.write_to_terminal(announcements.GIVE_TITLE_BACK)
