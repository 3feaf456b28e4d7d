"""The keys, made from the one table of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from outflow_tui import keys
from outflow_tui.lines import Line
from outflow_tui.screens.reading_screen import ReadingScreen


class HelpScreen(ReadingScreen):
    """The keys of the screen below first, then those of the others."""

    BINDINGS = keys.HELP

    def __init__(self, first: str, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._first = first
        self._keymap = keymap

    def on_mount(self) -> None:
        self.text.show(tuple(help_lines(self._first, self._keymap)))
        super().on_mount()

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return "keys"

    def show_seen(self) -> None:
        """Only the title: keys do not change."""
        self.headline("keys")


def help_lines(first: str, keymap: Mapping[str, str] = MappingProxyType({})) -> Iterator[Line]:
    """All tables of keys, one of them first; `keymap` holds the user's own keys."""
    names = [first, "Everywhere", *(name for name in keys.SCREENS if name not in (first, "Everywhere"))]
    for name in names:
        yield Line((name,), ((name, "strong"),))
        for table in keys.SCREENS[name]:
            for pressed, what in keys.described(table, keymap):
                yield Line((name, pressed), ((f"  {pressed:<26}", "changed"), (what, "")))
        yield Line((name, "end"), ())
