"""The keys of the screen on one line; a click on one presses it. Textual's footer is a widget for each key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from outflow_tui.widgets.looks import look_of


class KeyLabel(NamedTuple):
    """One key as it is shown; what is not `possible` now is greyed."""

    key: str
    shown: str
    label: str
    tooltip: str
    possible: bool

    @property
    def width(self) -> int:
        """How many cells it takes, with the one behind it."""
        return cell_len(self.shown) + 1 + cell_len(self.label) + 1


class KeyBar(Widget):
    """What can be done here: what makes no sense now is greyed, what does not fit is cut off."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._labels: tuple[KeyLabel, ...] | None = None
        self._looks: dict[str, Style] = {}
        self._is_asking = False

    @property
    def labels(self) -> tuple[KeyLabel, ...]:
        """The keys that are shown."""
        if self._labels is None:
            self._labels = tuple(self._read_labels())
        return self._labels

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._ask)

    def _ask(self, _screen: Screen[Any]) -> None:
        """Look for other keys when all is said: several widgets may change them in one go."""
        if self.app.app_focus and not self._is_asking:
            self._is_asking = self.call_after_refresh(self._show_labels)

    def _show_labels(self) -> None:
        self._is_asking = False
        if not (self.is_attached and self.screen.is_current):  # it is closed, or the program ends
            return
        labels = tuple(self._read_labels())
        if labels != self._labels:
            self._labels = labels
            self.refresh()

    def _read_labels(self) -> Iterator[KeyLabel]:
        """The first key of each action that is not hidden."""
        told = set()
        for _, binding, possible, tooltip in self.screen.active_bindings.values():
            if binding.show and binding.action not in told:
                told.add(binding.action)
                shown = self.app.get_key_display(binding)
                yield KeyLabel(binding.key, shown, binding.description, tooltip, possible)

    def render(self) -> Content:
        """The keys, each with its label behind it."""
        pieces: list[tuple[str, str | Style]] = []
        for item in self.labels:
            off = "" if item.possible else "-off"
            pieces += [(item.shown, self._look(f"key{off}")), (f" {item.label}", self._look(f"label{off}")), (" ", "")]
        return Content.assemble(*pieces)

    def _look(self, name: str) -> Style:
        if name not in self._looks:
            self._looks[name] = Style.from_styles(look_of(self, f"key-bar--{name}"))
        return self._looks[name]

    def notify_style_update(self) -> None:
        """Forget the old looks."""
        super().notify_style_update()
        self._looks.clear()

    def _at(self, x: int) -> KeyLabel | None:
        """What stands at a column."""
        end = 0
        for item in self.labels:
            end += item.width
            if x < end:
                return item if x < end - 1 else None
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        item = self._at(event.x)
        tooltip = item.tooltip if item is not None else None
        if tooltip != self.tooltip:
            self.tooltip = tooltip

    def on_mouse_down(self, event: events.MouseDown) -> None:
        item = self._at(event.x)
        if item is None:
            return
        if item.possible:
            self.app.simulate_key(item.key)
        else:
            self.app.bell()
