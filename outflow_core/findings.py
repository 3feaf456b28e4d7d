"""What a search over the books finds, frozen; equal ones of a run are one; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from outflow_core.rows import ProcessingRow
from outflow_core.states import BlockType, State


class Kind(str, Enum):
    """What it is that holds the words, in the order in which people want to see it."""

    INPUT = "input"
    EXCEPTION = "exception"
    TRACEBACK = "traceback"
    COMMAND = "command"
    WORKFLOW = "workflow"
    TASK = "task"
    PLUGIN = "plugin"
    HOST = "host"
    UUID = "uuid"
    TARGET = "target"
    CONFIGURATION = "configuration"
    SETTINGS = "settings"


ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Finding:
    """Some words in the books: of `count` tasks of one run, or of `count` runs with one configuration.

    `text` is a part of what holds them, `start` and `end` are their place in it. `where` is the key
    or the path under which it stands. The block is the one that tells most: a failed task first.
    """

    kind: Kind
    run_id: int
    command: str | None
    block_id: int | None
    block_name: str
    where: str
    text: str
    start: int
    end: int
    state: State | None
    time: datetime | None
    count: int = 1
    block_type: BlockType | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from all others; of a configuration that several runs have it is the value."""
        run_id = None if self.kind in (Kind.CONFIGURATION, Kind.SETTINGS) else self.run_id
        return self.kind, run_id, self.where, self.text, self.start

    def with_another(self, other: Finding) -> Finding:
        """Both as one, at the block that tells more; of runs the newest."""
        best = self if self.block_id is None or self._weight >= other._weight else other
        return replace(best, count=self.count + other.count)

    @property
    def _weight(self) -> tuple[bool, bool]:
        return self.state is State.FAILED, self.block_type is BlockType.TASK


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By kind, and the newest runs first."""
    return tuple(sorted(findings, key=lambda one: (ORDER[one.kind], -one.run_id)))


@dataclass(frozen=True, slots=True)
class InputAnswer:
    """What became of one input: the newest run that counts, or else the newest that was given it."""

    value: str
    done: ProcessingRow | None
    newest: ProcessingRow


@dataclass(frozen=True, slots=True)
class Answer:
    """Have the inputs that were found been processed, and with the configuration in force?"""

    inputs: tuple[InputAnswer, ...]
    is_known: bool
    """Whether a configuration is in force; of a bare database none is, and any counts."""
    is_cut: bool = False
    """Whether there are so many that only the newest were looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """How far a search has come."""

    words: str
    findings: tuple[Finding, ...] = ()
    answer: Answer | None = None
    searched: int = 0
    blocks: int = 0
    """How many blocks there are to be searched, by their ids."""
    is_over: bool = False
    is_cut: bool = False
    """Whether it ended early because so much was found."""


def leaf_text(value: Any) -> str:
    """A value as it is shown and searched: texts as they are, others as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """Every value that holds no other ones, as text, with its path."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)) and value:
        for place, item in enumerate(value):
            yield from leaves(item, (*path, place))
    else:
        yield path, leaf_text(value)
