"""As what to save the screen below; each way by one key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from outflow_tui import keys
from outflow_tui.documents import Document
from outflow_tui.lines import Line
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.screens.reading_screen import ReadingScreen
from outflow_tui.snapshot import Focus

_WAYS = {"txt": Document.as_text, "md": Document.as_markdown, "json": Document.as_json}
_FONT_ADDRESS = re.compile(r",\s*url\([^)]*\) format\([^)]*\)")


class SaveScreen(ReadingScreen):
    """The ways to save a screen, into the current directory."""

    BINDINGS = keys.SAVE
    HELP = "Save"

    def __init__(self, saved: BooksScreen, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._saved = saved
        self._keymap = keymap

    def wants(self, place: int) -> Focus:
        """The same as the screen below."""
        return self._saved.wants(place)

    def show_seen(self) -> None:
        """The ways, with their keys."""
        self.headline(f"save {self._saved.file_name} into {_here()}")
        self.text.show(tuple(self._lines()))

    def _lines(self) -> Iterator[Line]:
        for binding in keys.bindings(keys.SAVE):
            if binding.action.startswith("save"):
                way = binding.action.partition("'")[2].partition("'")[0]
                key = self._keymap.get(binding.id or "", binding.key)
                is_possible = self.check_action("save", (way,))
                words = binding.tooltip if is_possible else f"{binding.tooltip} (here is none)"
                yield Line(way, ((f"  {keys.shown(key)}  ", "changed"), (words, "" if is_possible else "dim")))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A failure report is made of a failure only."""
        if action == "save" and parameters == ("report",):
            can_report = hasattr(self._saved, "action_report") and self._saved.check_action("report", ("save",))
            return True if can_report else None
        return super().check_action(action, parameters)

    def action_choose(self) -> None:
        """Save in the way under the cursor."""
        way = str(self.text.lines.cursor_key)
        if self.check_action("save", (way,)):
            self.action_save(way)

    def action_save(self, way: str) -> None:
        """Close, and save the screen that was below."""
        self.dismiss(None)
        self.app.call_after_refresh(_save, self._saved, way)


async def _save(screen: BooksScreen, way: str) -> None:
    if way == "report":
        await screen.run_action("report('save')")
    elif way == "svg":
        # The picture fetches nothing: a font that is not there is replaced by another one.
        picture = screen.app.export_screenshot(title=screen.app.title)
        screen.write_file(screen.file_name, "svg", _FONT_ADDRESS.sub("", picture))
    else:
        document = screen.document()
        screen.write_file(document.name, way, _WAYS[way](document))


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "a directory that is gone"
