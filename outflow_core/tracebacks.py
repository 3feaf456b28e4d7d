"""The text of a Python traceback, taken apart into what was raised, by which frames, and why; pure.

Chained exceptions keep their order, as Python prints them: the cause first. What stands inside an
exception group is taken apart like what follows it. The whole text is kept: joining the lines of all
parts gives the traceback back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["header", "frame", "message", "link"]

_FRAME = re.compile(r'^(?P<edge>[\s|]*)File "(?P<file>[^"]*)", line (?P<line>\d{1,9})(?:, in (?P<function>.*))?$')
_HEADER = re.compile(r"^[\s|+]*(?:Exception Group )?Traceback \(most recent call last\):$")
_LINKS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_LIBRARY = re.compile(
    r"[/\\](?:site-packages|dist-packages)[/\\]|[/\\]lib(?:64)?[/\\]python\d(?:\.\d+)?[/\\]|^<frozen |[/\\]Lib[/\\]"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where in the code: one step of a traceback."""

    file: str
    line: int
    function: str

    @property
    def is_own(self) -> bool:
        """Whether the pipeline's people wrote it, rather than a library's."""
        return not _LIBRARY.search(self.file)


@dataclass(frozen=True, slots=True)
class Part:
    """Some successive lines of a traceback that belong together."""

    kind: Kind
    lines: tuple[str, ...]
    frame: Frame | None = None


def parse(traceback: str) -> tuple[Part, ...]:
    """A traceback's parts in their order; text that is none comes back as one message."""
    return tuple(_parts(traceback.removesuffix("\n").split("\n")))


def _parts(lines: list[str]) -> Iterator[Part]:
    """Each line opens a part by what it is, or continues the one before it."""
    kept: list[str] = []
    kind: Kind = "message"
    frame: Frame | None = None
    indent = 0
    for line in lines:
        found = _FRAME.match(line)
        if found:
            opens: Kind | None = "frame"
        elif _HEADER.match(line):
            opens = "header"
        elif line.strip(" |") in _LINKS:
            opens = "link"
        elif kind == "message" or (kind == "frame" and _continues(line, indent)):
            opens = None
        else:
            opens = "message"
        if opens and kept:
            yield Part(kind, tuple(kept), frame)
            kept = []
        if opens:
            kind, frame = opens, _frame(found)
            indent = len(found["edge"]) if found else 0
        kept.append(line)
    if kept:
        yield Part(kind, tuple(kept), frame)


def _continues(line: str, indent: int) -> bool:
    """Whether a line belongs to the frame above it: its code, the marks under it, or repetitions."""
    return len(line) - len(line.lstrip(" |")) > indent or line.strip().startswith("[Previous line repeated")


def _frame(found: re.Match[str] | None) -> Frame | None:
    return Frame(found["file"], int(found["line"]), found["function"] or "") if found else None


def origin(parts: tuple[Part, ...]) -> Frame | None:
    """Where it happened: the innermost own frame of the exception that was raised last.

    Without an own frame there the exceptions before it are asked, and then any frame will do.
    """
    chains: list[list[Frame]] = [[]]
    for part in parts:
        if part.kind == "link":
            chains.append([])
        elif part.frame is not None:
            chains[-1].append(part.frame)
    for frames in reversed(chains):
        for frame in reversed(frames):
            if frame.is_own:
                return frame
    return next((frames[-1] for frames in reversed(chains) if frames), None)


def headline(parts: tuple[Part, ...]) -> str:
    """The first line of what the last exception says, without the lines drawn around an exception group."""
    messages = [line.strip().removeprefix("| ") for part in parts if part.kind == "message" for line in part.lines[:1]]
    return messages[-1] if messages else ""
