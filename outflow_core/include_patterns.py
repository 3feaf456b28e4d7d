"""The files that a pattern after `!include` matches; how many entries of folders are looked at is bounded.

`*`, `?` and `[...]` stand for what they stand for in a shell, `**` for any folders; names with a dot
in front are found only by a pattern with one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from outflow_core.errors import ConfigError

MAX_LOOKED_AT: Final = 100_000
_Step = tuple[Path, tuple[str, ...]]


def is_pattern(name: str) -> bool:
    """Whether a name holds what stands for other characters."""
    return any(sign in name for sign in "*?[")


class Search:
    """All that one configuration looks for; links in a circle would be followed for ever."""

    def __init__(self) -> None:
        self._looked_at = 0

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """The files of a pattern relative to a folder, in the order of their names."""
        named = Path(pattern)
        found: set[Path] = set()
        parts = named.parts[1:] if named.anchor else named.parts
        once = (part for part, after in zip(parts, (*parts[1:], ""), strict=True) if not part == after == "**")
        left: list[_Step] = [(folder / named.anchor, tuple(once))]
        while left:
            here, parts = left.pop()
            if parts:
                left += self._steps(here, parts[0], parts[1:])
            else:
                found.add(here)
        return sorted(found, key=str)

    def _steps(self, folder: Path, part: str, rest: tuple[str, ...]) -> Iterator[_Step]:
        if part == "**":
            yield folder, rest or ("*",)
            yield from ((below, (part, *rest)) for below, is_folder in self._entries(folder, "*") if is_folder)
        elif is_pattern(part):
            yield from ((below, rest) for below, is_folder in self._entries(folder, part) if is_folder or not rest)
        elif rest or os.path.lexists(folder / part):
            yield folder / part, rest

    def _entries(self, folder: Path, part: str) -> Iterator[tuple[Path, bool]]:
        """What stands in a folder and matches, and whether it is a folder itself; nothing where one may not look."""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._count(folder)
                    if fnmatchcase(entry.name, part) and (part[0] == "." or entry.name[0] != "."):
                        yield folder / entry.name, Path(entry.path).is_dir()
        except OSError:
            return

    def _count(self, folder: Path) -> None:
        self._looked_at += 1
        if self._looked_at > MAX_LOOKED_AT:
            raise ConfigError(
                f"{folder}: more than {MAX_LOOKED_AT:,} files were looked at; say more closely where they are."
            )
