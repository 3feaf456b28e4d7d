"""What is on a screen, to be kept outside of it: as text, Markdown or JSON; pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from outflow_tui.markdown import code, fenced


class Document(NamedTuple):
    """What a screen shows: how a file of it is called, its title and lines, and the same as plain objects."""

    name: str
    title: str
    lines: tuple[str, ...]
    value: Any
    seen: str = ""
    """When it was seen, in words: times of that day are told without it."""

    def as_text(self) -> str:
        """The title and the lines."""
        return "\n".join([self.title.rstrip(), self.seen, "", *self.lines]).rstrip() + "\n"

    def as_markdown(self) -> str:
        """The title, and the lines as code."""
        return f"### {code(self.title)}\n\n{self.seen}\n\n{fenced(chr(10).join(self.lines))}\n"

    def as_json(self) -> str:
        """The plain objects."""
        from outflow_tui.reports import as_json

        return as_json(self.value) + "\n"
