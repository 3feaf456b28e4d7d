"""The palette: what the keys of a screen do, in words, as far as it makes sense now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from textual.actions import parse
from textual.app import SystemCommand
from textual.screen import Screen

from outflow_tui import keys
from outflow_tui.screens.books_screen import BooksScreen


def commands(
    screen: Screen[Any], keymap: Mapping[str, str], runner: Callable[[str], Callable[[], Any]]
) -> Iterator[SystemCommand]:
    """The commands of the screen on top, then the program's own; `runner` makes of an action what does it."""
    said = set()
    for table in (keys.SCREENS[keys_of(screen)][0], keys.APP):
        for binding in keys.bindings(table):
            if binding.tooltip in said or not _is_possible(binding.action, screen):
                continue
            said.add(binding.tooltip)
            pressed = f"key {keys.shown(keymap.get(binding.id or '', binding.key))}"
            yield SystemCommand(binding.tooltip, pressed, runner(binding.action))


def keys_of(screen: Screen[Any]) -> str:
    """What the table of keys calls a screen."""
    return screen.HELP if isinstance(screen, BooksScreen) else "Everywhere"


def _is_possible(action: str, screen: Screen[Any]) -> bool:
    """Whether an action of the screen makes sense now; those of the app always do."""
    namespace, name, parameters = parse(action)
    return bool(namespace or screen.check_action(name, parameters))
