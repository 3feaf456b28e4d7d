"""The line on top of a screen, lines of words below it, and the line that says what is wrong."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from outflow_tui import text


class Title(Widget):
    """What is shown at the left, what the data is worth at the right."""

    def __init__(self) -> None:
        super().__init__()
        self._left = self._right = ""

    def say(self, left: str, right: str) -> None:
        """Show these words; the same ones cost nothing."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def words(self) -> str:
        """What is shown at the left, clean."""
        return text.clean(self._left)

    def render(self) -> Content:
        """Both sides on one line; the left one gives way."""
        right = text.clean(self._right)
        room = max(self.size.width - cell_len(right) - 4, 0)
        ellipsis = "~" if self.app.has_class("-ascii") else "…"
        return Content(f" {text.fit(text.clean(self._left), room, ellipsis=ellipsis)}  {right} ")


class Words(Widget):
    """Some words of ours; the same ones again cost nothing."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._words = ""

    def say(self, words: str) -> None:
        """Show these words."""
        if words != self._words:
            self._words = words
            self.refresh()

    def render(self) -> Content:
        """The words, which may hold foreign ones."""
        return Content(text.clean(self._words))


class Paragraph(Words):
    """Some lines of words, each cut by whoever made it."""

    def render(self) -> Content:
        """The lines, which may hold foreign words."""
        return Content("\n".join(f" {text.clean(line)}" for line in self._words.split("\n")))


class Notice(Widget):
    """A sentence that needs to be read; takes no room when there is none."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words = ""

    def say(self, words: str) -> None:
        """Show a sentence, or '' for none."""
        if words != self._words:
            self._words = words
            self.set_class(bool(words), "-shown")
            self.refresh(layout=True)

    def render(self) -> Content:
        """The sentence, on as many lines as it needs."""
        return Content("\n".join(text.clean(line) for line in self._words.split("\n")))
