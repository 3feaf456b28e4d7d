"""One block becomes lines to read: its state and times, inputs and targets, and its traceback; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from outflow_core.rows import BlockDetail, ExceptionRow
from outflow_core.states import State
from outflow_core.tracebacks import Frame, Part, headline, origin, parse
from outflow_core.tries import Try
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.format import Glyphs
from outflow_tui.lines import Line, Piece
from outflow_tui.markdown import shortened
from outflow_tui.try_words import again_sentence, try_sentence
from outflow_tui.value_lines import plain_inputs, plain_targets, value_lines

NameOf = Callable[[int], str]
"""The name of a block of the same run, '' when it is not known."""

EDGES = 12
"""How many blocks before and after are named."""

VERDICT_LENGTH = 400
"""How much of a message is shown above its traceback, where it stands in full."""

LIBRARIES_HIDDEN = "a shows libraries too"
"""Why something may not be found."""


LONGEST_TRACEBACK = 1_000_000
"""In characters; the whole of it is in the answers for scripts."""


@lru_cache(maxsize=2)
def _parts_of(traceback: str) -> tuple[Part, ...]:
    """The parts of a traceback, which may have 20,000 lines: taken apart once; of one beyond reason both ends."""
    return parse(shortened(traceback, LONGEST_TRACEBACK))


def place_of(exception: ExceptionRow) -> Frame | None:
    """Where it happened, as far as the traceback of an exception says."""
    return origin(_parts_of(exception.traceback))


class Row(NamedTuple):
    """A line before it has its place; see `lines.Line`."""

    pieces: list[Piece]
    joint: str | None = None
    frame: Frame | None = None


class DetailLayout:
    """Lays a block out for a window of `width` cells; `libraries` shows the frames of libraries in full."""

    def __init__(self, glyphs: Glyphs, width: int, *, libraries: bool, now: datetime, name_of: NameOf) -> None:
        self.glyphs = glyphs
        self.width = max(width, 20)
        self.libraries = libraries
        self.now = now
        self.name_of = name_of

    def lines(self, detail: BlockDetail, tried: Try | None = None) -> tuple[Line, ...]:
        """Everything about the block: what happened and where, of what inputs, then the traceback and the rest."""
        inputs = self._section("inputs", plain_inputs(detail.input_values))
        laid = [
            *self._head(detail),
            *self._tries(detail, tried),
            *self._verdict_of(detail),
            *inputs,
            *self._traceback(detail),
        ]
        laid += [*self._targets(detail), *self._edges(detail)]
        return tuple(Line(place, tuple(row.pieces), joint=row.joint, frame=row.frame) for place, row in enumerate(laid))

    def _head(self, detail: BlockDetail) -> Iterator[Row]:
        row = detail.block
        glyph = self.glyphs.states[row.state]
        yield Row([(f"{glyph} {row.state.value}", row.state.value), (f"  {row.name}", "strong")])
        start, end = (words.moment(moment, self.now) for moment in (row.start_time, row.end_time))
        took = words.duration(words.seconds_between(row.start_time, row.end_time))
        if start or end:
            times = f"{start} {self.glyphs.arrow} {end}" if start and end else start or end
            host = f"  on {row.hostname}" if row.hostname else ""
            yield Row([(times + (f"  {took}" if took else ""), ""), (host, "dim")])
        elif row.state is State.PENDING:
            yield Row([("not started yet", "dim")])
        kind = f"{row.type.value} {row.id}" + (f" of plugin {detail.plugin}" if detail.plugin else "")
        yield Row([(kind, "dim")])

    def _tries(self, detail: BlockDetail, tried: Try | None) -> Iterator[Row]:
        """That it is one of several tries, and whether a later one mended it."""
        for sentence in (try_sentence(tried) if tried else "", again_sentence(detail)):
            if sentence:
                yield from self._wrapped(sentence, "changed")

    def _verdict_of(self, detail: BlockDetail) -> Iterator[Row]:
        """What happened and where, to be seen at first sight."""
        exception = detail.exception
        if exception is not None:
            yield Row([])
            parts = _parts_of(exception.traceback)
            yield from self._verdict(exception, parts, origin(parts))
        elif detail.block.state is State.FAILED:
            yield Row([])
            yield Row([("failed, but no exception was recorded", "warning")])

    def _traceback(self, detail: BlockDetail) -> Iterator[Row]:
        exception = detail.exception
        if exception is None:
            return
        when = words.moment(exception.time, self.now)
        earlier = len(detail.exceptions) - 1
        more = f"  {earlier} earlier one{'s' if earlier > 1 else ''} not shown" if earlier else ""
        yield Row([])
        yield Row([("traceback", "strong"), (f"  {when}{more}", "dim")])
        parts = _parts_of(exception.traceback)
        place = origin(parts)
        folded: list[Part] = []
        for part in parts:
            is_library = part.frame is not None and not part.frame.is_own and part.frame != place
            if is_library and not self.libraries:
                folded.append(part)
                continue
            yield from self._folded(folded)
            folded = []
            yield from self._part(part, part.frame is not None and part.frame == place)
        yield from self._folded(folded)

    def _verdict(self, exception: ExceptionRow, parts: Sequence[Part], place: Frame | None) -> Iterator[Row]:
        said = headline(tuple(parts))[:VERDICT_LENGTH]
        about = said.partition(": ")[2] if said.partition(":")[0].endswith(exception.type) else said
        yield from self._wrapped(
            f"{exception.type}: {about}" if about and about != exception.type else exception.type, "failed"
        )
        innermost = next((part for part in reversed(parts) if place is not None and part.frame == place), None)
        if innermost is not None:
            yield from self._part(innermost, True)

    def _folded(self, parts: Sequence[Part]) -> Iterator[Row]:
        if parts:
            number = f"{len(parts)} library frame{'s' if len(parts) > 1 else ''}"
            yield Row([(f"  {self.glyphs.ellipsis} {number} (a shows)", "dim")])

    def _part(self, part: Part, is_origin: bool) -> Iterator[Row]:
        if part.frame is None:
            look = _LOOKS[part.kind]
            for line in part.lines:
                yield from self._wrapped(line, look)
            return
        frame = part.frame
        mark = self.glyphs.closed if is_origin else " "
        where = f"{mark} {_tail(frame.file, self.width - 16 - len(frame.function), self.glyphs.ellipsis)}:{frame.line}"
        function = f" in {frame.function}" if frame.function else ""
        yield Row([(where, "strong" if frame.is_own else "dim"), (function, "dim")], frame=frame)
        for line in part.lines[1:]:
            if _MARKS.fullmatch(line) and not self.libraries:
                continue
            yield from self._wrapped(line, "" if frame.is_own else "dim", frame)

    def _wrapped(self, line: str, look: str, frame: Frame | None = None) -> Iterator[Row]:
        """A line in as many as it needs; what is data may be 100 kB long."""
        for shown, joint in text.wrapped(text.clean(line), self.width - 1):
            yield Row([(shown, look)], joint, frame)

    def _section(self, title: str, value: Any) -> Iterator[Row]:
        if value not in ({}, [], None):
            yield Row([])
            yield Row([(title, "strong")])
            yield from (row for line in value_lines(value) for row in self._wrapped(f"  {line}", ""))

    def _targets(self, detail: BlockDetail) -> Iterator[Row]:
        yield from self._section("input targets", plain_targets(detail.input_targets))
        yield from self._section("output targets", plain_targets(detail.output_targets))

    def _edges(self, detail: BlockDetail) -> Iterator[Row]:
        for title, ids in (("upstream (u):", detail.upstream), ("downstream (o):", detail.downstream)):
            if ids:
                yield Row([])
                named = ", ".join(f"{self.name_of(number)} ({number})".strip() for number in ids[:EDGES])
                more = f" and {len(ids) - EDGES} more" if len(ids) > EDGES else ""
                yield from self._wrapped(f"{title} {named}{more}", "")


_MARKS = re.compile(r"[\s|~^]*")
"""The marks under a line of code; they cost a line each and are shown with the libraries."""

_LOOKS = {"message": "failed", "link": "changed", "header": "dim"}


def _tail(path: str, width: int, ellipsis: str) -> str:
    """The end of a path, which tells more than its beginning."""
    path = text.clean(path)
    return path if len(path) <= max(width, 12) else ellipsis + path[-max(width, 12) + len(ellipsis) :]
