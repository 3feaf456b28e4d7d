"""Wiring only: pollers, what was seen, screens, theme.

Screens but the first are imported when they are opened: the first frame does not wait for them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported, SystemCommand
from textual.binding import Binding
from textual.driver import Driver
from textual.screen import Screen
from textual.widgets import Input

from outflow_core.errors import ConfigError
from outflow_core.faults import PLEASE, fault
from outflow_core.nearest import way_out
from outflow_tui import keys, palette, start, text, themes
from outflow_tui.answering import AnsweringApp
from outflow_tui.format import ASCII, glyphs_for
from outflow_tui.herald import Herald
from outflow_tui.job_control import has_shell, stop_between_reads
from outflow_tui.lookout import Lookout, Watched
from outflow_tui.messages import Seen
from outflow_tui.preferences import Preferences
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.screens.runs import RunsScreen
from outflow_tui.snapshot import Focus

if TYPE_CHECKING:
    from outflow_core.tracebacks import Frame

USUAL_THEME = "textual-dark"
SECONDS = 1.0
"""How often to look, unless somebody says otherwise."""
LONGEST_START = 10.0
"""After how many seconds the start is over, whether or not a source has answered."""
CLOCK_TICKS = 10
"""After how many ticks of the poller ages are told anew; nothing is written when no run goes on."""


class OutflowApp(AnsweringApp):
    """The monitor."""

    CSS_PATH = "styles/outflow.tcss"
    BINDINGS = keys.APP
    TITLE = "outflow-tui"

    def __init__(
        self,
        sources: Sequence[Watched],
        *,
        seconds: float | None = None,
        clock: Callable[[], datetime] = datetime.now,
        preferences: Preferences | None = None,
    ) -> None:
        is_plain = themes.wants_plain_colours(os.environ)
        super().__init__(ansi_color=True if is_plain else None)
        self.animation_level = "none"
        self.clock = clock
        self.glyphs = glyphs_for()
        self.set_class(self.glyphs is ASCII, "-ascii")
        self.is_paused = False
        self.libraries = False
        likes = preferences or Preferences()
        self._seconds = seconds or likes.every or SECONDS
        self._lookout = Lookout(sources, self.post_message, seconds=self._seconds, clock=clock)
        self.set_reactive(OutflowApp.seen, self._lookout.latest)
        self._herald = Herald(self)
        self.keymap = likes.keymap
        self.set_keymap(dict(likes.keymap))
        self._dress(likes, is_plain)

    def _dress(self, likes: Preferences, is_plain: bool) -> None:
        """Put on the theme that the user likes, unless the terminal's own colours are to be left alone."""
        for theme in themes.OWN:
            self.register_theme(theme)
        wanted = likes.theme or self.theme or USUAL_THEME
        found = self.get_theme(wanted)
        if found is None:
            where = f"{likes.path}: theme" if likes.theme else "TEXTUAL_THEME"
            raise ConfigError(f"{where}: unknown {wanted!r}; {way_out(wanted, sorted(self.available_themes))}")
        self.theme = "ansi-dark" if is_plain else found.name

    def get_css_variables(self) -> dict[str, str]:
        """Textual's colours, and ours for words."""
        variables = super().get_css_variables()
        return variables | themes.inks(variables, dark=self.current_theme.dark)

    def get_driver_class(self) -> type[Driver]:
        """What writes to the terminal: only the cells that differ."""
        from outflow_tui.driver import instead_of

        return instead_of(super().get_driver_class())

    def get_default_screen(self) -> RunsScreen:
        """The runs are home; another screen below them would be laid out and drawn first."""
        home = RunsScreen(self.glyphs, self._lookout.names)
        self.hand_on(home)
        return home

    def on_ready(self) -> None:
        """Begin to ask when the first frame stands."""
        self._start()

    def _start(self) -> None:
        self._lookout.start()
        self.set_timer(LONGEST_START, start.over)
        self.set_interval(CLOCK_TICKS * self._seconds, self._let_time_pass)
        if not self.is_headless:
            stop_between_reads()

    def _let_time_pass(self) -> None:
        """Tell ages anew: a run that goes on grows older, or falls silent, without a change in the books."""
        if not self.is_paused and any(not line.row.state.is_final for seen in self.seen for line in seen.runs):
            self._show_again()

    def leave(self) -> None:
        """End, asked for by another thread; the sources are closed even if the screen hangs."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.exit)
        self._lookout.stop()

    def on_resize(self) -> None:
        """Draw everything anew: a terminal that was smaller for a moment has lost what Textual believes is there."""
        self.refresh()

    def on_unmount(self) -> None:
        """Leave no thread, no connection and no title behind."""
        self._herald.leave()
        self._lookout.stop()

    def on_seen(self, message: Seen) -> None:
        """Keep what one source answered, and show it unless the view is held still."""
        self._lookout.take(message)
        if not self.is_paused:
            self.seen = self._lookout.latest
        self._herald.tell(self._lookout.latest)
        if start.is_on():
            self.call_after_refresh(start.over)

    def notify(self, message: str, **how: Any) -> None:
        """Tell something in a corner for a while; it is text, whatever stands in it."""
        super().notify(text.clean(message), **(how | {"markup": False}))

    def _fatal_error(self) -> None:
        """End with a sentence: Textual would print what stood in every variable, passwords too."""
        from rich.text import Text

        error = sys.exc_info()[1] or self._exception
        said = f"{fault(error)}. {PLEASE}." if error is not None else f"{PLEASE}."
        self._exit_renderables.append(Text(f"outflow-tui: {said}"))
        self._close_messages_no_wait()

    def write_to_terminal(self, sequence: str) -> None:
        """Send what is not drawn: a title, a bell."""
        if self._driver is not None:
            self._driver.write(sequence)

    def wait_for(self, place: int, run_id: int) -> bool:
        """Tell when this run ends, or not any more; whether it will be told."""
        return self._herald.wait_for((place, run_id))

    def refocus(self, screen: BooksScreen | None = None) -> None:
        """Have every source looked at as the screen on top wants it."""
        top = screen or self.screen
        self._lookout.look_at(top.wants if isinstance(top, BooksScreen) else lambda _place: Focus())

    def edit(self, frame: Frame) -> None:
        """Open the file of a frame in the user's editor; what prevents it is said in words."""
        from outflow_tui.editor import EditorError, editor_command

        try:
            command = editor_command(frame, os.environ)
            trouble = self._run_editor(command)
        except (EditorError, SuspendNotSupported) as error:
            trouble = str(error) if isinstance(error, EditorError) else "This terminal cannot be given to an editor."
        if trouble:
            self.notify(trouble, markup=False, severity="warning", timeout=6)

    def _run_editor(self, command: Sequence[str]) -> str:
        """Give the terminal to an editor; afterwards show what came in meanwhile."""
        from outflow_tui.editor import run_editor

        with self._lookout.holding(), self.suspend():
            return run_editor(command)

    def get_key_display(self, binding: Binding) -> str:
        """A key as the footer shows it, by its name where its sign is not ASCII."""
        shown = super().get_key_display(binding)
        return shown if shown.isascii() else binding.key

    def action_command_palette(self) -> None:
        """Everything by name; the cursor there does not blink, for that would be written for ever."""
        super().action_command_palette()
        self.call_later(self._hold_cursor_still)

    def _hold_cursor_still(self) -> None:
        for field in self.screen.query(Input):
            field.cursor_blink = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Frames of libraries can be shown where the screen on top has a traceback."""
        if action == "libraries" and self.screen_stack:
            return self.screen.check_action(action, parameters)
        return super().check_action(action, parameters)

    def action_suspend_process(self) -> None:
        """Stop, with the programs of the same line in the shell; `fg` goes on."""
        if self._driver is not None and self._driver.can_suspend and has_shell():
            os.kill(0, signal.SIGTSTP)
        else:
            self.notify("No shell waits for this program: it could not be brought back.", timeout=3)

    def action_read_now(self) -> None:
        """Ask every source now."""
        self._lookout.nudge()

    def action_redraw(self) -> None:
        """Draw everything anew, over whatever else was written to the terminal."""
        self.refresh()

    def action_pause(self) -> None:
        """Hold the view still, or go on with what came in meanwhile."""
        self.is_paused = not self.is_paused
        if not self.is_paused:
            self.seen = self._lookout.latest
        self._show_again()

    def action_libraries(self) -> None:
        """Show the frames of libraries in full, or fold them."""
        self.libraries = not self.libraries
        self._show_again()

    def _show_again(self) -> None:
        if isinstance(self.screen, BooksScreen):
            self.screen.show_again()

    def get_system_commands(self, screen: Screen[Any]) -> Any:
        """The palette: what the keys of this screen do, in words, and the program's own."""
        yield from palette.commands(screen, self.keymap, self._runner)
        yield SystemCommand("Choose other colours", "themes", self.action_change_theme)

    def _runner(self, action: str) -> Callable[[], Any]:
        async def run() -> None:
            await self.run_action(action, default_namespace=self.screen)

        return run
