"""Failed tasks grouped by cause: type, generalised message and the innermost own frame; pure.

Inside one run the line of that frame tells causes apart. From run to run it does not, for the code
may have been edited: there a cause is known by its fingerprint, which names file and function only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from outflow_core.rows import BlockRow, ExceptionRow
from outflow_core.tracebacks import Frame, headline, origin, parse

MESSAGE_LENGTH = 2_000
"""How much of a message tells causes apart; the rest is often data."""

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`")
_PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:[/\\][\w.+-]+){2,}")
_HEXADECIMAL = re.compile(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,:]\d+)*(?:[eE][+-]?\d+)?")
_DATA = (
    ("'\"`", _QUOTED, "'...'"),
    ("/\\", _PATH, "<path>"),
    (("0x", "-"), _HEXADECIMAL, "#"),
    ("0123456789", _NUMBER, "#"),
)
"""Signs without which a pattern finds nothing, the pattern, and what stands for what it finds."""


class Fingerprint(NamedTuple):
    """What a cause is known by in other runs of the same command; empty where nothing was recorded."""

    type: str
    message: str
    file: str
    """The file's name and the folder that it is in: the rest of its path differs between checkouts."""
    function: str


UNRECORDED = Fingerprint("", "", "", "")
"""Of tasks that failed without a recorded exception."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed task and the exception that ended it, if one was recorded."""

    block: BlockRow
    exception: ExceptionRow | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a failure says of its cause: all that is kept of it to group it with others."""

    block: BlockRow
    fingerprint: Fingerprint
    message: str
    where: Frame | None
    time: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """In which of the earlier runs of the same command a cause was seen, as far as those were looked into.

    `since` is the first of the unbroken row of runs with this cause that goes up to now; a run that
    failed without it breaks no row, for it may not have come so far. `also` are the other runs that
    had it, newest first; `is_all` is false when there are older runs than those looked into.
    """

    since: int | None = None
    also: tuple[int, ...] = ()
    looked: int = 0
    is_all: bool = True
    in_part: int = 0
    """Of how many of these runs only a part was read, because too much had failed in them."""
    is_open: bool = False
    """Whether the row goes on to the oldest run that was looked into."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What several tasks failed of. `message` is literal when all say the same, else generalised.

    `type` is None for tasks that failed without a recorded exception; `first` and `last` are the
    times of the exceptions, or of the tasks' ends where none was recorded. `mended` are those of the
    tasks that were tried again and succeeded.
    """

    type: str | None
    message: str
    where: Frame | None
    tasks: tuple[int, ...]
    first: datetime | None
    last: datetime | None
    hosts: tuple[str, ...]
    fingerprint: Fingerprint = UNRECORDED
    mended: tuple[int, ...] = ()
    history: History | None = None
    """None until the earlier runs have been looked into."""


def generalise(message: str) -> str:
    """The message without what differs from task to task: quoted parts, paths, numbers.

    >>> generalise("could not read '/data/n1.fits' at 0x7f12: 12 of 40.5 rows")
    "could not read '...' at #: # of # rows"
    """
    text = message[:MESSAGE_LENGTH]
    for signs, pattern, stand_in in _DATA:
        if any(sign in text for sign in signs):
            text = pattern.sub(stand_in, text)
    return text


def causes(failures: Iterable[Failure], *, mended: Collection[int] = ()) -> tuple[Cause, ...]:
    """The causes of these failures, most tasks first; each failure is in exactly one."""
    return grouped(map(told_by, failures), mended=mended)


def told_by(failure: Failure) -> Told:
    """What a failure says of its cause."""
    block, exception = failure.block, failure.exception
    if exception is None:
        return Told(block, UNRECORDED, "", None, block.end_time)
    message, where = _said(exception)
    return Told(block, _fingerprint(exception.type, message, where), message, where, exception.time)


def fingerprint_of(exception: ExceptionRow) -> Fingerprint:
    """What the cause of an exception is known by in other runs."""
    return _fingerprint(exception.type, *_said(exception))


def _said(exception: ExceptionRow) -> tuple[str, Frame | None]:
    parts = parse(exception.traceback)
    return (headline(parts) or exception.message)[:MESSAGE_LENGTH], origin(parts)


def _fingerprint(kind: str, message: str, where: Frame | None) -> Fingerprint:
    file = "/".join(re.split(r"[/\\]", where.file)[-2:]) if where else ""
    return Fingerprint(kind, generalise(message), file, where.function if where else "")


def grouped(told: Iterable[Told], *, mended: Collection[int] = ()) -> tuple[Cause, ...]:
    """The causes of failures of which it is known what they say, most tasks first."""
    groups: dict[tuple[Fingerprint, Frame | None], list[Told]] = {}
    for one in told:
        groups.setdefault((one.fingerprint, one.where), []).append(one)
    found = [_cause(group, mended) for group in groups.values()]
    return tuple(sorted(found, key=lambda cause: (-len(cause.tasks), cause.tasks)))


def _cause(group: Sequence[Told], mended: Collection[int]) -> Cause:
    first = group[0]
    times = [one.time for one in group if one.time is not None]
    tasks = tuple(one.block.id for one in group)
    return Cause(
        type=first.fingerprint.type or None,
        message=first.message if all(one.message == first.message for one in group) else first.fingerprint.message,
        where=first.where,
        tasks=tasks,
        first=min(times, default=None),
        last=max(times, default=None),
        hosts=tuple(dict.fromkeys(one.block.hostname for one in group if one.block.hostname)),
        fingerprint=first.fingerprint,
        mended=tuple(task for task in tasks if task in mended),
    )
