"""A task while it is recorded, and what it has in common with a workflow: how a block begins, and how it ends."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from outflow_core.column_values import exception_row
from outflow_core.entries import BlockChanged, BlocksAdded
from outflow_core.errors import RecordError
from outflow_core.masking import mask_secrets
from outflow_core.states import BlockType, State
from outflow_core.stored import kept_each

if TYPE_CHECKING:
    from outflow_core.records import RunRecord

HOSTNAME = socket.gethostname()


class BlockRecord:
    """A block that is recorded for the length of a `with` block."""

    _type: BlockType

    def __init__(self, run: RunRecord, name: str, parent: str | None) -> None:
        self.uuid: str | None = None
        self.name = name
        self.run = run
        self._own_parent = parent
        self._is_announced = False
        self._ending: BlockChanged | None = None
        self._described: dict[str, Any] = {}
        self._upstream: tuple[str, ...] = ()

    def announced_as(self, uuid: str | None) -> None:
        """The block stands in the books already, as pending, if it has a uuid."""
        self.uuid, self._is_announced = uuid, uuid is not None

    def describe(
        self,
        upstream: Sequence[BlockRecord],
        plugin: str | None,
        input_targets: Mapping[str, Any] | None,
        output_targets: Mapping[str, Any] | None,
    ) -> None:
        """Take what the books keep of a block besides its state."""
        if not all(isinstance(block, BlockRecord) for block in upstream):
            raise RecordError(
                f"{self.name!r}: 'upstream' holds what 'with run.task(...) as block' gave, not {upstream!r:.60}."
            )
        unstarted = [block.name for block in upstream if block.uuid is None]
        if unstarted:
            raise RecordError(f"{self.name!r} cannot come after {unstarted[0]!r}, which has not started yet.")
        self._upstream = uuids_of(upstream)
        self._described = {
            "plugin": plugin,
            "input_targets": kept_each(input_targets or {}),
            "output_targets": kept_each(output_targets or {}),
        }

    def _input_values(self) -> Any:
        return {}

    def _start(self) -> None:
        started = {"state": State.RUNNING, "start_time": datetime.now(), "hostname": HOSTNAME}
        columns = {**self._described, **started, "input_values": self._input_values()}
        if self.uuid is not None and self._is_announced:
            again = {**columns, "end_time": None}  # an item may have been tried before, by a worker that went away
            self.run.keep(BlockChanged(self.uuid, again, self._upstream))
            return
        row = block_row(self._type, self.name, **columns)
        self.uuid = str(row["uuid"])
        self.run.keep(BlocksAdded(self.run.uuid, (row,), self._own_parent, self._upstream))

    def _enter(self) -> None:
        """Start; when that is interrupted nobody leaves the block, so it ends here."""
        self._ending = None
        try:
            self._start()
            self.run.open_blocks[self] = threading.get_ident()
        except (KeyboardInterrupt, SystemExit) as error:
            self.end(error)
            raise

    def end(self, error: BaseException | None) -> None:
        """Record the end; when that was interrupted, the same end once more."""
        if self._ending is None:
            ended = {"state": outcome(error), "end_time": datetime.now()}
            exception = exception_row(error) if error is not None and ended["state"] is State.FAILED else None
            assert self.uuid is not None, "only what was entered is left"
            self._ending = BlockChanged(self.uuid, ended, exception=exception)
        self.run.keep(self._ending)
        self.run.open_blocks.pop(self, None)
        if error is not None and self._ending.exception is not None:
            self.run.note(error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end(error)


class TaskRecord(BlockRecord):
    """A task; enter it to start, leave it to finish."""

    _type = BlockType.TASK

    def __init__(self, run: RunRecord, name: str, parent: str | None, inputs: Mapping[str, Any]) -> None:
        super().__init__(run, name, parent)
        self._inputs = inputs

    def _input_values(self) -> Any:
        return as_inputs(self._inputs)

    def __enter__(self) -> TaskRecord:
        self._enter()
        return self


def block_row(kind: BlockType, name: str, **columns: Any) -> dict[str, Any]:
    """A pending block, under a uuid of its own."""
    row: dict[str, Any] = {"uuid": str(uuid4()), "type": kind, "name": str(name), "state": State.PENDING}
    row |= {"input_targets": {}, "output_targets": {}, "input_values": {}}
    row |= {"start_time": None, "end_time": None, "hostname": None, "plugin": None}
    return row | columns


def as_inputs(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Input values as Outflow keeps them: each one JSON text of its own, secrets masked."""
    return {key: json.dumps(value) for key, value in mask_secrets(kept_each(inputs)).items()}


def outcome(error: BaseException | None) -> State:
    """The state in which an exception leaves what it ended; leaving by `sys.exit(0)` is a success.

    So is a generator that is closed before its end: whoever took from it needed no more. What made
    them stop, if it was a failure, is recorded where it happened.
    """
    if error is None or isinstance(error, GeneratorExit):
        return State.SUCCESS
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return State.SUCCESS
    return State.FAILED


def uuids_of(blocks: Sequence[BlockRecord]) -> tuple[str, ...]:
    """The uuids of the blocks that have started."""
    return tuple(block.uuid for block in blocks if block.uuid is not None)
