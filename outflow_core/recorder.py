"""Records a pipeline's runs, workflows and tasks while they happen; the only writer.

    with record_run("reduce_night", config="config.yml") as run:
        with run.task("load_catalog"):
            ...
        with run.workflow("map_frames", inputs=[{"file": f} for f in files]) as frames:
            for item in frames:
                with item.task("calibrate"):
                    ...

An exception is recorded with its traceback and goes on to the caller. The recorder has its own
connection: what happens to a session of the pipeline's does not touch the books.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from outflow_core import tables
from outflow_core.books import Books
from outflow_core.contexts import active_run
from outflow_core.endings import sigterm_as_exit
from outflow_core.engines import Engines
from outflow_core.errors import RecordError
from outflow_core.heartbeat import heartbeat
from outflow_core.maps import Outcome, Result, Submits, outcomes
from outflow_core.masking import mask_secrets
from outflow_core.rows import TOP_LEVEL
from outflow_core.settings import DEFAULT_BIND, Settings, load_settings
from outflow_core.states import BlockType, State
from outflow_core.stored import configuration_hash, storable, stored_config

_RECORDED = "_outflow_recorded_in"
"""The attribute of an exception that tells which run has it in the books: its id() may be used again."""


@contextmanager
def record_run(
    command: str,
    *,
    config: str | Path | Settings | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[RunRecord]:
    """Record one run of a command: success at the end of the block, failed when an exception leaves it.

    `config` is a configuration file, looked for when not given; `settings` whatever else decides
    what the pipeline does, kept beside the configuration. Raises ConfigError or RecordError before
    anything of the pipeline has started.
    """
    read = config if isinstance(config, Settings) else load_settings(config)
    engines = Engines(read)
    try:
        run = _begin(Books(engines), command, read, settings or {})
        try:
            with _active(run), heartbeat(engines, DEFAULT_BIND, run.uuid):
                yield run
        except BaseException as error:
            run.finish(error)
            raise
        else:
            run.finish(None)
    finally:
        engines.dispose()


@contextmanager
def _active(run: RunRecord) -> Iterator[None]:
    """Make a run the one that `context.run` gives, and let SIGTERM end it as an exception does."""
    token = active_run.set(run)
    try:
        with sigterm_as_exit():
            yield
    finally:
        active_run.reset(token)


@contextmanager
def join_run(uuid: str, *, config: str | Path | Settings | None = None) -> Iterator[RunRecord]:
    """Record into a run that another process began and will end, such as the head of a job array.

    Raises RecordError when the books hold no run of this uuid.
    """
    read = config if isinstance(config, Settings) else load_settings(config)
    engines = Engines(read)
    try:
        books = Books(engines)
        run_id = books.run_of(uuid)
        if run_id is None:
            raise RecordError(f"{read.database().shown}: no run has the uuid {uuid!r}; it must have begun before.")
        run = RunRecord(books, run_id, uuid)
        with _active(run), heartbeat(engines, DEFAULT_BIND, run.uuid):
            yield run
    finally:
        engines.dispose()


def _begin(books: Books, command: str, read: Settings, settings: Mapping[str, Any]) -> RunRecord:
    config, kept = stored_config(read), mask_secrets(storable(settings))
    row = {
        "uuid": str(uuid4()),
        "start_time": datetime.now(),
        "state": State.RUNNING,
        "hostname": books.hostname,
        "command_name": command,
        "configuration_id": books.configuration(config, kept, configuration_hash(config, kept)),
    }
    return RunRecord(books, books.add(tables.run, row), str(row["uuid"]))


class Scope:
    """Where tasks and workflows can be started: a run, a workflow, or one item of a map."""

    def __init__(self, run: RunRecord, parent_id: int | None, inputs: Mapping[str, Any] | None = None) -> None:
        self._run = run
        self._parent_id = parent_id
        self.inputs = inputs or {}
        self._waiting: dict[str, int] = {}

    def _parent(self) -> int | None:
        return self._parent_id

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
        record = TaskRecord(self._run, name, self._parent(), inputs if inputs is not None else self.inputs)
        record.describe(upstream, plugin, input_targets, output_targets)
        record.id = self._waiting.pop(name, 0)
        return record

    def workflow(
        self,
        name: str,
        *,
        inputs: Sequence[Mapping[str, Any]] = (),
        tasks: Sequence[str] = (),
        upstream: Sequence[BlockRecord] = (),
        plugin: str | None = None,
        input_targets: Mapping[str, Any] | None = None,
        output_targets: Mapping[str, Any] | None = None,
    ) -> WorkflowRecord:
        """A workflow around tasks; with `inputs` a map, which is iterated item by item.

        `tasks` names the tasks that each item will run: they stand in the books as pending from the
        start, so that whoever watches sees how much is left.
        """
        record = WorkflowRecord(self._run, name, self._parent(), inputs, tasks)
        record.describe(upstream, plugin, input_targets, output_targets)
        return record

    def skip(self, name: str, *, upstream: Sequence[BlockRecord] = ()) -> None:
        """Record a task that will not run."""
        waiting = self._waiting.pop(name, 0)
        if waiting:
            self._run.books.change(tables.block, waiting, state=State.SKIPPED, end_time=datetime.now())
            return
        row = self._run.block_row(BlockType.TASK, name, parent_id=self._parent())
        row |= {"state": State.SKIPPED, "end_time": datetime.now()}
        self._run.books.add_blocks([row], [block.id for block in upstream])


class RunRecord(Scope):
    """A run that is being recorded."""

    def __init__(self, books: Books, run_id: int, uuid: str) -> None:
        super().__init__(self, None)
        self.books = books
        self.id = run_id
        self.uuid = uuid

    def block_row(self, kind: BlockType, name: str, **columns: Any) -> dict[str, Any]:
        """A pending block of this run."""
        row = {"uuid": str(uuid4()), "type": kind, "name": name, "run_id": self.id}
        row |= {"state": State.PENDING, "input_targets": {}, "output_targets": {}, "input_values": {}}
        row |= {"start_time": None, "end_time": None, "hostname": None, "plugin": None, "parent_id": None}
        return row | columns

    def note(self, error: BaseException) -> None:
        """Remember that this exception is in the books already."""
        vars(error)[_RECORDED] = self.uuid

    def finish(self, error: BaseException | None) -> None:
        """Close the run; an exception that no task or workflow recorded is kept in a block around the run."""
        state = outcome(error)
        if error is not None and state is State.FAILED and vars(error).get(_RECORDED) != self.uuid:
            row = self.block_row(BlockType.WORKFLOW, TOP_LEVEL)
            (block_id,) = self.books.add_blocks([row])
            self.books.finish_block(block_id, error, state=state, end_time=datetime.now(), hostname=self.books.hostname)
        self.books.change(tables.run, self.id, state=state, end_time=datetime.now())


class BlockRecord:
    """A block that is recorded for the length of a `with` block."""

    _type: BlockType

    def __init__(self, run: RunRecord, name: str, parent_id: int | None) -> None:
        self.id = 0
        self.name = name
        self._run = run
        self._own_parent_id = parent_id
        self._described: dict[str, Any] = {}
        self._upstream: list[int] = []

    def describe(
        self,
        upstream: Sequence[BlockRecord],
        plugin: str | None,
        input_targets: Mapping[str, Any] | None,
        output_targets: Mapping[str, Any] | None,
    ) -> None:
        """Take what the books keep of a block besides its state."""
        unstarted = [block.name for block in upstream if not block.id]
        if unstarted:
            raise RecordError(f"{self.name!r} cannot come after {unstarted[0]!r}, which has not started yet.")
        self._upstream = [block.id for block in upstream]
        self._described = {
            "plugin": plugin,
            "input_targets": storable(input_targets or {}),
            "output_targets": storable(output_targets or {}),
        }

    def _input_values(self) -> Any:
        return {}

    def _start(self) -> None:
        started = {"state": State.RUNNING, "start_time": datetime.now(), "hostname": self._run.books.hostname}
        columns = {**self._described, **started, "parent_id": self._own_parent_id, "input_values": self._input_values()}
        if self.id:
            self._run.books.change(tables.block, self.id, **columns)
            self._run.books.add_edges(self._upstream, [self.id])
        else:
            row = self._run.block_row(self._type, self.name, **columns)
            (self.id,) = self._run.books.add_blocks([row], self._upstream)

    def _finish(self, error: BaseException | None) -> None:
        state = outcome(error)
        failed_of = error if state is State.FAILED else None
        self._run.books.finish_block(self.id, failed_of, state=state, end_time=datetime.now())
        if failed_of is not None:
            self._run.note(failed_of)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._finish(error)


class TaskRecord(BlockRecord):
    """A task; enter it to start, leave it to finish."""

    _type = BlockType.TASK

    def __init__(self, run: RunRecord, name: str, parent_id: int | None, inputs: Mapping[str, Any]) -> None:
        super().__init__(run, name, parent_id)
        self._inputs = inputs

    def _input_values(self) -> Any:
        return as_inputs(self._inputs)

    def __enter__(self) -> TaskRecord:
        self._start()
        return self


class WorkflowRecord(BlockRecord, Scope):
    """A workflow; enter it to start, iterate over it for the items of a map."""

    _type = BlockType.WORKFLOW

    def __init__(
        self, run: RunRecord, name: str, parent_id: int | None, items: Sequence[Mapping[str, Any]], tasks: Sequence[str]
    ) -> None:
        BlockRecord.__init__(self, run, name, parent_id)
        Scope.__init__(self, run, None)
        self._inputs_of_items = items
        self._tasks = tasks
        self._items: list[Scope] = []

    def _parent(self) -> int | None:
        if not self.id:
            raise RecordError(f"The workflow {self.name!r} has not started; enter it with 'with' first.")
        return self._parent_id

    def _input_values(self) -> Any:
        return [as_inputs(inputs) for inputs in self._inputs_of_items] if self._inputs_of_items else {}

    def __enter__(self) -> WorkflowRecord:
        self._start()
        Scope.__init__(self, self._run, self.id)
        self._items = [Scope(self._run, self.id, inputs) for inputs in self._inputs_of_items]
        self._announce(self._tasks)
        return self

    def map(self, task: str, function: Callable[..., Result], executor: Submits | None = None) -> list[Outcome[Result]]:
        """Run a task for every item, its inputs as keyword arguments; what became of each, in their order.

        With an `executor` of the shape of `concurrent.futures` each item runs and is recorded where
        the executor puts it; for other processes the function must be one that can be pickled. An
        item that fails does not stop the others: its outcome holds the exception.
        """
        if task not in self._tasks:
            self._announce([task])
        block_ids = [item._waiting[task] for item in self._items]
        found = outcomes(self._items, task, function, executor)
        for block_id, outcome_ in zip(block_ids, found, strict=True):
            if outcome_.error is not None:
                self._run.books.fail_unfinished(block_id, outcome_.error)
        return found

    def _announce(self, tasks: Sequence[str]) -> None:
        """Put the tasks of all items into the books as pending, in one commit."""
        places = [(item, name) for item in self._items for name in tasks]
        rows = [
            self._run.block_row(BlockType.TASK, name, parent_id=self.id, input_values=as_inputs(item.inputs))
            for item, name in places
        ]
        for (item, name), block_id in zip(places, self._run.books.add_blocks(rows), strict=True):
            item._waiting[name] = block_id

    def __iter__(self) -> Iterator[Scope]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def as_inputs(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Input values as Outflow keeps them: each one JSON text of its own, secrets masked."""
    return {key: json.dumps(value) for key, value in mask_secrets(storable(inputs)).items()}


def outcome(error: BaseException | None) -> State:
    """The state in which an exception leaves what it ended; leaving by `sys.exit(0)` is a success."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return State.SUCCESS
    return State.FAILED
