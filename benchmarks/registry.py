"""Which figures there are, by name; each is made from the databases, with few rounds when it has to be quick."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generated import Books
from benchmarks.ratios import Figure

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Bench:
    """What a figure is measured on, and how often."""

    books: Books
    quick: bool = False

    def rounds(self, many: int) -> int:
        """So many rounds, or one when it has to be quick."""
        return 1 if self.quick else many

    def seconds(self, many: float) -> float:
        """So many seconds, or little more than one when it has to be quick."""
        return min(many, 1.5) if self.quick else many


Maker = Callable[[Bench], Iterator[Figure]]
MAKERS: dict[str, Maker] = {}


def figures(name: str) -> Callable[[Maker], Maker]:
    """Make a function known as the maker of the figures of this name."""

    def known(maker: Maker) -> Maker:
        MAKERS[name] = maker
        return maker

    return known


def program(name: str, *arguments: str) -> list[str]:
    """The command line of a bare program."""
    return [sys.executable, str(PROGRAMS / f"{name}.py"), *arguments]


def monitor(*arguments: str) -> list[str]:
    """The command line of the monitor, as it is installed beside this Python."""
    return [str(Path(sys.executable).with_name("outflow-tui")), *arguments]
