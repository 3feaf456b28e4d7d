"""Functions that record themselves: `@task` and `@workflow`, in whatever run is being recorded where they are called.

@task
def calibrate(file, gain=1.0): ...

@record_run("reduce_night", config="config.yml")
def main():
    calibrate("n1.fits")
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sized
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, TypeVar, overload

from outflow_core.contexts import active_scope
from outflow_core.errors import RecordError
from outflow_core.records import Scope
from outflow_core.stored import storable

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Function = Callable[Arguments, Result]
INPUT_LENGTH = 1_000
"""Of an argument with more elements, or a longer text, only the type is kept."""


@overload
def task(function: Function[Arguments, Result], /) -> Function[Arguments, Result]: ...
@overload
def task(
    *, name: str | None = None, plugin: str | None = None
) -> Callable[[Function[Arguments, Result]], Function[Arguments, Result]]: ...
def task(function: Any = None, /, *, name: str | None = None, plugin: str | None = None) -> Any:
    """Record each call of a function as a task, its arguments as the inputs.

    It stands in the books under the function's name unless another is given, in the innermost
    workflow around the call. Calling it where no run is being recorded raises RecordError;
    `function.__wrapped__` is the bare function. Threads that a pipeline starts by itself know of no
    run: hand them `contextvars.copy_context().run`, or use `map`. Coroutines and generators are
    refused: they return before their work is done.
    """

    def place(scope: Scope, arguments: Mapping[str, Any], named: str) -> AbstractContextManager[Any]:
        return scope.task(named, inputs={key: as_input(value) for key, value in arguments.items()}, plugin=plugin)

    return _recorded(function, name, place)


@overload
def workflow(function: Function[Arguments, Result], /) -> Function[Arguments, Result]: ...
@overload
def workflow(
    *, name: str | None = None, plugin: str | None = None
) -> Callable[[Function[Arguments, Result]], Function[Arguments, Result]]: ...
def workflow(function: Any = None, /, *, name: str | None = None, plugin: str | None = None) -> Any:
    """Record each call of a function as a workflow around the tasks that it calls; otherwise as `task`."""

    def place(scope: Scope, arguments: Mapping[str, Any], named: str) -> AbstractContextManager[Any]:
        return scope.workflow(named, plugin=plugin)

    return _recorded(function, name, place)


def as_input(value: Any) -> Any:
    """An argument as an input: what is too large for the books is told by its type.

    >>> as_input("n1.fits"), as_input([0] * 5000)
    ('n1.fits', '<list of 5000>')
    """
    if isinstance(value, Sized) and not isinstance(value, (str, bytes)) and len(value) > INPUT_LENGTH:
        return f"<{type(value).__name__} of {len(value)}>"
    kept = storable(value)
    return kept if len(json.dumps(kept)) <= INPUT_LENGTH else f"<{type(value).__name__}>"


def _recorded(function: Any, name: str | None, place: Callable[..., AbstractContextManager[Any]]) -> Any:
    def decorate(bare: Callable[..., Any]) -> Callable[..., Any]:
        refuse_unfinished(bare)
        signature = inspect.signature(bare)
        named = name or bare.__name__

        @functools.wraps(bare)
        def call(*arguments: Any, **named_arguments: Any) -> Any:
            bound = signature.bind(*arguments, **named_arguments).arguments
            with place(_scope(named), bound, named):
                return bare(*arguments, **named_arguments)

        return call

    return decorate if function is None else decorate(function)


def refuse_unfinished(function: Callable[..., Any]) -> None:
    """Raise RecordError for a function that returns before its work is done: its failure would not be seen."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise RecordError(
            f"{function.__qualname__!r} returns before its work is done; record it with 'with run.task(...)' inside."
        )


def _scope(name: str) -> Scope:
    scope = active_scope.get()
    if scope is None:
        raise RecordError(
            f"{name!r} was called where no run is being recorded; call it inside 'with record_run(...)', "
            "in a thread of your own through 'contextvars.copy_context().run'."
        )
    return scope
