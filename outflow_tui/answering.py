"""Keys are answered one by one, in the order in which they were typed; what they do is said elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from textual import events
from textual.widgets import Input

from outflow_tui.desk import DeskApp
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.widgets.typing_line import TypingLine


class AnsweringApp(DeskApp):
    """The app as keys meet it: the next one is looked at when the one before has been answered."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._typed: deque[events.Key] = deque()
        """The keys that the screen on top was not ready for yet."""
        self._goes_on = False
        """Whether the next of them is about to be answered."""

    async def on_event(self, event: events.Event) -> None:
        """A key is answered when all before it are: on the way through widgets others would overtake it."""
        if isinstance(event, events.Key) and not event.is_forwarded and not self._is_free(event.key):
            self.app_focus = True
            self._typed.append(event)
            self._go_on()
        else:
            await super().on_event(event)

    def _is_free(self, key: str) -> bool:
        """Whether the app itself answers a key, whatever is on the screen."""
        return any(binding.priority for binding in self._bindings.key_to_bindings.get(key, ()))

    def take(self, kept: Iterable[events.Key] = ()) -> None:
        """Answer keys that a screen has kept, and then what was typed since."""
        self._typed.extendleft(reversed([*kept]))
        self._go_on()

    def _go_on(self) -> None:
        """Answer the next key behind what the one before has left to be done: a screen that is closed opens another."""
        if self._typed and not self._goes_on:
            self._goes_on = True
            self.call_next(self._answer_next)

    async def _answer_next(self) -> None:
        self._goes_on = False
        if self._typed and self._is_ready:
            await self._answer(self._typed.popleft())
            self._go_on()

    @property
    def _is_ready(self) -> bool:
        return not isinstance(self.screen, BooksScreen) or self.screen.is_ready

    async def _answer(self, event: events.Key) -> None:
        """Have a key answered by our own screens, now or when there is what it is for; by others as Textual does it."""
        focused, screen = self.focused, self.screen
        if isinstance(focused, TypingLine) and event.character and event.is_printable:
            focused.insert_letter(event.character)
        elif isinstance(screen, BooksScreen) and (isinstance(focused, TypingLine) or not isinstance(focused, Input)):
            screen._clear_tooltip()
            if not screen.keeps(event):
                await screen.handle_key(event)
                await self._do(event.key)
        else:
            await super().on_event(event)

    async def on_key(self, event: events.Key) -> None:
        """What others did not take: a letter for the field that has the focus by now, or a key that means something."""
        event.stop()
        event.prevent_default()
        if isinstance(self.focused, Input) and event.is_printable:
            self.focused.post_message(events.Key(event.key, event.character))
        elif self._is_ready:
            await self._do(event.key)

    async def _do(self, key: str) -> None:
        """Do what a key means on the screen on top; say so when that is not possible now."""
        if await self._check_bindings(key, priority=True) or await self._check_bindings(key):
            return
        active = self.screen.active_bindings.get(key)
        if active is not None and not active.enabled:
            self.notify(f"Not possible here: {active.binding.tooltip}.", markup=False, timeout=3)
