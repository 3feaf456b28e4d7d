"""Functions that record themselves: `@task` and `@workflow`, in whatever run is being recorded where they are called.

    @task
    def calibrate(file, gain=1.0): ...

    @record_run("reduce_night", config="config.yml")
    def main():
        calibrate("n1.fits")

A `with` block does the same where the work is no function of its own.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, TypeVar, overload

from outflow_core.contexts import active_scope
from outflow_core.errors import RecordError
from outflow_core.records import Scope
from outflow_core.stored import by_type, kept

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Function = Callable[Arguments, Result]
INPUT_LENGTH = 1_000
"""Of an argument with more elements, or a longer text, only the type is kept."""
_UNFINISHED = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)


@overload
def task(function: Function[Arguments, Result], /) -> Function[Arguments, Result]: ...
@overload
def task(
    *, name: str | None = None, plugin: str | None = None
) -> Callable[[Function[Arguments, Result]], Function[Arguments, Result]]: ...
def task(function: Any = None, /, *, name: str | None = None, plugin: str | None = None) -> Any:
    """Record each call of a function as a task, its arguments as the inputs: defaults too, `self` and `cls` not.

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
    found = kept(value, INPUT_LENGTH)
    return found if len(json.dumps(found)) <= INPUT_LENGTH else by_type(value)


def _recorded(function: Any, name: str | None, place: Callable[..., AbstractContextManager[Any]]) -> Any:
    def decorate(bare: Any) -> Any:
        if isinstance(bare, (staticmethod, classmethod)):
            return type(bare)(decorate(bare.__func__))
        inner = bare if isinstance(bare, functools.partial) else functools.partial(bare)
        named = name or _name(inner.func)
        refuse_unfinished(inner.func)
        signature = _signature(inner.func)

        @functools.wraps(bare)
        def call(*arguments: Any, **named_arguments: Any) -> Any:
            bound = _bound(signature, inner.args + arguments, inner.keywords | named_arguments)
            with place(_scope(named), bound, named):
                return bare(*arguments, **named_arguments)

        return call

    return decorate if function is None else decorate(function)


def _name(function: Any) -> str:
    """The name of a function, or of the class of what can be called otherwise."""
    return str(getattr(function, "__name__", type(function).__name__))


def _signature(function: Any) -> inspect.Signature | None:
    """The signature, of which many builtins have none."""
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        return None


def _bound(signature: inspect.Signature | None, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The arguments by their names, defaults too; without a signature to go by as they were given."""
    if signature is not None:
        with contextlib.suppress(TypeError):  # of a wrong call the function complains itself
            bound = signature.bind(*arguments, **named)
            bound.apply_defaults()
            parameters = signature.parameters
            return {name: value for name, value in bound.arguments.items() if _tells(parameters[name], value)}
    return {"args": arguments, "kwargs": named}


def _tells(parameter: inspect.Parameter, value: Any) -> bool:
    """Whether an argument is one: not the object or class of a method, nor `*args` or `**kwargs` without any."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return bool(value)
    return parameter.name != "self" and not (parameter.name == "cls" and isinstance(value, type))


def refuse_unfinished(function: Any) -> None:
    """Raise RecordError for a function that returns before its work is done: its failure would not be seen."""
    bare = function.func if isinstance(function, functools.partial) else function
    called = (bare, getattr(type(bare), "__call__", None))  # noqa: B004
    if any(is_kind(one) for is_kind in _UNFINISHED for one in called):
        name = getattr(bare, "__qualname__", type(bare).__name__)
        raise RecordError(f"{name!r} returns before its work is done; record it with 'with run.task(...)' inside.")


def _scope(name: str) -> Scope:
    scope = active_scope.get()
    if scope is None:
        raise RecordError(
            f"{name!r} was called where no run is being recorded; call it inside 'with record_run(...)', "
            "in a thread of your own through 'contextvars.copy_context().run'."
        )
    return scope
