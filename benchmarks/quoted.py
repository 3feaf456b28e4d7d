"""The table of figures in the README, from those that were measured and are kept in benchmarks/figures.json.

    make figures
    python -m benchmarks.quoted [FILE ...]

Files are those of `python -m benchmarks --json FILE`; a figure that was measured anew takes its old one's place.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.ratios import Figure, amount

ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).with_name("figures.json")
HEADING = "| what | reached | wanted | ours | bare |\n| --- | --- | --- | --- | --- |"


Figures = dict[tuple[str, str], Any]
"""Figures by what they are of, and what they are held against."""


def kept(file: Path = KEPT) -> Figures:
    """The figures of a file."""
    return {(figure["what"], figure["wanted"]): figure for figure in json.loads(file.read_text(encoding="utf-8"))}


def table(figures: Figures) -> str:
    """What was reached, in bold where it is less than wanted; seconds on the clock stand for those of the processor."""
    twice = {f"{what}, processor" for what, _ in figures}
    rows = [_row(figure) for (what, _), figure in figures.items() if what not in twice]
    return "\n".join([HEADING, *rows])


def _row(found: dict[str, Any]) -> str:
    figure = Figure(**{name: value for name, value in found.items() if name != "is_reached"})
    mark = "" if figure.is_reached else "**"
    ours, bare = (amount(value, figure.unit) for value in (figure.ours, figure.bare))
    return f"| {figure.what} | {mark}{figure.reached:.2f}{mark} | {figure.wanted} | {ours} | {bare} |"


def quote(document: str, figures: Figures) -> str:
    """A document with its table of figures as they are now."""
    begin = document.index(HEADING)
    end = document.index("\n\n", begin)
    return document[:begin] + table(figures) + document[end:]


def main(files: Sequence[str]) -> None:
    """Take over the figures of some files, and write the table."""
    figures = kept() if KEPT.exists() else {}
    for file in files:
        figures |= kept(Path(file))
    KEPT.write_text(json.dumps(list(figures.values()), indent=1) + "\n", encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(quote(readme.read_text(encoding="utf-8"), figures), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
