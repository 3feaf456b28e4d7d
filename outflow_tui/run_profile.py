"""Where the tasks of a run ran and how long they took, by name; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outflow_core.rows import BlockRow
from outflow_core.states import BlockType
from outflow_tui.usual import Usual, durations_of, usual_of


@dataclass(frozen=True, slots=True)
class RunProfile:
    """What is known of a run's tasks; of a large run it is told by its first and last ones."""

    run_id: int
    usual: Mapping[str, Usual]
    hosts: frozenset[str]


def profile_of(run_id: int, rows: Sequence[BlockRow]) -> RunProfile:
    """The profile of a run, from its blocks."""
    tasks = [row for row in rows if row.type is BlockType.TASK]
    usual = {name: usual_of(seconds, run_id) for name, seconds in durations_of(tasks).items()}
    return RunProfile(run_id, usual, frozenset(row.hostname for row in tasks if row.hostname))
