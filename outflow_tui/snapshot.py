"""Focus (what is looked at) and Snapshot (what was seen): frozen, they travel between the threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from outflow_core.states import State

if TYPE_CHECKING:  # the first frame waits for none of them
    from outflow_core.failures import Cause
    from outflow_core.findings import Found
    from outflow_core.rows import BlockDetail, ConfigurationRow, Life, LostProcess, RunRow, TaskCounts
    from outflow_core.run_shape import RunShape
    from outflow_core.tries import Try
    from outflow_tui.run_profile import RunProfile
    from outflow_tui.timeline import Timeline

SILENT_AFTER_SECONDS = 900
"""A running run is called silent when none of its tasks began or ended for this long."""


RunKey = tuple[int, int]
"""A source's place and a run's id: what tells a run from all others on the screen."""
NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""What is known of runs or tasks while nothing is."""


class RunLine(NamedTuple):
    """A run with what the list shows beside it."""

    row: RunRow
    tasks: TaskCounts
    last_sign: datetime | None = None
    """The latest start or end of any of its tasks, by the clock of the node that wrote it."""
    config_hash: str = ""
    config_changed: bool = False
    """Whether the run before it, of the same command, used another configuration."""
    life: Life | None = None
    """What is known of its processes while it claims to go on; of Outflow's own runs nothing is."""

    @property
    def lost(self) -> LostProcess | None:
        """The last of its processes, when the run claims to go on and none of them lives any more."""
        is_lost = self.row.state is State.RUNNING and self.life is not None and not self.life.alive
        return self.life.latest if is_lost and self.life is not None else None

    @property
    def has_failure(self) -> bool:
        """Whether the run failed, or holds failed tasks though it succeeded."""
        return self.row.state is State.FAILED or self.tasks.failed > 0


class RunView(NamedTuple):
    """All blocks of one run, as far as they have been read, and how many items its maps have."""

    run_id: int
    shape: RunShape
    map_sizes: Mapping[int, int] = NOTHING
    tries: Mapping[int, Try] = NOTHING
    """The tasks that were tried more than once, as far as the books can tell."""
    is_whole: bool = True
    """Whether all of its blocks have been read at least once."""


class Focus(NamedTuple):
    """What a screen wants to know of one source besides its runs."""

    run_id: int | None = None
    block_id: int | None = None
    causes: bool = False
    timeline: bool = False
    configurations_of: frozenset[int] = frozenset()
    """The runs whose configurations are looked at."""
    profiles_of: frozenset[int] = frozenset()
    """The runs whose hosts and durations are compared."""
    search: tuple[str, int] | None = None
    """Words to look for everywhere; with another number the same words are looked for again."""


class Snapshot(NamedTuple):
    """What one source answered. After a failure: the last answer, with the failure in words."""

    source: str
    focus: Focus = Focus()
    runs: tuple[RunLine, ...] = ()
    is_read: bool = False
    """Whether the source has answered at least once."""
    is_complete: bool = False
    """Whether the whole history is counted."""
    is_reading: bool = False
    """Whether more of what the focus asks for is still being read."""
    run: RunView | None = None
    detail: BlockDetail | None = None
    causes: tuple[Cause, ...] | None = None
    timeline: Timeline | None = None
    configurations: Mapping[int, ConfigurationRow] = NOTHING
    """Stored configurations by run id."""
    without_configuration: frozenset[int] = frozenset()
    """The runs whose configurations are asked for, and not in the books."""
    profiles: Mapping[int, RunProfile] = NOTHING
    """Hosts and durations of tasks by run id."""
    search: Found | None = None
    read_at: datetime | None = None
    """When something new was last read."""
    caution: str = ""
    """What is wrong, though the books are read as before."""
    error: str | None = None
    failing_since: datetime | None = None
    retry_seconds: float = 0.0

    @property
    def is_behind(self) -> bool:
        """Whether there is more to read than was read in this look."""
        is_searching = self.search is not None and not self.search.is_over
        return self.error is None and (not self.is_complete or self.is_reading or is_searching)

    def line(self, run_id: int) -> RunLine | None:
        """The line of one run."""
        return next((line for line in self.runs if line.row.id == run_id), None)

    def last_success_before(self, run_id: int) -> RunLine | None:
        """The newest successful run of the same command that is older than this one."""
        return last_success_before(self.runs, run_id)


def last_success_before(runs: Sequence[RunLine], run_id: int) -> RunLine | None:
    """The newest successful run of the same command, among these (newest first), that is older than this one."""
    line = next((line for line in runs if line.row.id == run_id), None)
    if line is None:
        return None
    older = (other for other in runs if other.row.id < run_id and other.row.command == line.row.command)
    return next((other for other in older if other.row.state is State.SUCCESS), None)
