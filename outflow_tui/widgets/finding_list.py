"""What a search found, one line each: what it is, in which run, and the words in their place."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime

from outflow_core.findings import Finding
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.finding_words import how_often
from outflow_tui.format import Glyphs
from outflow_tui.lines import Piece
from outflow_tui.widgets.line_view import LineView

LEAD = 20
"""How much stands before what was found when there is no room for all."""


@dataclass(frozen=True, slots=True)
class FindingItem:
    """One finding in one source."""

    place: int
    source: str
    finding: Finding

    @property
    def key(self) -> Hashable:
        """What tells it from all others."""
        return self.place, self.finding.key


class FindingList(LineView[FindingItem]):
    """By kind, the newest runs first."""

    def __init__(self, glyphs: Glyphs, *, several: bool) -> None:
        super().__init__(id="findings")
        self.glyphs = glyphs
        self.now = datetime.now()
        self._several = several

    def draw(self, item: FindingItem, width: int) -> list[Piece]:
        """One finding; the text gives way to the rest."""
        one, ellipsis = item.finding, self.glyphs.ellipsis
        state = self.glyphs.states[one.state] if one.state is not None else " "
        run = f"{one.run_id:>6} {state} "
        head = f"{one.kind.value:<14}"
        command = text.fit(text.clean(one.command or ""), 16 if width >= 100 else 10, ellipsis=ellipsis) + "  "
        source = text.fit(text.clean(item.source), 12, ellipsis=ellipsis) + " " if self._several else ""
        block = text.clean(one.block_name) if width >= 110 and one.block_name != one.text else ""
        when = words.moment(one.time, self.now, short=True)
        tail = "  ".join(filter(None, [text.fit(block, 16, ellipsis=ellipsis).rstrip(), how_often(one), when]))
        room = max(width - len(head) - text.width(source) - len(run) - len(command) - text.width(tail) - 3, 10)
        return [(head, "dim"), (source, "dim"), (run, one.state.value if one.state else ""), (command, ""),
                *self._marked(one, room), (f"  {tail} ", "dim")]  # fmt: skip

    def _marked(self, one: Finding, room: int) -> list[Piece]:
        """The text with what was found marked, in exactly so many cells."""
        first = max(one.start - LEAD, 0) if one.end > room else 0
        before = (self.glyphs.ellipsis if first else "") + one.text[first : one.start]
        pieces: list[Piece] = []
        parts = ((before, ""), (one.text[one.start : one.end], "match"), (one.text[one.end :], ""))
        for part, look in parts:
            shown = text.clean(part)
            if text.width(shown) > room or part is parts[-1][0]:
                shown = text.fit(shown, room, ellipsis=self.glyphs.ellipsis)
            room -= text.width(shown)
            pieces.append((shown, look))
        return pieces
