"""Failed tasks grouped by cause: type, generalised message and the innermost own frame; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from outflow_core.rows import BlockRow, ExceptionRow
from outflow_core.tracebacks import Frame, headline, origin, parse

MESSAGE_LENGTH = 2_000
"""How much of a message tells causes apart; the rest is often data."""

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`")
_PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:[/\\][\w.+-]+){2,}")
_HEXADECIMAL = re.compile(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,:]\d+)*(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed task and the exception that ended it, if one was recorded."""

    block: BlockRow
    exception: ExceptionRow | None


@dataclass(frozen=True, slots=True)
class Cause:
    """What several tasks failed of. `message` is literal when all say the same, else generalised.

    `type` is None for tasks that failed without a recorded exception; `first` and `last` are the
    times of the exceptions, or of the tasks' ends where none was recorded.
    """

    type: str | None
    message: str
    where: Frame | None
    tasks: tuple[int, ...]
    first: datetime | None
    last: datetime | None
    hosts: tuple[str, ...]


def generalise(message: str) -> str:
    """The message without what differs from task to task: quoted parts, paths, numbers.

    >>> generalise("could not read '/data/n1.fits' at 0x7f12: 12 of 40.5 rows")
    "could not read '...' at #: # of # rows"
    """
    text = message[:MESSAGE_LENGTH]
    for pattern, stand_in in ((_QUOTED, "'...'"), (_PATH, "<path>"), (_HEXADECIMAL, "#"), (_NUMBER, "#")):
        text = pattern.sub(stand_in, text)
    return text


def causes(failures: Iterable[Failure]) -> tuple[Cause, ...]:
    """The causes of these failures, most tasks first; each failure is in exactly one."""
    groups: dict[tuple[str | None, str, Frame | None], Cause] = {}
    for failure in failures:
        cause = _alone(failure)
        key = (cause.type, generalise(cause.message), cause.where)
        groups[key] = _joined(groups[key], cause) if key in groups else cause
    return tuple(sorted(groups.values(), key=lambda cause: (-len(cause.tasks), cause.tasks)))


def _alone(failure: Failure) -> Cause:
    block, exception = failure.block, failure.exception
    hosts = (block.hostname,) if block.hostname else ()
    if exception is None:
        return Cause(None, "", None, (block.id,), block.end_time, block.end_time, hosts)
    parts = parse(exception.traceback)
    return Cause(
        exception.type,
        headline(parts) or exception.message,
        origin(parts),
        (block.id,),
        exception.time,
        exception.time,
        hosts,
    )


def _joined(group: Cause, cause: Cause) -> Cause:
    times = [time for time in (group.first, group.last, cause.first) if time is not None]
    return replace(
        group,
        message=group.message if group.message == cause.message else generalise(group.message),
        tasks=(*group.tasks, *cause.tasks),
        first=min(times, default=None),
        last=max(times, default=None),
        hosts=(*group.hosts, *(host for host in cause.hosts if host not in group.hosts)),
    )
