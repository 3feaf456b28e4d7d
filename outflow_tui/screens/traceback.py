"""One block on the whole screen: the traceback to read, and to walk on to the next one."""

from __future__ import annotations

from typing import Protocol

from outflow_core.rows import BlockDetail
from outflow_core.tracebacks import Frame
from outflow_tui import keys
from outflow_tui.detail_lines import LIBRARIES_HIDDEN, DetailLayout
from outflow_tui.screens.reading_screen import ReadingScreen
from outflow_tui.snapshot import Focus

_OF_THE_RUN = ("neighbour", "edit")
"""What the screen of the run does for this one."""


class Walk(Protocol):
    """Where the blocks come from: the screen of the run, which goes on to the next failure."""

    @property
    def detail(self) -> BlockDetail | None:
        """The block to show, once it has been read."""

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether one of these makes sense now."""


class TracebackScreen(ReadingScreen):
    """The block that is selected in the run below."""

    BINDINGS = keys.TRACEBACK

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self._walk = walk
        self._shown: tuple[BlockDetail, int, bool] | None = None

    def wants(self, place: int) -> Focus:
        """The same as the run below."""
        return self._walk.wants(place)

    def show_seen(self) -> None:
        """The block, laid out for this window."""
        detail, width = self._walk.detail, self.text.width
        if detail is None:
            self.headline("reading ...")
            return
        self.headline(f"run {detail.run_id}  {detail.block.type.value} {detail.block.id}  {detail.block.name}")
        wanted = (detail, width, self.desk.libraries)
        if not width or wanted == self._shown:
            return
        is_other = self._shown is None or self._shown[0].block.id != detail.block.id
        self._shown = wanted
        layout = DetailLayout(
            self.desk.glyphs, width, libraries=self.desk.libraries, now=self.desk.clock(), name_of=self._walk.name_of
        )
        self.text.hidden_words = "" if self.desk.libraries else LIBRARIES_HIDDEN
        self.text.show(layout.lines(detail), from_top=is_other)
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

    def action_edit(self) -> None:
        """Open the frame under the cursor, or else the one where it failed, in the user's editor."""
        frame = self.text.frame or self._walk.place_in_code
        if frame is not None:
            self.desk.edit(frame)

    def action_copy(self) -> None:
        """Copy the traceback by OSC 52."""
        self.copy_detail(self._walk.detail)
