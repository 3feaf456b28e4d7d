"""All sources that are watched: a poller for each, and what each of them answered last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import NamedTuple

from outflow_tui.mailbox import Mailbox
from outflow_tui.messages import Seen
from outflow_tui.poller import Looks, Poller, stop_all
from outflow_tui.snapshot import Focus, Snapshot


class Watched(NamedTuple):
    """A source by its name, and how to open it; opened in its poller's own thread."""

    name: str
    opens: Callable[[], Looks]


class Lookout:
    """Has every source looked at; what comes in is posted, from the pollers' threads."""

    def __init__(
        self,
        sources: Sequence[Watched],
        post: Callable[[Seen], object],
        *,
        seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self.names = tuple(source.name for source in sources)
        self.latest = tuple(map(Snapshot, self.names))
        self._mailbox = Mailbox(post)
        self._pollers = [
            Poller(source.name, source.opens, partial(self._mailbox.receive, place), seconds=seconds, clock=clock)
            for place, source in enumerate(sources)
        ]

    def start(self) -> None:
        """Begin to ask."""
        for poller in self._pollers:
            poller.start()

    def stop(self) -> None:
        """Leave no thread and no connection behind."""
        stop_all(self._pollers)

    def nudge(self) -> None:
        """Ask every source now."""
        for poller in self._pollers:
            poller.nudge()

    def look_at(self, wants: Callable[[int], Focus]) -> None:
        """Ask every source for what is wanted of it."""
        for place, poller in enumerate(self._pollers):
            poller.look_at(wants(place))

    def take(self, seen: Seen) -> None:
        """Keep what one source answered."""
        named = seen.snapshot._replace(source=self.names[seen.place])
        self.latest = (*self.latest[: seen.place], named, *self.latest[seen.place + 1 :])

    def holding(self) -> AbstractContextManager[None]:
        """Post nothing meanwhile, and afterwards the last of each."""
        return self._mailbox.holding()
