"""Numbers that tests tell: added up over all tests and their processes, printed at the end of the run.

def test_fuzz(tally: Tally) -> None:
    tally("fuzz inputs tried", 500)
    tally("longest wait of a commit, ms", 12.5, how="max")
    tally("faults tried", "a file is deleted", how="names")
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import pytest

How = Literal["sum", "max", "names"]
Told = tuple[str, Any, How]
_PROPERTY = "tally"
_JOINED: dict[How, Callable[[Iterable[Any]], float]] = {"sum": sum, "max": max, "names": lambda names: len({*names})}


class Tally(Protocol):
    """Tells a number of something; those of one name are added up, or the greatest is kept, or names are counted."""

    def __call__(self, what: str, number: float | str, how: How = "sum") -> None:
        """Tell one number, or one name."""


def soak_factor() -> int:
    """By how much to multiply durations and inputs: the environment variable OUTFLOW_SOAK, else 1."""
    return max(1, int(os.environ.get("OUTFLOW_SOAK") or 1))


def joined(told: Iterable[Told]) -> dict[str, float]:
    """The numbers by name, in the order in which the names came; a name that is told twice counts once.

    >>> joined([("commits", 2, "sum"), ("wait", 7, "max"), ("commits", 3, "sum"), ("wait", 5, "max")])
    {'commits': 5, 'wait': 7}
    >>> joined([("faults", "deleted", "names"), ("faults", "locked", "names"), ("faults", "deleted", "names")])
    {'faults': 2}
    """
    found: dict[tuple[str, How], list[Any]] = {}
    for what, number, how in told:
        found.setdefault((what, how), []).append(number)
    return {what: _JOINED[how](numbers) for (what, how), numbers in found.items()}


def table(numbers: dict[str, float]) -> list[str]:
    """The numbers as lines, aligned.

    >>> table({"commits held": 12345, "longest wait, ms": 2.25})
    ['what             | number', 'commits held     | 12,345', 'longest wait, ms |   2.25']
    """
    shown = {"what": "number"} | {what: _shown(number) for what, number in numbers.items()}
    left, right = max(map(len, shown)), max(map(len, shown.values()))
    return [f"{what:<{left}} | {number:>{right}}" for what, number in shown.items()]


def _shown(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.2f}"


class TallyKeeper:
    """Collects what tests told, also those in other processes: it comes with the report of a test."""

    def __init__(self) -> None:
        self._told: list[Told] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the numbers from the last report of each test."""
        if report.when == "teardown":
            self._told += [cast(Told, value) for name, value in report.user_properties if name == _PROPERTY]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Print the table, and write it to the file that was asked for."""
        numbers = joined(self._told)
        if numbers:
            terminalreporter.section("what the tests held")
            for line in table(numbers):
                terminalreporter.write_line(line)
        if (file := config.getoption("--tally")) is not None:
            Path(file).write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that names the file."""
    parser.addoption("--tally", metavar="FILE", help="write the numbers that tests tell to a JSON file")


def pytest_configure(config: pytest.Config) -> None:
    """Collect, wherever tests run."""
    config.pluginmanager.register(TallyKeeper())


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Tells a number to the table at the end of the run."""

    def tell(what: str, number: float | str, how: How = "sum") -> None:
        request.node.user_properties.append((_PROPERTY, (what, number, how)))

    return tell
