"""Small tasks that do next to nothing, slowly or wrongly when asked to."""

# mypy: ignore-errors
# A task names its outputs in a mapping, at the place of the return type.

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from outflow.core.pipeline import context
from outflow.core.tasks import as_task

from .committing import Committing


class UnreadableFile(Exception):
    """A file could not be read; the cause says why."""


@as_task
def Count() -> {"amount": int}:
    """Give a number to work on."""
    return 20


@as_task
def Scale(amount: int, factor: int = 2) -> {"scaled": int}:
    """Multiply the number by a factor that has a default."""
    return amount * factor


@as_task
def Announce(scaled: int) -> None:
    """Print the result."""
    print(f"scaled to {scaled}")


@as_task
def ListItems() -> {"items": list}:
    """Make the list that the map goes over, of the wanted length and kind."""
    numbers = range(context.args.items)
    if context.args.kind == "str":
        return [f"item {number}" for number in numbers]
    if context.args.kind == "dict":
        return [{"number": number, "label": f"item {number}"} for number in numbers]
    return list(numbers)


@as_task
def ProcessItem(item: Any) -> {"numbers": int}:
    """Sleep, then fail if it is this item's turn to fail."""
    if isinstance(item, dict):
        number = item["number"]
    else:
        number = int(str(item).removeprefix("item "))
    time.sleep(context.args.pause)
    every = context.args.fail_every
    if every and number % every == every - 1:
        raise UnreadableFile(f"item {number} is made to fail")
    return number


@as_task
def Report(numbers: list) -> None:
    """Print how many items the map is through with."""
    print(f"{len(numbers)} items through")


@as_task
def ReadFile() -> None:
    """Fail with an exception that another one caused."""
    try:
        dict[str, str]()["header"]
    except KeyError as error:
        raise UnreadableFile("cannot read frame_007.fits") from error


@as_task
def ListFiles() -> {"files": list}:
    """Make paths, texts and numbers to map over: what JSON knows and what it does not."""
    return [Path("/data/n0.fits"), "naïve.fits", "n2.fits", 3]


@as_task
def Fetch(file: Any) -> {"fetched": Any}:
    """Give the file on, or fail when it is named."""
    fail_if_named("fetch", file)
    return file


@as_task
def Fit(fetched: Any) -> {"fitted": Any}:
    """Give the file on, or fail when it is named."""
    fail_if_named("fit", fetched)
    return fetched


@as_task
def Split(fetched: Any) -> {"parts": list}:
    """Make two parts of a file."""
    return [f"{fetched}#0", f"{fetched}#1"]


@as_task
def FitPart(part: Any) -> {"fitted": Any}:
    """Give the part on, or fail when it is named."""
    fail_if_named("fit", part)
    return part


@as_task
def CommitOn() -> None:
    """Commit for so many seconds, and write down what became of it."""
    arguments = context.args
    told = Committing(arguments.pause).go_on(time.monotonic() + arguments.seconds)
    Path(arguments.report).write_text(json.dumps(told))


def fail_if_named(step, file):
    """Raise what the command line asks for; `kill` ends the process."""
    if context.args.fail == f"{step} {file}":
        raise UnreadableFile(f"{step} {file}")
    if context.args.kill == f"{step} {file}":
        os.kill(os.getpid(), signal.SIGKILL)
