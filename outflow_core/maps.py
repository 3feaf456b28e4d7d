"""Runs the items of a map, one after the other or by an executor, each recorded where it runs; pure of databases."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

Result = TypeVar("Result")
Place: TypeAlias = tuple[str, int]
"""A process: its host and its number there."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What became of one item: its result, or the exception that ended it."""

    inputs: Mapping[str, Any]
    result: Result | None = None
    error: BaseException | None = None


class Item(Protocol):
    """An item of a map: it goes to another process with whatever records it there."""

    inputs: Mapping[str, Any]

    def task(self, name: str) -> AbstractContextManager[Any]:
        """A task of this item."""

    def entered(self) -> AbstractContextManager[None]:
        """Make this item the place where decorated functions record."""

    def note_for(self, stand_in: BaseException, error: BaseException) -> None:
        """Take an exception for recorded if the one in whose place it goes on is."""


class Submits(Protocol):
    """The shape of `concurrent.futures.Executor`: threads, processes, and the clients that imitate it."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """A future, whose `result()` waits and gives the value or raises."""


def run_item(item: Item, task: str, function: Callable[..., Result], head: Place | None = None) -> Result:
    """Run and record one item, here; the item's inputs are the function's keyword arguments.

    In another process than the `head` an exception that could not be read there goes on as a
    RuntimeError with its words: it would take the whole pool of processes with it.
    """
    try:
        with item.entered(), item.task(task):
            return function(**item.inputs)
    except Exception as error:
        if head in (None, _here()) or _can_travel(error):
            raise
        stand_in = RuntimeError(_words(error))
        item.note_for(stand_in, error)
    raise stand_in from None


def outcomes(
    items: Iterable[Item], task: str, function: Callable[..., Result], executor: Submits | None
) -> list[Outcome[Result]]:
    """What became of the items, in their order; an item that fails does not stop the others."""
    raised = _Raised()
    if executor is None:
        return [_waited(item, lambda item=item: run_item(item, task, function), raised) for item in items]  # type: ignore[misc]
    futures = [(item, _submitted(executor, item, task, function)) for item in items]
    try:
        return [_waited(item, future.result, raised) for item, future in futures]
    except BaseException:  # Ctrl-C, say: what has not begun is not begun any more
        for _, future in futures:
            future.cancel()
        raise


def _submitted(executor: Submits, item: Item, task: str, function: Callable[..., Result]) -> Any:
    """The future of an item; one that the executor does not take has failed by that."""
    try:
        return executor.submit(run_item, item, task, function, _here())
    except Exception as error:  # a pool that is broken or shut down, say
        refused: Future[Result] = Future()
        refused.set_exception(error)
        return refused


def _waited(item: Item, wait: Callable[[], Result], raised: _Raised) -> Outcome[Result]:
    try:
        return Outcome(item.inputs, result=wait())
    except Exception as error:  # whatever the pipeline's function raises is the item's outcome
        return Outcome(item.inputs, error=raised.as_first(error))


class _Raised:
    """The exceptions of a map: all futures of a broken pool raise the same one, which grows each time."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[BaseException, TracebackType | None]] = {}

    def as_first(self, error: BaseException) -> BaseException:
        """The exception with the traceback that it had when it was first raised."""
        _, traceback = self._seen.setdefault(id(error), (error, error.__traceback__))
        return error.with_traceback(traceback)


def _here() -> Place:
    return socket.gethostname(), os.getpid()


def _can_travel(error: BaseException) -> bool:
    """Whether another process can read what this one writes of an exception."""
    try:
        return isinstance(pickle.loads(pickle.dumps(error)), BaseException)
    except Exception:  # its class decides what is run here
        return False


def _words(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # its class decides what is run here
        return type(error).__name__
