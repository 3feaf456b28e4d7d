"""The line below a text in which is typed what to look for, and which says what was found."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from outflow_tui import text
from outflow_tui.widgets.typing_line import TypingLine


class Said(Widget):
    """Some words, as wide as they are."""

    def __init__(self, words: str = "", *, id: str) -> None:
        super().__init__(id=id)
        self.words = words

    def say(self, words: str) -> None:
        """Show these words."""
        if words != self.words:
            self.words = words
            self.refresh(layout=True)

    def render(self) -> Content:
        """The words, which are ours."""
        return Content(self.words)


class SearchBar(Horizontal):
    """What is sought at the left, what was found at the right."""

    @dataclass
    class Typed(Message):
        """The user wants to find this text."""

        wanted: str

    @dataclass
    class Kept(Message):
        """The user has typed what he wanted; '' for what was wanted before."""

        wanted: str

    def __init__(self) -> None:
        super().__init__()
        self._input = TypingLine()
        self._found = Said(id="found")
        self.display = False

    def compose(self) -> ComposeResult:
        yield Said("/", id="slash")
        yield self._input
        yield self._found

    @property
    def is_typing(self) -> bool:
        """Whether keys go into the line."""
        return self._input.is_attached and self.screen.focused is self._input

    def begin(self) -> None:
        """Begin to type, with nothing."""
        self.display = True
        self.say("enter keeps, esc ends")
        self._input.begin()

    def say(self, found: str) -> None:
        """Say what was found."""
        self._found.say(found)

    def show_wanted(self, wanted: str) -> None:
        """Show what is sought, when it was typed before."""
        if wanted != self._input.value:
            with self.prevent(Input.Changed):
                self._input.value = wanted

    def close(self) -> None:
        """Give the line back to the text."""
        self.display = False

    def on_input_changed(self, changed: Input.Changed) -> None:
        """What is typed or pasted is sought as it is shown."""
        changed.stop()
        wanted = text.clean(changed.value)
        if wanted != changed.value:
            self._input.value = wanted
        else:
            self.post_message(self.Typed(wanted))

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        """It is typed to its end."""
        submitted.stop()
        self.post_message(self.Kept(text.clean(submitted.value)))
