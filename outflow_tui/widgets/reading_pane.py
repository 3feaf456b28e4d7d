"""A text to read, and below it the line in which something is looked for in it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from outflow_core.tracebacks import Frame
from outflow_tui import keys
from outflow_tui.lines import Line
from outflow_tui.search import Haystack, Search, search
from outflow_tui.widgets.search_bar import SearchBar
from outflow_tui.widgets.text_lines import TextLines


class ReadingPane(Vertical):
    """Lines and a search through them, which goes on when other lines are shown."""

    BINDINGS = keys.SEARCHING

    class Ended(Message):
        """The search is over."""

    def __init__(self, lines: TextLines, *, id: str) -> None:
        super().__init__(id=id)
        self.lines = lines
        self.hidden_words = ""
        """What else to say when nothing is found: that something is folded away, and how to see it."""
        self._bar = SearchBar()
        self._haystack: Haystack | None = None
        self._origin: tuple[Hashable, int, int] = (None, 0, 0)

    def compose(self) -> ComposeResult:
        yield self.lines
        yield self._bar

    @property
    def width(self) -> int:
        """How many cells a line has."""
        return self.lines.size.width

    @property
    def frame(self) -> Frame | None:
        """The place in the code under the cursor."""
        line = self.lines.cursor_item
        return line.frame if line is not None else None

    @property
    def is_typing(self) -> bool:
        """Whether keys are letters of what is sought."""
        return self._bar.is_typing

    @property
    def is_searching(self) -> bool:
        """Whether something is sought, or is being typed."""
        return self.lines.search is not None or self.is_typing

    def show(self, lines: Sequence[Line], *, from_top: bool = False) -> None:
        """Show these lines, perhaps from the first one on; what is sought is sought in them from now on."""
        before = self.lines.everything
        self.lines.show(lines)
        if from_top:
            self.lines.go_to(0)
            self.lines.scroll_lines_to(0)
        if self.lines.everything is before:
            return
        self._haystack = None
        if self.lines.search is not None:
            last, found = self.lines.search, self._seek(self.lines.search.wanted)
            is_same_text = not from_top and len(found.found) == len(last.found)  # in other lines
            found = replace(found, at=last.at) if is_same_text else found.on_line(self._line())
            self.lines.mark(found)
            self._say(found)

    def _seek(self, wanted: str) -> Search:
        if self._haystack is None or self._haystack.lines is not self.lines.everything:
            self._haystack = Haystack(self.lines.everything)
        return search(wanted, self._haystack)

    def _line(self) -> int:
        """The line of the cursor among all lines."""
        if self._haystack is None:
            self._haystack = Haystack(self.lines.everything)
        return self._haystack.places.get(self.lines.cursor_key, 0)

    def _say(self, found: Search) -> None:
        more = f"; {self.hidden_words}" if self.hidden_words and not found.found else ""
        self._bar.say(found.words() + more)

    def begin_search(self) -> None:
        """Begin to type what to look for."""
        if not self.is_typing:
            top = self.lines.scroll_offset.y
            self._origin = (self.lines.cursor_key, self.lines.cursor - top, self.lines.shift)
        self._bar.begin()
        self.screen.refresh_bindings()

    def on_search_bar_typed(self, typed: SearchBar.Typed) -> None:
        """Find it as it is typed."""
        typed.stop()
        if self.is_typing:  # mail about it can be late
            self._find(typed.wanted)

    def _find(self, wanted: str) -> None:
        """Find a text from where the typing began."""
        if self.lines.search is not None and wanted == self.lines.search.wanted:
            return
        self._go_back()
        if wanted:
            self._go(self._seek(wanted).from_line(self._line()))
        else:
            self.lines.mark(None)
            self._bar.say("")

    def _go(self, found: Search) -> None:
        self.lines.mark(found)
        self.lines.reveal_match()
        self._say(found)

    def _go_back(self) -> None:
        key, below_top, self.lines.shift = self._origin
        self.lines.go_to_key(key)
        self.lines.scroll_lines_to(self.lines.cursor - below_top)

    def on_search_bar_kept(self, kept: SearchBar.Kept) -> None:
        """Back to the text, with what was found marked; nothing typed is nothing sought."""
        kept.stop()
        if kept.wanted:
            self._find(kept.wanted)
        if self.lines.search is None:
            self.action_end_search()
            return
        self._bar.show_wanted(self.lines.search.wanted)
        self._say(self.lines.search)
        self.screen.set_focus(self.lines, scroll_visible=False)
        self.screen.refresh_bindings()

    def on_descendant_blur(self) -> None:
        """The line is not left open when the user goes elsewhere before he typed anything."""
        if not self.is_searching:
            self._bar.close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """These keys are the pane's while something is sought; else they are free for others."""
        return self.is_searching if action in ("match", "end_search") else True

    def action_match(self, step: int) -> None:
        """To the next or previous match."""
        if self.lines.search is not None:
            self._go(self.lines.search.step(step, self._line()))

    def action_end_search(self) -> None:
        """Nothing is sought any more; while it was being typed: back to where that began."""
        if self.is_typing:
            self._go_back()
        self.lines.mark(None)
        self._bar.close()
        self.screen.set_focus(self.lines, scroll_visible=False)
        self.screen.refresh_bindings()
        self.post_message(self.Ended())
