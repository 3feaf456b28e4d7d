"""What leaves the core: frozen rows, safe to pass between threads, compared by value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from outflow_core.states import BlockType, State

TOP_LEVEL = "top_level_workflow"


class TaskCounts(NamedTuple):
    """How many tasks (not workflows) are in each state."""

    pending: int = 0
    running: int = 0
    failed: int = 0
    success: int = 0
    skipped: int = 0
    unknown: int = 0
    """Those in states that only a newer program knows."""

    @property
    def total(self) -> int:
        """All tasks, whatever their state."""
        return self.pending + self.running + self.failed + self.success + self.skipped + self.unknown

    @property
    def done(self) -> int:
        """Tasks in a final state: failed, success or skipped."""
        return self.failed + self.success + self.skipped

    def as_dict(self) -> dict[str, int]:
        """The counts by the states' names; `unknown` is among them where there are any."""
        counts = {state.value: getattr(self, state.value) for state in State}
        return counts | ({"unknown": self.unknown} if self.unknown else {})


class RunRow(NamedTuple):
    """One run as a list shows it. Times are naive local times of the node that wrote them."""

    id: int
    uuid: str
    command: str | None
    state: State
    start_time: datetime | None
    end_time: datetime | None
    hostname: str | None
    configuration_id: int


class BlockRow(NamedTuple):
    """One task or workflow as a tree shows it; its inputs and tracebacks stay behind until asked for."""

    id: int
    type: BlockType
    name: str
    state: State
    start_time: datetime | None
    end_time: datetime | None
    hostname: str | None
    parent_id: int | None

    @property
    def is_top_level(self) -> bool:
        """Whether this is the workflow around a run that Outflow never starts: no user made it."""
        return self.type is BlockType.WORKFLOW and self.name == TOP_LEVEL


class ExceptionRow(NamedTuple):
    """One recorded exception; `message` is the last line of its traceback, `traceback` the whole text."""

    id: int
    block_id: int | None
    type: str
    message: str
    traceback: str
    time: datetime | None


class BlockDetail(NamedTuple):
    """Everything the books hold of one block; secrets in the JSON values are masked."""

    block: BlockRow
    run_id: int
    uuid: str
    plugin: str | None
    input_targets: Any
    output_targets: Any
    input_values: Any
    upstream: tuple[int, ...] = ()
    downstream: tuple[int, ...] = ()
    exceptions: tuple[ExceptionRow, ...] = ()

    @property
    def exception(self) -> ExceptionRow | None:
        """The latest exception of this block: a block that was run again can have several."""
        return self.exceptions[-1] if self.exceptions else None


class ProcessingRow(NamedTuple):
    """What one run did with one input: all the tasks of a map's item, or all that were given the same inputs.

    Where the tasks of an item cannot be told, `is_whole_map` says that `state`, the times and
    `blocks` are those of the map. `same_configuration` is None when no configuration was compared;
    `uncompared` counts the secrets that were masked before they were stored.
    """

    run: RunRow
    inputs: Mapping[str, Any]
    state: State
    workflow: str | None
    tasks: tuple[str, ...]
    blocks: tuple[int, ...]
    start_time: datetime | None
    end_time: datetime | None
    is_whole_map: bool = False
    same_configuration: bool | None = None
    uncompared: int = 0

    @property
    def is_success(self) -> bool:
        """Whether every task of this input is known to be a success, or skipped beside one that is."""
        return self.state is State.SUCCESS and not self.is_whole_map


class ConfigurationRow(NamedTuple):
    """One stored configuration and its settings, secrets masked; `masked` are the paths that were.

    `sealed` are those of them that were masked before they were stored.
    """

    id: int
    hash: str
    config: Mapping[str, Any]
    settings: Mapping[str, Any]
    masked: tuple[tuple[str | int, ...], ...] = ()
    sealed: tuple[tuple[str | int, ...], ...] = ()
    left_out: tuple[int, int] = (0, 0)
    """How many values behind the last one of each were not read, for there are too many to look at."""


class ProcessRow(NamedTuple):
    """One process that records a run, as it announced itself. Unlike all other times these are UTC."""

    id: int
    run_id: int
    hostname: str | None
    pid: int
    pid_space: str | None
    start_ticks: int | None
    slurm_job_id: str | None
    slurm_array_job_id: str | None
    slurm_array_task_id: str | None
    started_at: datetime | None
    last_seen_at: datetime | None
    ended_at: datetime | None
    beat_seconds: float
    age_seconds: float | None
    """How long ago it was last heard of when the row was read, by the database's clock."""

    @property
    def job(self) -> str:
        """Its Slurm job, of an array as Slurm writes it (990_8); '' when there is none."""
        if self.slurm_array_job_id and self.slurm_array_task_id:
            return f"{self.slurm_array_job_id}_{self.slurm_array_task_id}"
        return self.slurm_job_id or ""


class Sign(str, Enum):
    """How a process stands."""

    ALIVE = "alive"
    MISSED = "no heartbeat"
    GONE = "gone"
    ENDED = "ended"


class LostProcess(NamedTuple):
    """A process that did not say that it ended, and was last heard of at `since`, by our clock."""

    pid: int
    hostname: str | None
    job: str
    since: datetime
    is_gone: bool
    """Whether it was looked for and is not there; else only its beats do not come."""


class Life(NamedTuple):
    """How many of the processes that record a run are alive and how many lost; when they beat is not in it."""

    alive: int
    lost: int = 0
    latest: LostProcess | None = None
    """Of the lost ones that of which most can be hoped: not proven to be gone, then heard of last."""
