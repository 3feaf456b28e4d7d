"""What a pipeline holds while it is recorded: a run, its workflows and their items, in which tasks are started."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Any

from outflow_core.block_records import HOSTNAME, BlockRecord, TaskRecord, as_inputs, block_row, outcome, uuids_of
from outflow_core.bookkeeper import Bookkeeper
from outflow_core.column_values import exception_row
from outflow_core.contexts import active_scope
from outflow_core.entries import BlockChanged, BlocksAdded, RunChanged
from outflow_core.errors import RecordError
from outflow_core.maps import Outcome, Result, Submits, outcomes
from outflow_core.rows import TOP_LEVEL
from outflow_core.states import BlockType, State

_RECORDED = "_outflow_recorded_in"
"""The attribute of an exception that tells which run has it in the books: its id() may be used again."""
_DICT: Any = vars(BaseException)["__dict__"]
"""Gives the attributes of an exception, whatever its class says `__dict__` is."""


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
            self.run.keep(BlockChanged(waiting, skipped, uuids_of(upstream)))
            return
        row = block_row(BlockType.TASK, name, **skipped)
        self.run.keep(BlocksAdded(self.run.uuid, (row,), self._parent(), uuids_of(upstream)))

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
