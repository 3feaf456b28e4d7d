"""One block becomes lines to read: its state and times, inputs and targets, and its traceback; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from outflow_core.rows import BlockDetail, ExceptionRow
from outflow_core.states import State
from outflow_core.tracebacks import Frame, Part, headline, origin, parse
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.format import Glyphs
from outflow_tui.lines import Line, Piece

NameOf = Callable[[int], str]
"""The name of a block of the same run, '' when it is not known."""

EDGES = 12
"""How many blocks before and after are named."""

VERDICT_LENGTH = 400
"""How much of a message is shown above its traceback, where it stands in full."""


class DetailLayout:
    """Lays a block out for a window of `width` cells; `libraries` shows the frames of libraries in full."""

    def __init__(self, glyphs: Glyphs, width: int, *, libraries: bool, now: datetime, name_of: NameOf) -> None:
        self.glyphs = glyphs
        self.width = max(width, 20)
        self.libraries = libraries
        self.now = now
        self.name_of = name_of

    def lines(self, detail: BlockDetail) -> tuple[Line, ...]:
        """Everything about the block: what happened and where, of what inputs, then the traceback and the rest."""
        inputs = self._section("inputs", _plain_inputs(detail.input_values))
        laid = [*self._head(detail), *self._verdict_of(detail), *inputs, *self._traceback(detail)]
        laid += [*self._targets(detail), *self._edges(detail)]
        return tuple(Line(place, tuple(pieces)) for place, pieces in enumerate(laid))

    def _head(self, detail: BlockDetail) -> Iterator[list[Piece]]:
        row = detail.block
        glyph = self.glyphs.states[row.state]
        yield [(f"{glyph} {row.state.value}", row.state.value), (f"  {row.name}", "strong")]
        start, end = (words.moment(moment, self.now) for moment in (row.start_time, row.end_time))
        took = words.duration(words.seconds_between(row.start_time, row.end_time))
        if start or end:
            times = f"{start} {self.glyphs.arrow} {end}" if start and end else start or end
            yield [(times + (f"  {took}" if took else ""), ""), (f"  on {row.hostname}" if row.hostname else "", "dim")]
        elif row.state is State.PENDING:
            yield [("not started yet", "dim")]
        kind = f"{row.type.value} {row.id}" + (f" of plugin {detail.plugin}" if detail.plugin else "")
        yield [(kind, "dim")]

    def _verdict_of(self, detail: BlockDetail) -> Iterator[list[Piece]]:
        """What happened and where, to be seen at first sight."""
        exception = detail.exception
        if exception is not None:
            yield []
            parts = parse(exception.traceback)
            yield from self._verdict(exception, parts, origin(parts))
        elif detail.block.state is State.FAILED:
            yield []
            yield [("failed, but no exception was recorded", "warning")]

    def _traceback(self, detail: BlockDetail) -> Iterator[list[Piece]]:
        exception = detail.exception
        if exception is None:
            return
        when = words.moment(exception.time, self.now)
        earlier = len(detail.exceptions) - 1
        more = f"  {earlier} earlier one{'s' if earlier > 1 else ''} not shown" if earlier else ""
        yield []
        yield [("traceback", "strong"), (f"  {when}{more}", "dim")]
        parts = parse(exception.traceback)
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

    def _verdict(self, exception: ExceptionRow, parts: Sequence[Part], place: Frame | None) -> Iterator[list[Piece]]:
        said = headline(tuple(parts))[:VERDICT_LENGTH]
        about = said.partition(": ")[2] if said.partition(":")[0].endswith(exception.type) else said
        yield from self._wrapped(
            f"{exception.type}: {about}" if about and about != exception.type else exception.type, "failed"
        )
        innermost = next((part for part in reversed(parts) if place is not None and part.frame == place), None)
        if innermost is not None:
            yield from self._part(innermost, True)

    def _folded(self, parts: Sequence[Part]) -> Iterator[list[Piece]]:
        if parts:
            number = len(parts)
            yield [(f"  {self.glyphs.ellipsis} {number} library frame{'s' if number > 1 else ''} (a shows)", "dim")]

    def _part(self, part: Part, is_origin: bool) -> Iterator[list[Piece]]:
        if part.frame is None:
            look = _LOOKS[part.kind]
            for line in part.lines:
                yield from self._wrapped(line, look)
            return
        frame = part.frame
        mark = self.glyphs.closed if is_origin else " "
        where = f"{mark} {_tail(frame.file, self.width - 16 - len(frame.function), self.glyphs.ellipsis)}:{frame.line}"
        yield [(where, "strong" if frame.is_own else "dim"), (f" in {frame.function}" if frame.function else "", "dim")]
        for line in part.lines[1:]:
            if _MARKS.fullmatch(line) and not self.libraries:
                continue
            yield from self._wrapped(line, "" if frame.is_own else "dim")

    def _wrapped(self, line: str, look: str) -> Iterator[list[Piece]]:
        """A line in as many as it needs; what is data may be 100 kB long."""
        for shown in text.wrapped(text.clean(line), self.width - 1):
            yield [(shown, look)]

    def _section(self, title: str, value: Any) -> Iterator[list[Piece]]:
        if value not in ({}, [], None):
            yield []
            yield [(title, "strong")]
            yield from (piece for line in value_lines(value) for piece in self._wrapped(f"  {line}", ""))

    def _targets(self, detail: BlockDetail) -> Iterator[list[Piece]]:
        yield from self._section("input targets", _plain_targets(detail.input_targets))
        yield from self._section("output targets", _plain_targets(detail.output_targets))

    def _edges(self, detail: BlockDetail) -> Iterator[list[Piece]]:
        for title, ids in (("after", detail.upstream), ("before", detail.downstream)):
            if ids:
                yield []
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


def _plain_inputs(values: Any) -> Any:
    """Input values are kept as JSON texts inside JSON: take them out of their quotes. Of a map: how many."""
    if isinstance(values, list):
        return {"a map over": Plain(f"{len(values)} items")} if values else {}
    if not isinstance(values, dict):
        return values
    return {key: _unquoted(value) for key, value in values.items()}


def _plain_targets(targets: Any) -> Any:
    """Targets by their types; that one has no default is not worth a word."""
    if not isinstance(targets, dict):
        return targets
    return {name: _plain_target(target) for name, target in targets.items()}


def _plain_target(target: Any) -> Any:
    if not isinstance(target, dict) or not set(target) <= {"type", "default"}:
        return target
    default = target.get("default")
    return Plain(
        f"{target.get('type', '?')}{'' if default is None or 'NoDefault' in str(default) else f' = {default}'}"
    )


class Plain(str):
    """Words of ours about a value, shown without quotes."""

    __slots__ = ()


def _unquoted(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def value_lines(value: Any) -> Iterable[str]:
    """A value as `key: value` lines; what is nested stays on its line."""
    if isinstance(value, dict):
        return [f"{key}: {item if isinstance(item, Plain) else words.as_text(item)}" for key, item in value.items()]
    return [words.as_text(value)]
