"""The table of faults: what is broken in the tests, for real, and what the screen says of it.

docs/RELIABILITY.md shows its rows; `python -m tests.faults.table` prints them.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

HEADING = "| what breaks | what the screen says | how it comes back |"
GAP = "…"
tried: set[str] = set()
"""The faults that the test that runs has provoked."""


@dataclass(frozen=True)
class Fault:
    """One thing that breaks, as docs/RELIABILITY.md tells of it."""

    name: str
    says: str
    """What must be on the screen, wherever its lines are broken; "…" stands for anything between."""
    back: str
    """How it comes back; the test sees to it that this is so."""
    how: Callable[..., AbstractContextManager[Any]]
    """Breaks the thing on entry, and mends it on exit."""
    shows: str = ""
    """What the documents tell of the screen where it says nothing, for nothing has to be said."""

    def breaks(self, *what: Any) -> AbstractContextManager[Any]:
        """Break something, for the length of a `with` block; that is counted."""
        tried.add(self.name)
        return self.how(*what)

    @property
    def row(self) -> str:
        """The row in the documents."""
        return f"| {self.name} | {self.says or self.shows} | {self.back} |"

    def is_told(self, screen: Iterable[str]) -> bool:
        """Whether its words stand on a screen, in their order."""
        text, place = "".join("".join(screen).split()), 0
        for part in self.says.split(GAP):
            words = "".join(part.split())
            place = text.find(words, place)
            if place < 0:
                return False
            place += len(words)
        return True

    def __str__(self) -> str:
        """What pytest calls it."""
        return self.name


def faults_of(module: ModuleType) -> tuple[Fault, ...]:
    """The faults that the tests of a module try: its FAULTS."""
    found: tuple[Fault, ...] = getattr(module, "FAULTS", ())
    return found


def all_faults() -> tuple[Fault, ...]:
    """The faults of all modules in this folder, in the order of their names."""
    folder = import_module("tests.faults")
    names = sorted(found.name for found in pkgutil.iter_modules(folder.__path__) if found.name.startswith("test_"))
    return tuple(fault for name in names for fault in faults_of(import_module(f"tests.faults.{name}")))


def rows_in(document: str) -> list[str]:
    """The rows of every table of faults in a Markdown text."""
    rows, is_inside = [], False
    for line in document.splitlines():
        is_inside = line.startswith("|") and (is_inside or line == HEADING)
        if is_inside and line != HEADING and set(line) - set("|- :"):
            rows.append(line)
    return rows


def as_markdown(faults: Iterable[Fault]) -> str:
    """The table of some faults."""
    return "\n".join([HEADING, "| --- | --- | --- |", *(fault.row for fault in faults)])


if __name__ == "__main__":
    print(as_markdown(all_faults()))
