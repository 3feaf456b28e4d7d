"""One block on the whole screen: the traceback to read, and to walk on to the next one."""

from __future__ import annotations

from typing import Any, Protocol

from outflow_core.rows import BlockDetail
from outflow_core.tracebacks import Frame
from outflow_core.tries import Try
from outflow_tui import keys, reports
from outflow_tui.screens.reading_screen import ReadingScreen
from outflow_tui.snapshot import Focus
from outflow_tui.widgets.block_pane import BlockPane

_OF_THE_RUN = ("neighbour", "edit", "report", "copy", "libraries")
"""What the screen of the run does for this one, or knows to make sense."""


class Walk(Protocol):
    """Where the blocks come from: the screen of the run, which goes on to the next failure."""

    @property
    def detail(self) -> BlockDetail | None:
        """The block to show, once it has been read."""

    @property
    def tried(self) -> Try | None:
        """Which try the block is, of a task that was tried more than once."""

    @property
    def place_in_code(self) -> Frame | None:
        """Where the block failed."""

    def name_of(self, block_id: int) -> str:
        """The name of a block of the same run."""

    def wants(self, place: int) -> Focus:
        """What has to be looked at for it."""

    def action_failure(self, step: int) -> None:
        """To the next or previous failed task."""

    def action_neighbour(self, step: int) -> None:
        """Upstream or downstream along the edges."""

    def action_report(self, to: str) -> None:
        """Make a failure report."""

    def report_when_read(self) -> None:
        """Make the report that is wanted, if there is one, once everything of it has been read."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether one of these makes sense now."""


class TracebackScreen(ReadingScreen):
    """The block that is selected in the run below."""

    BINDINGS = keys.TRACEBACK
    HELP = "Traceback"
    OF_WHAT_COMES = ReadingScreen.OF_WHAT_COMES | {"neighbour", "copy", "report", "edit"}

    def __init__(self, walk: Walk) -> None:
        self._block = BlockPane(id="text")
        super().__init__(self._block)
        self._walk = walk

    def wants(self, place: int) -> Focus:
        """The same as the run below."""
        return self._walk.wants(place)

    @property
    def file_name(self) -> str:
        """How a file is called into which this screen is saved."""
        detail = self._walk.detail
        return f"run-{detail.run_id}-{detail.block.type.value}-{detail.block.id}" if detail else "block"

    def plain_value(self) -> Any:
        """The block with its exception."""
        detail = self._walk.detail
        return reports.block_object(detail) if detail else None

    def show_seen(self) -> None:
        """The block, laid out for this window."""
        detail = self._walk.detail
        if detail is None:
            self.headline("reading ...")
            return
        self.headline(f"run {detail.run_id}  {detail.block.type.value} {detail.block.id}  {detail.block.name}")
        desk = self.desk
        self._walk.report_when_read()
        if self._block.show_block(
            detail,
            desk.glyphs,
            libraries=desk.libraries,
            now=desk.clock(),
            name_of=self._walk.name_of,
            tried=self._walk.tried,
        ):
            self.refresh_bindings()

    def action_failure(self, step: int) -> None:
        """To the next or previous failed task."""
        self._walk.action_failure(step)
        self.desk.refocus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is greyed."""
        if action in _OF_THE_RUN:
            return self._walk.check_action(action, parameters)
        return super().check_action(action, parameters)

    def action_neighbour(self, step: int) -> None:
        """Upstream or downstream along the edges."""
        self._walk.action_neighbour(step)
        self.desk.refocus()

    def action_report(self, to: str) -> None:
        """A failure report, to paste (`copy`) or as a file (`save`)."""
        self._walk.action_report(to)

    def action_edit(self) -> None:
        """Open the frame under the cursor, or else the one where it failed, in the user's editor."""
        frame = self.text.frame or self._walk.place_in_code
        if frame is not None:
            self.desk.edit(frame)

    def action_copy(self) -> None:
        """Copy the traceback by OSC 52."""
        self.copy_detail(self._walk.detail)
