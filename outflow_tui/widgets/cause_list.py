"""The causes of a run's failures, one line each, most tasks first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from outflow_core.failures import Cause
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.cause_words import seen_short
from outflow_tui.format import Glyphs
from outflow_tui.lines import Piece
from outflow_tui.widgets.line_view import LineView

WIDE = 110
"""From how many cells on the times are shown."""
SEEN = 16
"""How many cells tell of earlier runs."""


@dataclass(frozen=True, slots=True)
class CauseItem:
    """One cause; its first task tells it from the others."""

    cause: Cause

    @property
    def key(self) -> int:
        """The first task that failed of it."""
        return self.cause.tasks[0]

    @property
    def task(self) -> int:
        """The first task that failed of it and did not succeed later, if there is one."""
        return next((task for task in self.cause.tasks if task not in self.cause.mended), self.key)


class CauseList(LineView[CauseItem]):
    """How many tasks, of what, where, when."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="causes")
        self.glyphs = glyphs
        self.now = datetime.now()

    def draw(self, item: CauseItem, width: int) -> list[Piece]:
        """One cause: the message gives way to the rest."""
        cause = item.cause
        number = f"{len(cause.tasks):>6}  "
        kind = cause.type or "no exception recorded"
        where = f"{cause.where.file.rpartition('/')[2]}:{cause.where.line}" if cause.where else ""
        first, last = (words.moment(moment, self.now, short=True) for moment in (cause.first, cause.last))
        when = first if first == last else f"{first} {self.glyphs.arrow} {last}"
        tail = "  ".join(filter(None, [where, when if width >= WIDE else "", _mended(cause, width)]))
        seen = text.fit(seen_short(cause.history), SEEN, ellipsis=self.glyphs.ellipsis)
        message = cause.message.removeprefix(f"{kind}: ") if cause.type else ""
        said = f"{kind}: {text.clean(message[:500])}" if message else kind
        room = max(width - len(number) - text.width(tail) - SEEN - 5, 10)
        return [(number, "strong"), (text.fit(text.clean(said), room, ellipsis=self.glyphs.ellipsis), "failed"),
                (f"  {tail}  ", "dim"), (seen + " ", "")]  # fmt: skip


def _mended(cause: Cause, width: int) -> str:
    """How many of the tasks succeeded on a later try."""
    return f"{len(cause.mended)} {'succeeded later' if width >= WIDE else 'mended'}" if cause.mended else ""
