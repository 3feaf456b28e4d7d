"""When tasks ran, one line each: state, name, how long, and a bar at its place in the run's time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from outflow_core.rows import BlockRow
from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.format import Glyphs
from outflow_tui.lines import Piece
from outflow_tui.spans import AtOnce, Span, at_once
from outflow_tui.time_scale import TimeScale
from outflow_tui.timeline_bars import bar, levels
from outflow_tui.timeline_lines import Group, Row
from outflow_tui.usual import Usual, exceeded
from outflow_tui.widgets.line_view import LineView

WIDE = 110
TOOK = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """What decides the look of all lines besides the tasks: the stretch of time, until when, what is usual."""

    scale: TimeScale = field(default_factory=lambda: TimeScale(0.0, 1.0, 1))
    until: float = 0.0
    usual: Mapping[str, Sequence[Usual]] = field(default_factory=lambda: MappingProxyType({}))


class TimelineList(LineView[Row]):
    """The tasks of a run in time; `label_of` names one as the tree does."""

    def __init__(self, glyphs: Glyphs, label_of: Callable[[BlockRow], str]) -> None:
        super().__init__(id="timeline")
        self.glyphs = glyphs
        self._label_of = label_of
        self._frame = Frame()
        self.widest = 0
        self._at_once: dict[Hashable, tuple[Group, AtOnce]] = {}

    def show_rows(self, rows: Sequence[Row], frame: Frame, *, follow: bool = False) -> None:
        """Show these tasks on this stretch of time; `follow` keeps a cursor on the last line of a long list there."""
        at_end = follow and len(self.items) >= self.size.height > 0 and self.cursor == len(self.items) - 1
        self._frame = frame
        self.show_anew(rows)
        if at_end:
            self.go_to(len(rows) - 1)

    def left_width(self, width: int) -> int:
        """How many cells of a line stand before its bar; the `widest` name gets a quarter of it at most."""
        return self._name_width(width) + TOOK + (12 if width >= WIDE else 4)

    def bar_width(self, width: int) -> int:
        """How many cells there are for bars; the scrollbar covers the last one of a line."""
        return max(width - self.left_width(width) - 1, 1)

    def _name_width(self, width: int) -> int:
        return max(min(width // 4, self.widest), 16)

    def go_to_failure(self, step: int) -> bool:
        """To the next (1) or previous (-1) failed task, round and round, or (0) the first; whether there is one."""
        failed = [place for place, row in enumerate(self.items) if _is_failed(row)]
        if not failed:
            return False
        beyond = [place for place in failed if (place > self.cursor if step > 0 else place < self.cursor)]
        if step == 0 or not beyond:
            self.go_to(failed[-1 if step < 0 else 0])
        else:
            self.go_to(beyond[0 if step > 0 else -1])
        return True

    def slow(self, span: Span) -> Usual | None:
        """What a task takes much longer than, if it does."""
        return exceeded(span, self._frame.usual, self._frame.until)

    def draw(self, item: Row, width: int) -> list[Piece]:
        """A task with its bar, or the heading of a group."""
        return self._draw_group(item, width) if isinstance(item, Group) else self._draw_task(item, width)

    def _draw_task(self, span: Span, width: int) -> list[Piece]:
        state, slow = span.row.state, self.slow(span)
        sign = f" {self.glyphs.states[state]} {state.value if width >= WIDE else ''}".ljust(11 if width >= WIDE else 3)
        name = text.fit(text.clean(self._label_of(span.row)), self._name_width(width), ellipsis=self.glyphs.ellipsis)
        took = f"{self.took(span):>7}{self.glyphs.slow if slow else ' '} "
        placed = bar(span, self._frame.scale, self._frame.until, self.glyphs, slow)
        said = "warning" if slow else "dim"
        return [
            (sign, state.value),
            (name, "failed" if state is State.FAILED else ""),
            (took, said),
            (" " * placed.blanks + placed.before, said),
            (placed.cells, "warning" if slow and state is not State.FAILED else state.value),
            (placed.behind, said),
        ]

    def took(self, span: Span) -> str:
        """How long a task took; of one that goes on without tenths, which would be wrong at once."""
        took = words.duration(span.seconds(self._frame.until))
        return words.whole(took) if span.end is None else took

    def _draw_group(self, group: Group, width: int) -> list[Piece]:
        left, once = self.left_width(width), self._at_once_in(group)
        counts = f"  {self._counts(group)}  {once.most} at once "
        title = text.fit(text.clean(group.title), max(left - 1 - text.width(counts), 8), ellipsis=self.glyphs.ellipsis)
        heading = text.fit(f" {title.rstrip()}{counts}", left, ellipsis=self.glyphs.ellipsis)
        return [(heading, "strong"), (levels(once, self._frame.scale, self._frame.until, self.glyphs), "running")]

    def _counts(self, group: Group) -> str:
        states = Counter(span.row.state for span in group.spans)
        failed = f" {states[State.FAILED]}{self.glyphs.states[State.FAILED]}" if states[State.FAILED] else ""
        return f"{len(group.spans)}{failed}"

    def _at_once_in(self, group: Group) -> AtOnce:
        known = self._at_once.get(group.key)
        if known is None or known[0] != group:
            known = self._at_once[group.key] = (group, at_once(group.spans))
        return known[1]


def _is_failed(row: Row) -> bool:
    return isinstance(row, Span) and row.row.state is State.FAILED
