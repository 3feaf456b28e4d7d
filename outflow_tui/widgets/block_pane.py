"""One block to read: state, inputs, traceback; laid out anew only when something of it has changed."""

from __future__ import annotations

from datetime import datetime

from outflow_core.rows import BlockDetail
from outflow_core.tries import Try
from outflow_tui.detail_lines import LIBRARIES_HIDDEN, DetailLayout, NameOf
from outflow_tui.format import Glyphs
from outflow_tui.widgets.reading_pane import ReadingPane
from outflow_tui.widgets.text_lines import TextLines


class BlockPane(ReadingPane):
    """The lines of one block."""

    def __init__(self, *, id: str) -> None:
        super().__init__(TextLines(id="lines"), id=id)
        self._shown: tuple[BlockDetail, Try | None, int, bool] | None = None

    def show_block(
        self,
        detail: BlockDetail,
        glyphs: Glyphs,
        *,
        libraries: bool,
        now: datetime,
        name_of: NameOf,
        tried: Try | None = None,
    ) -> bool:
        """Show a block, another one from its top; whether there was anything new to show."""
        wanted = (detail, tried, self.width, libraries)
        if not self.width or wanted == self._shown:
            return False
        is_other = self._shown is None or self._shown[0].block.id != detail.block.id
        self._shown = wanted
        self.hidden_words = "" if libraries else LIBRARIES_HIDDEN
        layout = DetailLayout(glyphs, self.width, libraries=libraries, now=now, name_of=name_of)
        self.show(layout.lines(detail, tried), from_top=is_other)
        return True
