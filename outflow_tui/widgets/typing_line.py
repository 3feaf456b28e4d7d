"""A line in which is typed, until the enter key."""

from __future__ import annotations

from textual.widgets import Input


class TypingLine(Input):
    """Its cursor does not blink, for that would be written for ever."""

    cursor_blink = False
    is_over = False
    """Whether the enter key was typed: what comes behind it is for those who are told of it, once they have been."""

    def __init__(self, placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False)

    def begin(self, words: str = "") -> None:
        """Begin to type, with these words."""
        with self.prevent(Input.Changed):
            self.value = words
        self.screen.set_focus(self, scroll_visible=False)  # at once: the next key is meant for it already

    def insert_letter(self, letter: str) -> None:
        """Type a letter where the cursor is, or over what is selected."""
        self.replace(letter, *self.selection)

    async def action_submit(self) -> None:
        """Tell what was typed."""
        self.is_over = True
        await super().action_submit()
