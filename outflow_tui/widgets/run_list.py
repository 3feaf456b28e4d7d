"""The runs, one line each, newest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from outflow_core.states import State
from outflow_tui import format as words
from outflow_tui import status, text
from outflow_tui.format import Glyphs
from outflow_tui.lines import Piece
from outflow_tui.remaining import left_words
from outflow_tui.run_order import RunOrder
from outflow_tui.snapshot import RunKey, RunLine
from outflow_tui.widgets.line_view import LineView

NARROW_PROGRESS = 15
"""Cells for a run's progress where there is little room."""
MEASURED = 400
"""How many runs have a say in the widths of the columns."""


class RunItem(NamedTuple):
    """One line of the list; `running` is how long a run that is not over has been going on, in words."""

    place: int
    source: str
    line: RunLine
    marked: bool = False
    running: str = ""
    doubt: str = ""
    left: str = ""
    """How long it will probably go on, in words."""

    @property
    def key(self) -> RunKey:
        """The source's place and the run's id."""
        return (self.place, self.line.row.id)


class Column(NamedTuple):
    """One column; a width of 0 takes what its contents need of what is left."""

    title: str
    width: int
    cell: Callable[[RunItem, RunList], Piece]
    wide: int = 0
    """The width in a window of 110 cells or more, where that differs."""
    content: Callable[[RunItem], str] | None = None
    """What decides the width of a column that is as wide as its contents, and at most as wide as it may be."""


def run_item(place: int, source: str, line: RunLine, marked: bool, now: datetime, left: float | None = None) -> RunItem:
    """A run as a line of the list at this moment, with `left` seconds to go if that can be said."""
    if line.row.state is not State.RUNNING:
        return RunItem(place, source, line, marked)
    return RunItem(place, source, line, marked, status.took_words(line, now), status.doubt(line, now), left_words(left))


class RunList(LineView[RunItem]):
    """The runs; `several` sources earn a column of their own."""

    class Widened(Message):
        """The columns have other widths."""

    def __init__(self, glyphs: Glyphs, *, several: bool) -> None:
        super().__init__(id="runs")
        self.glyphs = glyphs
        self.several = several
        self.now = datetime.now()
        self.order = RunOrder.NEWEST
        self.is_reversed = False
        self._needs: tuple[Sequence[RunItem] | None, dict[str, int]] = (None, {})
        self._shown: tuple[Sequence[RunItem] | None, int, bool] = (None, 0, False)
        self._columns: list[tuple[Column, int]] = []

    @property
    def is_wide(self) -> bool:
        """Whether there is room for long times and names."""
        return self.size.width >= 110

    @property
    def has_bars(self) -> bool:
        """Whether there is room for a bar before the numbers of a run's progress."""
        return self.is_wide or not self.several

    def has_left(self, width: int) -> bool:
        """Whether what is left of a run has a column of its own; else it stands beside its progress."""
        return self.is_wide and width >= (140 if self.several else 110)

    def title(self, column: Column) -> str:
        """What stands over a column: that of the order in force has its direction behind it."""
        if column.title != self.order.column:
            return column.title
        sign = self.glyphs.sorting[self.order.is_down == self.is_reversed]
        return f"{'FAILED' if self.order is RunOrder.FAILED else column.title}{sign}"

    def columns(self, width: int) -> list[tuple[Column, int]]:
        """The columns that a window of this width shows, each with its width; the same for all lines."""
        shown = (self.items, width, self.is_wide)
        if shown[0] is not self._shown[0] or shown[1:] != self._shown[1:]:
            self._shown, self._columns = shown, self._columns_of(width)
        return self._columns

    def _columns_of(self, width: int) -> list[tuple[Column, int]]:
        left_out = {"SOURCE"} if not self.several else set() if self.is_wide else {"HOST"}
        left_out |= set() if self.has_left(width) else {"LEFT"}
        chosen = [column for column in COLUMNS if column.title not in left_out]
        sizes = {column.title: self._usual(column) for column in chosen}
        for title in GROWING:
            if title in sizes:
                left = width - sum(sizes.values()) - len(chosen)
                sizes[title] += max(min(self.needs(title) - sizes[title], left), 0)
        sizes["COMMAND"] = max(sizes["COMMAND"], 6)
        return [(column, sizes[column.title]) for column in chosen]

    def _usual(self, column: Column) -> int:
        """A column's width before what is left is given away."""
        widest = column.wide if self.is_wide and column.wide else column.width
        is_fixed = column.content is None or (column.title == "PROGRESS" and self.has_bars)
        return widest if is_fixed else min(widest, self.needs(column.title))

    def needs(self, title: str) -> int:
        """How many cells the contents of a column and its title take."""
        if self._needs[0] is not self.items:
            measured = self.items[:MEASURED]
            told = {column.title: {column.content(item) for item in measured} for column in COLUMNS if column.content}
            room = {name: max(map(text.width, map(text.clean, words)), default=0) for name, words in told.items()}
            self._needs = (self.items, {name: max(cells, len(name) + 1) for name, cells in room.items()})
        return self._needs[1][title]

    def show(self, items: Sequence[RunItem]) -> None:
        """Show these runs; where the columns change, every line and the titles are drawn anew."""
        before = self.columns(self.size.width)
        super().show(items)
        if self.columns(self.size.width) != before:
            self.redraw()
            self.post_message(self.Widened())

    def draw(self, item: RunItem, width: int) -> list[Piece]:
        """One run in the window's columns."""
        pieces: list[Piece] = []
        for column, size in self.columns(width):
            content, look = column.cell(item, self)
            pieces.append((text.fit(text.clean(content), size, ellipsis=self.glyphs.ellipsis) + " ", look))
        return pieces


class RunHeading(Widget):
    """The titles over the columns of a RunList."""

    def __init__(self, runs: RunList) -> None:
        super().__init__()
        self._runs = runs

    def render(self) -> Content:
        """The titles, as wide as the columns."""
        columns = self._runs.columns(self._runs.size.width or self.size.width)
        return Content("".join(text.fit(self._runs.title(column), size) + " " for column, size in columns))


def _state(item: RunItem, runs: RunList) -> Piece:
    state = item.line.row.state
    if item.doubt:
        head, _, unit = item.doubt.rpartition(" ")
        return item.doubt if runs.is_wide else f"{head}{unit.replace('min', 'm')}", "warning"
    if status.unfinished(item.line):
        return f"{runs.glyphs.states[state]} {state.value} {runs.glyphs.slow}", "warning"
    return f"{runs.glyphs.states[state]} {state.value}", state.value


def _command(item: RunItem) -> str:
    return item.line.row.command or ""


def _host(item: RunItem) -> str:
    return item.line.row.hostname or ""


def _took(item: RunItem, _runs: RunList) -> Piece:
    row = item.line.row
    return (item.running or words.duration(words.seconds_between(row.start_time, row.end_time))), ""


def _progress(item: RunItem, runs: RunList) -> Piece:
    tasks = item.line.tasks
    if not tasks.total:
        return "no tasks", "dim"
    numbers = words.progress(tasks, runs.glyphs)
    room = 0 if not runs.has_bars else 20 if runs.is_wide else 14
    behind = _behind(item, runs, (21 if runs.is_wide else NARROW_PROGRESS) - len(numbers) - 1)
    if behind:
        return f"{numbers} {behind}", "failed" if tasks.failed else "running" if item.left else "warning"
    bar = words.bar(tasks, max(min(room - len(numbers), 10), 0), runs.glyphs)
    look = "failed" if tasks.failed else "dim" if tasks.total == tasks.done else "running"
    return f"{bar} {numbers}".strip(" ") if not bar else f"{bar} {numbers}", look


def _behind(item: RunItem, runs: RunList, room: int) -> str:
    """What is more worth than a bar: how long the run will go on, or how many tasks of a success never ran."""
    left = "" if runs.has_left(runs.size.width) else item.left
    wishes = (f"{left} left", left) if left else (_never_ran(item),)
    return next((wish for wish in wishes if len(wish) <= room), "")


def _never_ran(item: RunItem) -> str:
    never = item.line.tasks.pending if item.line.row.state is State.SUCCESS else 0
    return f"{never} never ran" if never else ""


def _numbers(item: RunItem) -> str:
    """A run's progress without its bar, and what stands behind it if that fits."""
    numbers = words.progress(item.line.tasks, words.UNICODE) or "no tasks"
    whole = f"{numbers} {f'{item.left} left' if item.left else _never_ran(item)}".rstrip()
    return whole if len(whole) <= NARROW_PROGRESS else numbers


def _config(item: RunItem, runs: RunList) -> Piece:
    return f"{item.line.config_hash[:6]}{runs.glyphs.change if item.line.config_changed else ''}", "dim"


COLUMNS = (
    Column("", 1, lambda item, runs: (runs.glyphs.marked if item.marked else "", "warning")),
    Column("ID", 4, lambda item, _runs: (f"{item.line.row.id:>4}", ""), wide=6),
    Column("SOURCE", 10, lambda item, _runs: (item.source, "dim"), wide=16, content=lambda item: item.source),
    Column("STATE", 12, _state, wide=15),
    Column("COMMAND", 0, lambda item, _runs: (_command(item), "strong"), content=_command),
    Column(
        "STARTED",
        8,
        lambda item, runs: (words.moment(item.line.row.start_time, runs.now, short=not runs.is_wide), ""),
        wide=11,
    ),
    Column("TOOK", 6, _took),
    Column("LEFT", 6, lambda item, _runs: (item.left, "")),
    Column("PROGRESS", NARROW_PROGRESS, _progress, wide=21, content=_numbers),
    Column("HOST", 6, lambda item, _runs: (_host(item), "dim"), wide=10, content=_host),
    Column("CONFIG", 7, _config),
)

GROWING = ("COMMAND", "SOURCE", "HOST")
"""Who is given what is left of a line, one after the other."""
