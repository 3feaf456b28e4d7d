"""Runs the items of a map, one after the other or by an executor, each recorded where it runs; pure of databases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Result = TypeVar("Result")


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


class Submits(Protocol):
    """The shape of `concurrent.futures.Executor`: threads, processes, and the clients that imitate it."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """A future, whose `result()` waits and gives the value or raises."""


def run_item(item: Item, task: str, function: Callable[..., Result]) -> Result:
    """Run and record one item, here; the item's inputs are the function's keyword arguments."""
    with item.entered(), item.task(task):
        return function(**item.inputs)


def outcomes(
    items: Iterable[Item], task: str, function: Callable[..., Result], executor: Submits | None
) -> list[Outcome[Result]]:
    """What became of the items, in their order; an item that fails does not stop the others."""
    if executor is None:
        return [_waited(item, lambda item=item: run_item(item, task, function)) for item in items]  # type: ignore[misc]
    futures = [(item, executor.submit(run_item, item, task, function)) for item in items]
    return [_waited(item, future.result) for item, future in futures]


def _waited(item: Item, wait: Callable[[], Result]) -> Outcome[Result]:
    try:
        return Outcome(item.inputs, result=wait())
    except Exception as error:  # whatever the pipeline's function raises is the item's outcome
        return Outcome(item.inputs, error=error)
