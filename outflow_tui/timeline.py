"""The timeline of one run as it travels: when its tasks ran, how many at once, what is usual; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from outflow_core.rows import BlockRow
from outflow_core.states import BlockType, State
from outflow_tui import text
from outflow_tui.spans import AtOnce, Span, at_once, spans_of
from outflow_tui.usual import Earlier, Usual, exceeded, usual_by_name


@dataclass(frozen=True, slots=True)
class Timeline:
    """The tasks of one run that have begun, in order of start, and how many have not."""

    run_id: int
    spans: tuple[Span, ...] = ()
    at_once: AtOnce = field(default_factory=AtOnce)
    usual: Mapping[str, tuple[Usual, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """What tasks of a name usually take: in the last success before, then in this run."""
    failed: tuple[Span, ...] = ()
    running: tuple[Span, ...] = ()
    slow: tuple[Span, ...] = ()
    """Those that ended and took much longer than usual."""
    pending: int = 0
    skipped: int = 0
    timeless: int = 0
    """Tasks that ran, but nobody wrote down when."""
    backwards: int = 0
    """Tasks that ended before they began, by the clocks that were asked."""
    widest: int = 0
    """How many cells the longest name takes with its number, those of waiting tasks too."""
    left_out: int = 0
    """How many older blocks of the run are not looked at."""


class Timekeeper:
    """Makes the timeline of one run again and again; what did not change is taken over."""

    def __init__(self) -> None:
        self._spans: dict[int, Span] = {}
        self._made_of: tuple[Sequence[BlockRow], Earlier | None] | None = None
        self._timeline = Timeline(0)

    def timeline(self, run_id: int, blocks: Sequence[BlockRow], earlier: Earlier | None, left_out: int = 0) -> Timeline:
        """The timeline of these blocks; of the same ones the same."""
        known = self._made_of
        if known is None or known[0] is not blocks or known[1] is not earlier or self._timeline.run_id != run_id:
            self._made_of = (blocks, earlier)
            self._timeline = replace(timeline_of(run_id, blocks, earlier, self._spans), left_out=left_out)
            self._spans = {span.key: span for span in self._timeline.spans}
        return self._timeline


def timeline_of(
    run_id: int, blocks: Sequence[BlockRow], earlier: Earlier | None = None, known: Mapping[int, Span] | None = None
) -> Timeline:
    """When the tasks among these blocks ran."""
    spans = spans_of(blocks, known or {})
    usual = usual_by_name(blocks, earlier)
    states = Counter(row.state for row in blocks if row.type is BlockType.TASK)
    names = Counter(row.name for row in blocks if row.type is BlockType.TASK)
    ran = sum(span.row.type is BlockType.TASK for span in spans)
    return Timeline(
        run_id,
        spans,
        at_once(spans),
        MappingProxyType(usual),
        failed=tuple(span for span in spans if span.row.state is State.FAILED),
        running=tuple(span for span in spans if span.end is None),
        slow=tuple(span for span in spans if span.end is not None and exceeded(span, usual, span.end)),
        pending=states[State.PENDING],
        skipped=states[State.SKIPPED],
        timeless=states.total() - states[State.PENDING] - states[State.SKIPPED] - ran,
        backwards=sum(_is_backwards(span.row) for span in spans),
        widest=max((text.width(text.clean(name)) + 1 + len(str(number)) for name, number in names.items()), default=0),
    )


def _is_backwards(row: BlockRow) -> bool:
    if row.start_time is None or row.end_time is None or row.state is State.RUNNING:
        return False
    return row.end_time < row.start_time
