"""What differs between two runs besides their configurations: where, how long, how many; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import status
from outflow_tui.format import Glyphs
from outflow_tui.lines import Line, Piece
from outflow_tui.run_profile import RunProfile
from outflow_tui.snapshot import RunLine

MUCH = 1.25
"""By how many times the durations of two runs must differ to be worth a line."""
SLOWEST = 5
"""How many names of tasks are told, those with the greatest difference."""
HOSTS = 3
"""How many hosts are named."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two runs; its profile is there once its tasks were read."""

    line: RunLine
    profile: RunProfile | None = None


@dataclass(frozen=True, slots=True)
class RunChange:
    """One thing that differs between two runs, in words."""

    what: str
    old: str
    new: str
    note: str = ""


def run_changes(old: Side, new: Side, now: datetime) -> tuple[RunChange, ...]:
    """What differs between two runs, the most telling first."""
    found = [*_of_the_runs(old.line, new.line, now)]
    if old.profile is not None and new.profile is not None:
        found += [*_of_hosts(old.profile, new.profile), *_of_tasks(old.profile, new.profile)]
    return tuple(found)


def _of_the_runs(old: RunLine, new: RunLine, now: datetime) -> Iterator[RunChange]:
    told: tuple[tuple[str, str | None, str | None], ...] = (
        ("command", old.row.command, new.row.command),
        ("state", status.kind(old, now), status.kind(new, now)),
        ("host", old.row.hostname, new.row.hostname),
        ("tasks", str(old.tasks.total), str(new.tasks.total)),
        ("failed", str(old.tasks.failed), str(new.tasks.failed)),
        ("skipped", str(old.tasks.skipped), str(new.tasks.skipped)),
        ("never ran", _never_ran(old), _never_ran(new)),
    )
    yield from (RunChange(what, left or "-", right or "-") for what, left, right in told if left != right)
    before, after = status.took(old, now), status.took(new, now)
    if before is not None and after is not None and _is_much(before, after):
        yield RunChange("took", *(_took_words(line, now) for line in (old, new)))


def _never_ran(line: RunLine) -> str:
    return str(line.tasks.pending if line.row.state.is_final else 0)


def _is_much(before: float, after: float) -> bool:
    short, long = sorted((before, after))
    return long >= MUCH * short and long - short >= 1


def _took_words(line: RunLine, now: datetime) -> str:
    took = words.duration(status.took(line, now))
    return f"{words.whole(took)} so far" if line.row.state is State.RUNNING else took


def _of_hosts(old: RunProfile, new: RunProfile) -> Iterator[RunChange]:
    if old.hosts != new.hosts and old.hosts and new.hosts:
        yield RunChange("tasks on", _hosts(old.hosts), _hosts(new.hosts))


def _hosts(hosts: Collection[str]) -> str:
    more = len(hosts) - HOSTS
    named = ", ".join(sorted(hosts)[:HOSTS])
    return f"{named} and {more} more" if more > 0 else named


def _of_tasks(old: RunProfile, new: RunProfile) -> Iterator[RunChange]:
    """The names of tasks whose usual time is much more, or much less, than it was."""
    both = [(name, old.usual[name], new.usual[name]) for name in old.usual if name in new.usual]
    much = [pair for pair in both if pair[2].seconds > pair[1].limit or pair[1].seconds > pair[2].limit]
    much.sort(key=lambda pair: abs(pair[1].seconds - pair[2].seconds), reverse=True)
    for name, before, after in much[:SLOWEST]:
        note = "slower" if after.seconds > before.seconds else "faster"
        yield RunChange(f"task {name}", words.duration(before.seconds), words.duration(after.seconds), note)
    if len(much) > SLOWEST:
        yield RunChange("other tasks", "", "", f"{len(much) - SLOWEST} more names took much longer or shorter")


def change_lines(changes: Collection[RunChange], glyphs: Glyphs) -> tuple[Line, ...]:
    """The differences as lines under a heading; that there is none is said in words."""
    if not changes:
        same = "Both runs went alike: state, host, tasks and time."
        return (Line(("run", "alike"), ((same, "success"),)), Line(("run", "gap"), ()))
    laid = [Line(("run",), (("runs", "strong"),))]
    laid += [Line(("run", change.what), tuple(_pieces(change, glyphs))) for change in changes]
    return (*laid, Line(("run", "gap"), ()))


def _pieces(change: RunChange, glyphs: Glyphs) -> Iterator[Piece]:
    yield f"  ~ {change.what}  ", "changed"
    if change.old or change.new:
        yield from ((change.old, "removed"), (f" {glyphs.arrow} ", "dim"), (change.new, "added"))
    if change.note:
        yield f"  {change.note}" if change.new else change.note, "dim"


def changes_object(changes: Collection[RunChange]) -> list[dict[str, Any]]:
    """The differences as plain objects."""
    return [{"what": one.what, "old": one.old, "new": one.new, "note": one.note} for one in changes]
