"""What all screens share: they are given what was seen, and say what they want to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from textual import events
from textual.reactive import var
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from outflow_tui import status, text
from outflow_tui.format import Glyphs
from outflow_tui.screens.early_keys import EarlyKeys
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.widgets.line_view import LineView
from outflow_tui.widgets.title import Notice, Title
from outflow_tui.widgets.typing_line import TypingLine

if TYPE_CHECKING:  # the first frame waits for none of them
    from outflow_core.rows import BlockDetail
    from outflow_core.tracebacks import Frame
    from outflow_tui.documents import Document

PAPER = 120
"""How many cells wide lines are when they are saved, if they are not wider on the screen."""
LONGEST_COPY = 100_000
"""Terminals take no more into their clipboard, and some hang when they are sent more."""

REST_SECONDS = 0.02
"""How long keys rest until what the cursor is on is read."""


class Desk(Protocol):
    """What a screen asks of the app around it."""

    glyphs: Glyphs
    is_paused: bool
    libraries: bool

    def show(self, screen: BooksScreen, then: Callable[[int | None], Any] | None = None) -> None:
        """Put a screen on top; `then` is called with what it was closed with."""

    def refocus(self) -> None:
        """Look at what the screen on top wants to know now."""

    def open_run(self, place: int, run_id: int, block_id: int | None = None) -> None:
        """Show one run, perhaps at a block."""

    def open_configuration(self, place: int, run_id: int, at: tuple[str, str] | None = None) -> None:
        """Show the configuration of one run, perhaps at a section and a path in it."""

    def open_diff(self, old: tuple[int, int], new: tuple[int, int]) -> None:
        """Compare the configurations of two runs, each named by its source's place and its id."""

    def edit(self, frame: Frame) -> None:
        """Open the file of a frame at its line in the user's editor."""

    def open_table(self, runs: Sequence[tuple[int, int]]) -> None:
        """Put the configurations of several runs side by side."""

    def wait_for(self, place: int, run_id: int) -> bool:
        """Tell when this run ends, or not any more; whether it will be told."""

    def action_back(self) -> None:
        """Close the screen on top."""

    def take(self, kept: Iterable[events.Key] = ()) -> None:
        """Answer keys that were kept, and then what was typed since."""

    def clock(self) -> datetime:
        """The time by which ages are told."""


class BooksScreen(Screen[int | None]):
    """A screen over what was seen of every source."""

    HELP: ClassVar[str] = "Everywhere"
    """What the table of keys calls this screen."""

    seen: var[tuple[Snapshot, ...]] = var((), init=False)
    OF_WHAT_COMES: ClassVar[frozenset[str]] = frozenset()
    """The actions that make no sense before that has come which this screen `awaits`."""
    _asking: Timer | None = None

    def __init__(self) -> None:
        super().__init__()
        self._early = EarlyKeys(self.OF_WHAT_COMES)

    @property
    def desk(self) -> Desk:
        """The app, as far as a screen may know it."""
        return cast(Desk, self.app)

    def wants(self, place: int) -> Focus:
        """What this screen wants to know of the source at this place."""
        return Focus()

    def refocus_soon(self) -> None:
        """Look at what this screen wants to know, once the keys rest: what answers them goes first."""
        if self._asking is not None:
            self._asking.stop()
        self._asking = self.set_timer(REST_SECONDS, self.desk.refocus)

    def awaits(self) -> bool:
        """Whether what most keys are for has not come yet."""
        return False

    def _is_away(self) -> bool:
        """Whether a source cannot be read that this screen asks."""
        asked = [snapshot for place, snapshot in enumerate(self.seen) if self.wants(place) != Focus()]
        return any(snapshot.error for snapshot in asked or self.seen)

    def keeps(self, event: events.Key) -> bool:
        """Whether a key is kept, to be answered when there is what it is meant for."""
        return self._early.keep(event, self, awaits=self.awaits() and not self._is_away())

    @property
    def is_ready(self) -> bool:
        """Whether a key has a meaning: everything is there, and a line that was typed to its end has been heard of."""
        return self.is_mounted and not (isinstance(self.focused, TypingLine) and self.focused.is_over)

    def watch_focused(self, before: Widget | None, _focused: Widget | None) -> None:
        """Go on with what was typed behind the end of a line, when that is left."""
        if isinstance(before, TypingLine):
            before.is_over = False
            self.desk.take()

    def on_mount(self) -> None:
        """Show what is known already."""
        self.show_again()

    def watch_seen(self) -> None:
        """Show what came in, unless another screen lies on top: Textual would send that one again for it."""
        if self.app.screen is self:
            self.show_again()

    def on_screen_resume(self) -> None:
        """Show what came in meanwhile."""
        self.show_again()

    def show_again(self) -> None:
        """Show what is known, unless there is nothing to show it on; a screen may be opened as the program ends."""
        if not (self.is_attached and self.query(Title)):
            return
        self.show_seen()
        if self._is_away():
            self._early.give_back()  # who knows when they would be answered
        if self.is_current:
            self.desk.take(() if self.awaits() else self._early.give_back())

    def show_seen(self) -> None:
        """Bring the widgets up to date; cheap when nothing of it changed."""

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        return "screen"

    def plain_value(self) -> Any:
        """What is shown as plain objects; None when the lines are all there is."""
        return None

    def document(self) -> Document:
        """What is shown, to be kept outside of the screen; all lines of it, not only those in the window."""
        from outflow_tui.documents import Document

        views = [view for view in self.query(LineView) if view.display]
        lines = [line for view in views for line in [*view.said(PAPER), ""]]
        value = self.plain_value()
        title = self.query_one(Title).words
        value = {"title": title, "lines": lines} if value is None else value
        return Document(self.file_name, title, tuple(lines), value, f"seen {self.desk.clock():%Y-%m-%d %H:%M:%S}")

    def write_file(self, name: str, ending: str, words: str) -> None:
        """Write a new file into the current directory, and say which one or why not."""
        from outflow_tui.saving import SaveError, save_new

        try:
            path = save_new(name, ending, words)
        except SaveError as error:
            self.notify(str(error), markup=False, severity="warning", timeout=6)
        else:
            self.notify(f"Saved as {path}; only you may read it.", markup=False, timeout=4)

    def switch_to(self, action: str) -> None:
        """Close this screen, and let the one below do something instead."""
        self.dismiss(None)
        self.app.call_next(self.app.run_action, f"screen.{action}")

    def open_what_changed(self, place: int, run_id: int) -> None:
        """Compare a run with the last successful one of its command."""
        line = self.seen[place].line(run_id)
        before = self.seen[place].last_success_before(run_id)
        if before is not None:
            self.desk.open_diff((place, before.row.id), (place, run_id))
        elif line is not None:
            words = f"No run of {text.clean(line.row.command or 'this command')} before {run_id} was successful."
            self.notify(words, markup=False, timeout=3)

    def wait_for(self, place: int, run_id: int) -> None:
        """Have it told when a run ends, or not any more."""
        line = self.seen[place].line(run_id)
        if line is not None and line.row.state.is_final:
            self.notify(f"Run {run_id} is over.", markup=False, timeout=3)
        elif self.desk.wait_for(place, run_id):
            self.notify(f"The terminal will ring when run {run_id} ends.", markup=False, timeout=3)
        else:
            self.notify(f"Run {run_id} will end without a word.", markup=False, timeout=3)

    def copy_detail(self, detail: BlockDetail | None) -> None:
        """Copy a block's traceback, or else its name, to the terminal's clipboard (OSC 52)."""
        if detail is not None:
            self.copy(detail.exception.traceback if detail.exception else detail.block.name)

    def copy(self, words: str) -> None:
        """Copy to the terminal's clipboard (OSC 52): as it is shown, so that nothing in it acts where it is pasted."""
        from outflow_tui.markdown import shortened

        kept = shortened(words.rstrip("\n"), LONGEST_COPY)
        self.app.copy_to_clipboard("\n".join(map(text.clean, kept.split("\n"))))
        self.notify("Copied to the terminal's clipboard, where the terminal allows it.", markup=False, timeout=2)

    def source_words(self, place: int) -> str:
        """The name of a source, where there are several; else nothing."""
        return f"{self.seen[place].source}  " if len(self.seen) > 1 else ""

    def headline(self, words: str) -> None:
        """The title line and the notice below it."""
        desk = self.desk
        self.query_one(Title).say(words, status.standing(self.seen, is_paused=desk.is_paused, now=desk.clock()))
        self.query_one(Notice).say(status.troubles(self.seen, desk.clock()))
