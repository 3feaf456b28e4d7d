"""Records a pipeline's runs, workflows and tasks while they happen; the only writer.

    with record_run("reduce_night", config="config.yml") as run:
        with run.task("load_catalog"):
            ...
        with run.workflow("map_frames", inputs=[{"file": f} for f in files]) as frames:
            for item in frames:
                with item.task("calibrate"):
                    ...

An exception is recorded with its traceback and goes on to the caller. The recorder has its own
connection: what happens to a session of the pipeline's does not touch the books. A database that
cannot be reached does not stop the pipeline: see `bookkeeper`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from outflow_core.block_records import HOSTNAME
from outflow_core.bookkeeper import Bookkeeper
from outflow_core.decorators import refuse_unfinished
from outflow_core.endings import sigterm_as_exit
from outflow_core.engines import Engines
from outflow_core.entries import RunBegun
from outflow_core.errors import RecordError
from outflow_core.heartbeat import heartbeat
from outflow_core.masking import mask_secrets
from outflow_core.records import RunRecord
from outflow_core.settings import DEFAULT_BIND, Settings, load_settings
from outflow_core.states import State
from outflow_core.stored import configuration_hash, kept_each, stored_config

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def record_run(
    command: str,
    *,
    config: str | Path | Settings | None = None,
    settings: Mapping[str, Any] | None = None,
    strict: bool = False,
) -> Recording:
    """Record one run of a command: success at the end of the block, failed when an exception leaves it.

    `config` is a configuration file, looked for when not given; `settings` whatever else decides
    what the pipeline does, kept beside the configuration. While the database cannot be reached what
    is to be recorded waits in a journal; with `strict` (or `journal: false` in the configuration)
    RecordError is raised instead. Entering raises ConfigError, or RecordError for a database that
    somebody has to put right, before anything of the pipeline has started. Also a decorator of
    functions, each call of which is a run.
    """
    return Recording(command, config, settings or {}, strict)


class Recording(AbstractContextManager["RunRecord"]):
    """A run to be recorded, for the length of a `with` block or of a function's call."""

    def __init__(
        self, command: str, config: str | Path | Settings | None, settings: Mapping[str, Any], strict: bool
    ) -> None:
        self._asked = (command, config, settings, strict)
        self._open = ExitStack()

    def __enter__(self) -> RunRecord:
        command, config, settings, strict = self._asked
        with ExitStack() as stack:
            stack.enter_context(sigterm_as_exit())  # outermost: a run that is being closed is closed
            keeper, read = stack.enter_context(_keeper(config, strict))
            run = _begin(keeper, command, read, settings)
            stack.push(lambda kind, error, traceback: run.finish(error))
            keeper.catch_up_with_others()
            stack.enter_context(run.entered())
            stack.enter_context(heartbeat(keeper.engines, DEFAULT_BIND, run.uuid))
            self._open = stack.pop_all()
        return run

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, traceback)

    def __call__(self, function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """The function, each call of which is recorded as a run."""
        refuse_unfinished(function)

        @wraps(function)
        def call(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
            with Recording(*self._asked):
                return function(*arguments, **named)

        return call


@contextmanager
def join_run(uuid: str, *, config: str | Path | Settings | None = None, strict: bool = False) -> Iterator[RunRecord]:
    """Record into a run that another process began and will end, such as the head of a job array.

    Raises RecordError when the books hold no run of this uuid; while they cannot be reached it is
    taken for granted, unless `strict`.
    """
    with _keeper(config, strict) as (keeper, _):
        keeper.expects(uuid)
        run = RunRecord(keeper, uuid)
        with sigterm_as_exit(), run.entered(), heartbeat(keeper.engines, DEFAULT_BIND, run.uuid):
            yield run


@contextmanager
def _keeper(config: str | Path | Settings | None, strict: bool) -> Iterator[tuple[Bookkeeper, Settings]]:
    """Who keeps the books of a configuration; at the end nothing is left open."""
    read = config if isinstance(config, Settings) else load_settings(config)
    engines = Engines(read, is_recorder=True)
    keeper = Bookkeeper(engines, strict=strict)
    try:
        yield keeper, read
    finally:
        keeper.close()
        engines.dispose()


def _begin(keeper: Bookkeeper, command: str, read: Settings, settings: Mapping[str, Any]) -> RunRecord:
    if not isinstance(settings, Mapping):
        raise RecordError(f"settings: must be a mapping of names and values, not {settings!r:.60}.")
    config, kept = stored_config(read), mask_secrets(kept_each(settings))
    columns = {"start_time": datetime.now(), "state": State.RUNNING, "hostname": HOSTNAME, "command_name": command}
    run = RunRecord(keeper, str(uuid4()))
    keeper.write(RunBegun(run.uuid, config, kept, configuration_hash(config, kept), columns), first=True)
    return run
