"""A cause in words: in which earlier runs it was seen, and how many of its tasks stand; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from outflow_core.failures import Cause, History
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.format import Glyphs

NAMED = 6
"""How many earlier runs, and how many hosts, are named."""


def seen_short(history: History | None) -> str:
    """In which earlier runs, for a column of a list.

    >>> [seen_short(history) for history in (None, History(looked=4), History(looked=50, is_all=False))]
    ['', 'new', 'not in 50 before']
    >>> seen_short(History(41, (38,), looked=9)), seen_short(History(None, (39, 35), looked=9))
    ('since run 41', 'last in run 39')
    """
    if history is None:
        return ""
    if history.since is not None:
        return f"since run {history.since}"
    if history.also:
        return f"last in run {history.also[0]}"
    return "new" if history.is_all and not history.in_part else f"not in {history.looked} before"


def seen_words(history: History | None) -> str:
    """In which earlier runs, as a sentence.

    >>> seen_words(History(41, (38, 35), looked=9))
    'since run 41, also in 38, 35'
    >>> seen_words(History(41, (), looked=50, is_all=False, is_open=True))
    'since run 41 or before: in every run of the 50 that were looked into that could show it'
    >>> seen_words(History(None, (39, 35), looked=9))
    'back again: last seen in run 39, also in 35'
    >>> seen_words(History(looked=4)), seen_words(History(looked=50, is_all=False))
    ('new: in none of the 4 earlier runs of this command', 'not in the 50 runs of this command before')
    >>> seen_words(History()), seen_words(History(looked=3, in_part=1))
    ('new: the first run of this command', 'not in what was read of the 3 earlier runs of this command')
    """
    if history is None:
        return ""
    if history.since is not None:
        reach = f" or before: in every run of the {history.looked} that were looked into that could show it"
        is_beyond = history.is_open and not history.is_all
        return f"since run {history.since}{reach if is_beyond else ''}{_also(history.also)}"
    if history.also:
        return f"back again: last seen in run {history.also[0]}{_also(history.also[1:])}"
    return _unseen(history)


def _unseen(history: History) -> str:
    if history.in_part:
        return f"not in what was read of the {history.looked} earlier runs of this command"
    if not history.is_all:
        return f"not in the {history.looked} runs of this command before"
    if not history.looked:
        return "new: the first run of this command"
    number = f"none of the {history.looked} earlier runs" if history.looked > 1 else "not in the one earlier run"
    return f"new: {'in ' if history.looked > 1 else ''}{number} of this command"


def _also(runs: Sequence[int]) -> str:
    more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
    return f", also in {', '.join(map(str, runs[:NAMED]))}{more}" if runs else ""


def tasks_words(cause: Cause) -> str:
    """How many tasks, and how many of their failures a later try mended.

    >>> from outflow_core.failures import Cause
    >>> tasks_words(Cause("E", "", None, (1, 2, 3), None, None, (), mended=(2,)))
    '3 tasks, 1 of them succeeded on a later try'
    """
    total, mended = len(cause.tasks), len(cause.mended)
    number = f"{total} task{'s' if total != 1 else ''}"
    if not mended:
        return number
    which = "which" if total == 1 else "all of them" if mended == total else f"{mended} of them"
    return f"{number}, {which} succeeded on a later try"


def cause_lines(cause: Cause, width: int, now: datetime, glyphs: Glyphs) -> Iterator[str]:
    """Everything about one cause, in lines of at most this width; of its message at most two."""
    kind = cause.type or "no exception recorded"
    said = cause.message.removeprefix(f"{kind}: ")
    lines = text.wrapped(text.clean(f"{kind}: {said[:1000]}" if said and cause.type else kind), max(width, 20))
    yield from (line for line, _ in islice(lines, 2))
    if cause.history is not None:
        seen = ("seen " if cause.history.since is not None else "") + seen_words(cause.history)
        yield from (line for line, _ in islice(text.wrapped(seen, max(width, 20)), 2))
    yield _cut(tasks_words(cause), width, glyphs)
    if cause.where:
        yield _cut(f"{cause.where.file}:{cause.where.line} in {cause.where.function}", width, glyphs)
    first, last = words.moment(cause.first, now), words.moment(cause.last, now)
    more = f" and {len(cause.hosts) - NAMED} more" if len(cause.hosts) > NAMED else ""
    hosts = f"  on {', '.join(cause.hosts[:NAMED])}{more}" if cause.hosts else ""
    yield _cut((first if first == last else f"{first} {glyphs.arrow} {last}") + hosts, width, glyphs)


def _cut(line: str, width: int, glyphs: Glyphs) -> str:
    return text.fit(text.clean(line), max(width, 20), ellipsis=glyphs.ellipsis).rstrip()
