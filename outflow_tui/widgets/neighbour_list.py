"""The blocks before or after one, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.format import Glyphs
from outflow_tui.lines import Piece
from outflow_tui.task_lines import TaskLine
from outflow_tui.widgets.line_view import LineView


class NeighbourList(LineView[TaskLine]):
    """State, name, how long, where."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="neighbours")
        self.glyphs = glyphs
        self._longest = 0

    def show(self, items: Sequence[TaskLine]) -> None:
        """Show these blocks; what stands behind the names is under each other."""
        longest = max((text.width(text.clean(item.name)) for item in items), default=0)
        super().show(items)
        if longest != self._longest:
            self._longest = longest
            self.redraw()

    def draw(self, item: TaskLine, width: int) -> list[Piece]:
        """One block: the name gives way to the rest."""
        state = item.state.value
        tail = f"{words.duration(item.seconds):>6}  {text.clean(item.hostname or '')}".rstrip()
        head = f"{self.glyphs.states[item.state]} {state:<9}"
        room = max(width - len(head) - text.width(tail) - 4, 10)
        name = text.fit(text.clean(item.name), min(room, self._longest), ellipsis=self.glyphs.ellipsis)
        return [(head, state), (name, "failed" if state == "failed" else ""), (f"  {tail} ", "dim")]
