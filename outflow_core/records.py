"""What a pipeline holds while it is recorded: a run, its workflows, items and tasks."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Any
from uuid import uuid4

from outflow_core.bookkeeper import Bookkeeper
from outflow_core.column_values import exception_row
from outflow_core.contexts import active_scope
from outflow_core.entries import BlockChanged, BlocksAdded, RunChanged
from outflow_core.errors import RecordError
from outflow_core.maps import Outcome, Result, Submits, outcomes
from outflow_core.masking import mask_secrets
from outflow_core.rows import TOP_LEVEL
from outflow_core.states import BlockType, State
from outflow_core.stored import kept_each

_RECORDED = "_outflow_recorded_in"
"""The attribute of an exception that tells which run has it in the books: its id() may be used again."""
_DICT: Any = vars(BaseException)["__dict__"]
"""Gives the attributes of an exception, whatever its class says `__dict__` is."""
HOSTNAME = socket.gethostname()


class Scope:
    """Where tasks and workflows can be started: a run, a workflow, or one item of a map."""

    def __init__(self, run: RunRecord, parent: str | None, inputs: Mapping[str, Any] | None = None) -> None:
        self.run = run
        self.inputs = inputs or {}
        self._parent_uuid = parent
        self._waiting: dict[str, str] = {}

    def _parent(self) -> str | None:
        return self._parent_uuid

    def task(
        self,
        name: str,
        *,
        inputs: Mapping[str, Any] | None = None,
        upstream: Sequence[BlockRecord] = (),
        plugin: str | None = None,
        input_targets: Mapping[str, Any] | None = None,
        output_targets: Mapping[str, Any] | None = None,
    ) -> TaskRecord:
        """A task that runs for the length of a `with` block; its inputs are those of the item unless given."""
        record = TaskRecord(self.run, name, self._parent(), inputs if inputs is not None else self.inputs)
        record.describe(upstream, plugin, input_targets, output_targets)
        record.announced_as(self._waiting.pop(name, None))
        return record

    def workflow(
        self,
        name: str,
        *,
        inputs: Iterable[Mapping[str, Any]] = (),
        tasks: Iterable[str] = (),
        upstream: Sequence[BlockRecord] = (),
        plugin: str | None = None,
        input_targets: Mapping[str, Any] | None = None,
        output_targets: Mapping[str, Any] | None = None,
    ) -> WorkflowRecord:
        """A workflow around tasks; with `inputs` a map, which is iterated item by item.

        `tasks` names the tasks that each item will run: they stand in the books as pending from the
        start, so that whoever watches sees how much is left.
        """
        record = WorkflowRecord(self.run, name, self._parent(), inputs, tasks)
        record.describe(upstream, plugin, input_targets, output_targets)
        return record

    def skip(self, name: str, *, upstream: Sequence[BlockRecord] = ()) -> None:
        """Record a task that will not run."""
        skipped = {"state": State.SKIPPED, "end_time": datetime.now()}
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            self.run.keep(BlockChanged(waiting, skipped, _uuids(upstream)))
            return
        row = block_row(BlockType.TASK, name, **skipped)
        self.run.keep(BlocksAdded(self.run.uuid, (row,), self._parent(), _uuids(upstream)))

    def entered(self) -> AbstractContextManager[None]:
        """Make this the place where decorated functions record, in this context."""
        return _Entered(self)

    def note_for(self, stand_in: BaseException, error: BaseException) -> None:
        """Take an exception for recorded if the one in whose place it goes on is."""
        if self.run.has_noted(error):
            self.run.note(stand_in)


class _Entered:
    """A scope as the place where decorated functions record; of a generator Python would touch the exception."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._token = active_scope.set(self._scope)

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ValueError):  # a generator that is closed elsewhere has not set it there
            active_scope.reset(self._token)


class RunRecord(Scope):
    """A run that is being recorded."""

    def __init__(self, keeper: Bookkeeper, uuid: str) -> None:
        super().__init__(self, None)
        self.uuid = uuid
        self._keeper = keeper
        self.keep = keeper.write
        self.open_blocks: dict[BlockRecord, int] = {}
        """The blocks that were entered in this process and not left, each with its thread."""

    def __reduce__(self) -> tuple[Any, ...]:
        return RunRecord, (self._keeper, self.uuid)

    @property
    def id(self) -> int:
        """The number of the run in its database; RecordError while that cannot be reached."""
        return self._keeper.books.run_id(self.uuid)

    def note(self, error: BaseException) -> None:
        """Remember that this exception is in the books already."""
        with contextlib.suppress(Exception):  # it is the pipeline's exception that counts
            _DICT.__get__(error)[_RECORDED] = self.uuid

    def has_noted(self, error: BaseException) -> bool:
        """Whether this exception is in the books already."""
        return bool(_DICT.__get__(error).get(_RECORDED) == self.uuid)

    def finish(self, error: BaseException | None) -> None:
        """Close the run; an exception that no task or workflow recorded is kept in a block around the run."""
        ended = {"state": outcome(error), "end_time": datetime.now()}
        try:
            if error is not None and not isinstance(error, Exception):
                self._end_open_blocks(error)
            if error is not None and ended["state"] is State.FAILED and not self.has_noted(error):
                row = block_row(BlockType.WORKFLOW, TOP_LEVEL)
                self.keep(BlocksAdded(self.uuid, (row,)))
                self.keep(BlockChanged(row["uuid"], {**ended, "hostname": HOSTNAME}, exception=exception_row(error)))
        finally:  # also when somebody presses Ctrl-C once more
            self.keep(RunChanged(self.uuid, ended))

    def _end_open_blocks(self, error: BaseException) -> None:
        """End the blocks of this thread that nobody left: an exit may come just when one is being left."""
        here = threading.get_ident()
        for block in [block for block, thread in reversed(self.open_blocks.items()) if thread == here]:
            block.end(error)


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
        self._upstream = _uuids(upstream)
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


class WorkflowRecord(BlockRecord, Scope):
    """A workflow; enter it to start, iterate over it for the items of a map."""

    _type = BlockType.WORKFLOW

    def __init__(
        self, run: RunRecord, name: str, parent: str | None, items: Iterable[Mapping[str, Any]], tasks: Iterable[str]
    ) -> None:
        if isinstance(tasks, str):
            raise RecordError(f"{name!r}: 'tasks' is a list of names; write tasks=[{tasks!r}].")
        if isinstance(items, Mapping):
            raise RecordError(f"{name!r}: 'inputs' is a list with a mapping for each item; write inputs=[{{...}}].")
        Scope.__init__(self, run, None)
        BlockRecord.__init__(self, run, name, parent)
        self._inputs_of_items = tuple(items)
        odd = next((item for item in self._inputs_of_items if not isinstance(item, Mapping)), None)
        if odd is not None:
            raise RecordError(
                f"{name!r}: each of 'inputs' names its values, as in {{'file': ...}}; {odd!r:.60} does not."
            )
        self._tasks = tuple(tasks)
        self._items: list[Scope] = []
        self._place = self.entered()

    def _parent(self) -> str | None:
        if self.uuid is None:
            raise RecordError(f"The workflow {self.name!r} has not started; enter it with 'with' first.")
        return self.uuid

    def _input_values(self) -> Any:
        return [as_inputs(inputs) for inputs in self._inputs_of_items] if self._inputs_of_items else {}

    def __enter__(self) -> WorkflowRecord:
        self._enter()
        self._items = [Scope(self.run, self.uuid, inputs) for inputs in self._inputs_of_items]
        self._announce(self._items, self._tasks)
        self._place.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._place.__exit__(kind, error, traceback)
        self.end(error)

    def map(self, task: str, function: Callable[..., Result], executor: Submits | None = None) -> list[Outcome[Result]]:
        """Run a task for every item, its inputs as keyword arguments; what became of each, in their order.

        With an `executor` of the shape of `concurrent.futures` (threads, processes, Dask's and
        MPI's clients) each item runs and is recorded where the executor puts it; for other processes
        the function must be one that can be pickled. An item that fails does not stop the others:
        its outcome holds the exception.
        """
        if self._tasks and task not in self._tasks:
            raise RecordError(f"{task!r} is none of the tasks of the map {self.name!r}: {', '.join(self._tasks)}.")
        self._announce([item for item in self._items if task not in item._waiting], [task])
        uuids = [item._waiting[task] for item in self._items]
        found = outcomes(self._items, task, function, executor)
        self._are_used(task, uuids)
        self._close_lost(uuids, [one.error for one in found])
        return found

    def _are_used(self, task: str, uuids: Sequence[str]) -> None:
        """Take these blocks from the items here: those that ran in other processes took them from their copies."""
        for item, uuid in zip(self._items, uuids, strict=True):
            if item._waiting.get(task) == uuid:
                del item._waiting[task]

    def _close_lost(self, uuids: Sequence[str], errors: Sequence[BaseException | None]) -> None:
        """Close the blocks of items whose workers went away without a word; one exception may end thousands."""
        rows: dict[int, dict[str, Any]] = {}
        ended = {"state": State.FAILED, "end_time": datetime.now()}
        for uuid, error in zip(uuids, errors, strict=True):
            if error is None or self.run.has_noted(error):
                continue
            if id(error) not in rows:
                rows[id(error)] = exception_row(error)
            self.run.keep(BlockChanged(uuid, ended, exception=rows[id(error)], if_open=True))

    def _announce(self, items: Sequence[Scope], tasks: Sequence[str]) -> None:
        """Put tasks of items into the books as pending, in one commit."""
        inputs = [as_inputs(item.inputs) for item in items]
        places = [(item, values, name) for item, values in zip(items, inputs, strict=True) for name in tasks]
        rows = tuple(block_row(BlockType.TASK, name, input_values=values) for _, values, name in places)
        if rows:
            self.run.keep(BlocksAdded(self.run.uuid, rows, self.uuid))
        for (item, _, name), row in zip(places, rows, strict=True):
            item._waiting[name] = row["uuid"]

    def __iter__(self) -> Iterator[Scope]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


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


def _uuids(blocks: Sequence[BlockRecord]) -> tuple[str, ...]:
    return tuple(block.uuid for block in blocks if block.uuid is not None)
