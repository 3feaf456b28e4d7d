"""The app as its screens know it: puts other screens on top, which are imported only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual.app import App
from textual.reactive import var

from outflow_tui import palette
from outflow_tui.format import Glyphs
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.snapshot import Snapshot

SCREENS_STYLE = Path(__file__).with_name("styles") / "screens.tcss"
"""How screens look that home has no use for; the first frame would wait until it is parsed."""


class DeskApp(App[None]):
    """Opens screens over what was seen; a subclass sees to that, and to what else they ask for (`Desk`)."""

    seen: var[tuple[Snapshot, ...]] = var((), init=False)
    glyphs: Glyphs
    keymap: Mapping[str, str]

    def show(self, screen: BooksScreen, then: Callable[[int | None], Any] | None = None) -> None:
        """Put a screen on top, and look at what it wants to know."""
        self.hand_on(screen)
        if not self.stylesheet.has_source(str(SCREENS_STYLE)):
            self.stylesheet.read(SCREENS_STYLE)
        self.push_screen(screen, self._and_refocus(then))
        self.refocus(screen)

    def hand_on(self, screen: BooksScreen) -> None:
        """Have a screen know what was seen until now; `watch_seen` tells it from now on."""
        screen.set_reactive(BooksScreen.seen, self.seen)

    def watch_seen(self) -> None:
        """Have every screen know what came in; one that is bound to it would be held, when closed, until it changes."""
        for screen in self.screen_stack:
            if isinstance(screen, BooksScreen):
                screen.seen = self.seen

    def _and_refocus(self, then: Callable[[int | None], Any] | None) -> Callable[[int | None], None]:
        def closed(answer: int | None) -> None:
            if then is not None:
                then(answer)
            self.refocus()

        return closed

    def refocus(self, screen: BooksScreen | None = None) -> None:
        """Have every source looked at as the screen on top wants it."""
        raise NotImplementedError

    def open_run(self, place: int, run_id: int, block_id: int | None = None) -> None:
        """Show one run, perhaps at a block."""
        from outflow_tui.screens.run import RunScreen

        self.show(RunScreen(self.glyphs, place, run_id, block_id))

    def open_configuration(self, place: int, run_id: int, at: tuple[str, str] | None = None) -> None:
        """Show the configuration of one run, perhaps at a section and a path in it."""
        from outflow_tui.screens.configuration import ConfigurationScreen

        self.show(ConfigurationScreen(self.glyphs, place, run_id, at))

    def open_diff(self, old: tuple[int, int], new: tuple[int, int]) -> None:
        """Compare the configurations of two runs."""
        from outflow_tui.screens.config_diff import ConfigDiffScreen

        self.show(ConfigDiffScreen(old, new))

    def open_table(self, runs: Sequence[tuple[int, int]]) -> None:
        """Put the configurations of several runs side by side."""
        from outflow_tui.screens.config_table import ConfigTableScreen

        self.show(ConfigTableScreen(runs))

    def action_help(self) -> None:
        """Show the keys of the screen on top."""
        from outflow_tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.show(HelpScreen(palette.keys_of(self.screen), self.keymap))

    async def action_back(self) -> None:
        """Close the screen on top; home stays."""
        if len(self.screen_stack) > 1:
            self.screen.dismiss(None)

    def action_search_books(self) -> None:
        """Search everything in the books, from wherever the user is."""
        from outflow_tui.screens.search_books import SearchBooksScreen

        if isinstance(self.screen, SearchBooksScreen):
            self.screen.action_type()
        elif isinstance(self.screen, BooksScreen):
            self.show(SearchBooksScreen(self.glyphs, several=len(self.seen) > 1))

    def action_save_as(self) -> None:
        """Choose as what to save the screen on top."""
        from outflow_tui.screens.save import SaveScreen

        if isinstance(self.screen, BooksScreen) and not isinstance(self.screen, SaveScreen):
            self.show(SaveScreen(self.screen, self.keymap))
