"""The five states of a run or a task, and the two types of block."""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """What the books say of a run or a task; `running` is a claim, see `lives`."""

    PENDING = "pending"
    RUNNING = "running"
    FAILED = "failed"
    SUCCESS = "success"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        """Whether the work is over, as far as the books know."""
        return self in FINAL


FINAL = frozenset({State.FAILED, State.SUCCESS, State.SKIPPED})


class BlockType(str, Enum):
    """A block is one task, or a workflow of blocks."""

    TASK = "task"
    WORKFLOW = "workflow"
