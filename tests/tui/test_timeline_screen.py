"""The timeline of a run, as it is seen: bars, order, the walk to what failed, the way back."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from outflow_core import block_queries, record_run
from outflow_core.reader import Reader
from outflow_core.rows import BlockRow
from outflow_core.settings import Database, Settings
from outflow_core.states import State
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.source import BooksSource
from outflow_tui.timeline import Timeline, timeline_of
from outflow_tui.widgets.timeline_list import TimelineList
from tests.core.books import SQLITE, make_tables
from tests.tui.desk import Desk, sitting
from tests.tui.story import NOW, FakeSource, Told, ToldRun, run, task, traceback_of

BROKEN = traceback_of("ValueError: could not convert 'n/a'")


def at(told: Told, start: float, seconds: float | None, host: str | None = "nid001") -> Told:
    """A task that began so many seconds after its run."""
    begun = NOW - timedelta(minutes=15) + timedelta(seconds=start)
    end = begun + timedelta(seconds=seconds) if seconds is not None else None
    return replace(told, row=told.row._replace(start_time=begun, end_time=end, hostname=host))


def night(*more: Told, state: State = State.FAILED) -> ToldRun:
    """Run 45, which took 134 s: ten frames, one of them broken and one slow, and a summary that failed."""
    frames = [
        at(task(number, f"frame_{number:02d}"), 10 * number, 10, f"nid{number % 2 + 1:03d}") for number in range(8)
    ]
    tasks = [
        *frames,
        at(task(8, "frame_08", failed=BROKEN), 80, 10),
        at(task(9, "summary", failed=BROKEN), 120, 4, "nid002"),
        task(10, "publish", State.PENDING),
        *more,
    ]
    return run(45, state=state, tasks=tasks)


async def open_timeline(desk: Desk) -> None:
    await desk.sees("reduce_night")
    await desk.press("enter")
    await desk.sees("frame_00")
    await desk.press("3")
    await desk.sees("at most")


def selected(desk: Desk) -> str:
    """The line that tells about the task under the cursor."""
    return desk.lines()[-2]


async def test_each_task_has_a_bar_at_its_place_in_time() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await open_timeline(desk)
        first, fourth = await desk.sees("frame_00"), await desk.sees("frame_03")
        assert first.index("━") < fourth.index("━")
        assert first.split()[:3] == ["✓", "frame_00", "10.0s"]
        assert (await desk.sees(" frame_08 "))[:-1].rstrip().count("✗") == 1
        assert "┅✗" in desk.text()
        assert "11:45:00" in await desk.sees("by start")


async def test_it_says_how_many_ran_at_once_and_what_did_not() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await open_timeline(desk)
        assert "10 ran  2 ✗ failed  1 not started" in desk.text()
        assert (await desk.sees("at most 1 at once")).endswith("▂" * 3)
        assert (await desk.sees("✗ failed  ")).count("✗") >= 1


async def test_it_opens_on_the_task_that_is_selected_in_the_run_and_goes_back_to_the_chosen_one() -> None:
    async with sitting(FakeSource([night()]), size=(100, 24)) as desk:
        await open_timeline(desk)
        assert selected(desk).startswith(" frame_08  11:46:20 → 11:46:30  10.0s  on nid001")
        await desk.sees("ValueError: could not convert 'n/a'")
        await desk.press("n", "enter")
        await desk.sees("failed  summary")


@pytest.mark.parametrize(("onwards", "back"), [("n", "N"), ("right_square_bracket", "left_square_bracket")])
async def test_n_walks_through_what_failed(onwards: str, back: str) -> None:
    async with sitting(FakeSource([night()]), size=(100, 24)) as desk:
        await open_timeline(desk)
        await desk.press("home", onwards)
        assert "frame_08" in selected(desk)
        await desk.press(onwards)
        assert "summary" in selected(desk)
        await desk.press(onwards)
        assert "frame_08" in selected(desk)
        await desk.press(back)
        assert "summary" in selected(desk)


async def test_s_puts_the_tasks_in_other_orders_and_the_run_remembers_it() -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.press("s")
        await desk.sees("by host")
        assert "5 1✗  1 at once" in await desk.sees("nid002")
        await desk.press("s")
        await desk.sees("by name")
        await desk.press("s")
        await desk.sees("longest first")
        assert "frame_0" in selected(desk)
        await desk.press("q", "3")
        await desk.sees("longest first")
        await desk.press("s")
        await desk.sees("by start")


async def test_the_cursor_stays_on_its_task_in_another_order() -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.press("home", "down", "down", "s")
        await desk.sees("by host")
        assert "frame_02" in selected(desk)


async def test_a_heading_opens_nothing_and_says_so() -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.press("s", "home")
        await desk.sees("by host")
        assert selected(desk) == ""
        await desk.press("enter")
        await desk.sees("Not possible here")
        assert "by host" in desk.text()


@pytest.mark.parametrize("key", ["q", "escape", "1"])
async def test_the_way_back_is_short(key: str) -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.press(key)
        await desk.misses("at most")
        await desk.sees("frame_00")


async def test_the_failures_and_the_timeline_take_each_others_place() -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.press("2")
        await desk.sees("2 failed tasks, 1 cause")
        await desk.press("3")
        await desk.sees("at most 1 at once")
        await desk.press("q")
        await desk.sees("1 library frame")


@pytest.mark.parametrize("key", ["4", "c"])
async def test_the_configuration_lies_on_top(key: str) -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.press(key)
        await desk.sees("configuration")
        await desk.press("q")
        await desk.sees("at most")


async def test_t_has_the_end_of_the_run_told() -> None:
    async with sitting(FakeSource([night(state=State.RUNNING)]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.press("t")
        await desk.sees("The terminal will ring when run 45 ends.")


async def test_a_task_that_came_while_the_timeline_was_open_is_found_in_the_run() -> None:
    later = at(task(40, "later", failed=BROKEN), 125, 4)
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.answers([night(later)])
        await desk.sees(" later ")
        await desk.press("end", "enter")
        await desk.misses("at most")
        await desk.sees("failed  later")


async def test_the_help_knows_the_screen() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await open_timeline(desk)
        await desk.press("question_mark")
        await desk.sees("By start, by host, by name, or the longest first")
        assert desk.lines()[1].strip() == "Timeline"


async def test_a_slow_task_says_what_is_usual() -> None:
    before = run(44, tasks=[at(task(1, "summary"), 0, 2)])
    slow = at(task(20, "frame_05"), 20, 90)
    others = [at(task(30 + number, "frame_05"), 50, 10) for number in range(8)]
    longer = at(task(21, "summary"), 30, 60)
    async with sitting(FakeSource([before, night(slow, longer, *others)]), size=(120, 40)) as desk:
        await open_timeline(desk)
        assert "2 ! slow" in desk.text()
        await desk.sees("slow, usually 2.0s")
        await desk.sees("slow, others 10.0s")
        await desk.press("s", "s", "s", "home")
        assert "slow, others 10.0s in this run" in selected(desk)
        await desk.press("down")
        assert "slow, usually 2.0s in run 44" in selected(desk)


async def test_a_running_task_goes_until_now_and_the_timeline_follows_it() -> None:
    going = night(at(task(11, "stack", State.RUNNING), 600, None, None), state=State.RUNNING)
    ended = night(at(task(11, "stack", failed=BROKEN), 600, 30), state=State.RUNNING)
    async with sitting(FakeSource([going]), size=(100, 24)) as desk:
        await open_timeline(desk)
        line = await desk.sees(" stack ")
        assert line.startswith(" ▶ stack") and "5m00s" in line and line.rstrip("▁▂▃▄▅▆▇█ ").endswith("━▶")
        await desk.answers([ended])
        await desk.sees("3 ✗ failed")
        assert (await desk.sees(" stack ")).startswith(" ✗ stack")


async def test_a_cursor_at_the_end_of_a_long_list_goes_on_with_the_run() -> None:
    begun = [at(task(20 + number, f"item_{number:02d}"), 130 + number, 1) for number in range(40)]
    async with sitting(FakeSource([night(*begun[:30], state=State.RUNNING)]), size=(80, 24)) as desk:
        await open_timeline(desk)
        await desk.press("end")
        await desk.sees(" item_29 ")
        await desk.answers([night(*begun, state=State.RUNNING)])
        await desk.sees(" item_39 ")
        await desk.press("up", "up")
        assert "item_37" in selected(desk)


async def test_the_first_heading_is_seen_when_the_order_changes() -> None:
    async with sitting(FakeSource([night()]), size=(80, 14)) as desk:
        await open_timeline(desk)
        await desk.press("home", "s")
        await desk.sees(" nid001  ")


async def test_what_looks_as_before_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    going = night(at(task(11, "stack", State.RUNNING), 600, None, None), state=State.RUNNING)
    async with sitting(FakeSource([going]), size=(100, 24)) as desk:
        await open_timeline(desk)
        drawn: list[int] = []
        original = TimelineList._refresh_line

        def spied(listed: TimelineList, line: int) -> None:
            drawn.append(line)
            original(listed, line)

        monkeypatch.setattr(TimelineList, "_refresh_line", spied)
        desk.app._show_again()
        await desk.pilot.pause()
        assert drawn == []
        monkeypatch.setattr(desk.app, "clock", lambda: NOW + timedelta(seconds=10))
        desk.app._show_again()
        await desk.sees("5m10s")
        assert drawn == [10]


async def test_clocks_that_disagree_are_told() -> None:
    astray = at(task(11, "stack"), 7 * 3600, 20, "far")
    async with sitting(FakeSource([night(astray)]), size=(100, 24)) as desk:
        await open_timeline(desk)
        await desk.sees("Clocks seem to disagree: 1 task (far) up to 6h57m after the run was over.")
        assert "6h57m later ▸" in await desk.sees(" stack ")


async def test_a_run_whose_tasks_all_wait_says_so() -> None:
    async with sitting(FakeSource([run(45, state=State.RUNNING, tasks=[task(1, "frame_00", State.PENDING)])])) as desk:
        await desk.sees("reduce_night")
        await desk.press("enter")
        await desk.sees("frame_00")
        await desk.press("3", "n", "enter", "s")
        await desk.sees("No task has begun yet.  1 not started")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_the_bars_take_the_width_there_is(size: tuple[int, int]) -> None:
    last = at(task(11, "last"), 130, 4)
    async with sitting(FakeSource([night(last)]), size=(100, 30)) as desk:
        await open_timeline(desk)
        await desk.pilot.resize_terminal(*size)
        await desk.until(lambda: len(axis_of(desk)) == size[0] - 1, "the time does not reach the edge")
        assert axis_of(desk).endswith("11:47:14│")
        assert len((await desk.sees(" last ")).rstrip("▁▂▃▄▅▆▇█ ")) == size[0] - 1


def axis_of(desk: Desk) -> str:
    return next((line for line in desk.lines() if "by start" in line), "")


async def test_without_utf_8_every_sign_is_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.setenv(name, "C")
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await open_timeline(desk)
        for _ in range(4):
            assert desk.text().isascii()
            await desk.press("s")
        assert (await desk.sees(" frame_08 ")).rstrip().endswith("x")
        assert "|11:45:00" in desk.text()


async def test_markup_in_names_stays_text() -> None:
    hostile = at(task(11, "[red]x[/]\x1b[31m"), 20, 20, "[b]host[/b]")
    async with sitting(FakeSource([night(hostile)]), size=(110, 30)) as desk:
        await open_timeline(desk)
        await desk.press("s")
        await desk.sees("[red]x[/]\\e[31m")
        await desk.sees("[b]host[/b]")


class Still(FakeSource):
    """A source in which nothing changes: the same question has the same answer, as from real books."""

    def __init__(self, runs: list[ToldRun]) -> None:
        super().__init__(runs)
        self._answers: dict[Focus, Snapshot] = {}
        self._timeline = timeline_of(45, [block.row for block in runs[0].blocks])

    def look(self, focus: Focus) -> Snapshot:
        """What was said before."""
        if focus not in self._answers:
            found = super().look(focus._replace(timeline=False))
            timeline = self._timeline if focus.timeline else None
            self._answers[focus] = found._replace(focus=focus, timeline=timeline)
        return self._answers[focus]


async def test_a_hundred_thousand_tasks_are_put_in_order_at_once() -> None:
    first = NOW - timedelta(minutes=15)
    told = task(0, "frame").row
    begun = [first + timedelta(milliseconds=number) for number in range(100_000)]
    many = [
        Told(told._replace(id=number, start_time=at, end_time=at + timedelta(seconds=2), hostname=f"nid{number % 9}"))
        for number, at in enumerate(begun)
    ]
    async with sitting(Still([run(45, tasks=many)]), size=(100, 30)) as desk:
        await desk.sees("reduce_night")
        await desk.press("enter")
        await desk.sees("frame")
        await desk.press("3")
        await desk.sees("at most 2000 at once")
        began = time.process_time()
        for name in ("by host", "by name", "longest first", "by start"):
            await desk.press("s", "end", "home")
            await desk.sees(name)
        assert time.process_time() - began < 8


@pytest.fixture
def books(tmp_path: Path) -> Database:
    """Books with a success and a failure of one command."""
    database = Database("default", SQLITE, path=tmp_path / "books.db")
    make_tables(database)
    settings = Settings(None, Path(), {"default": database}, {})
    with record_run("reduce", config=settings) as good:
        with good.task("load"):
            pass
    with pytest.raises(ValueError), record_run("reduce", config=settings) as bad:
        with bad.task("load"):
            pass
        with bad.task("fit"):
            raise ValueError
    return database


def timeline_in(source: BooksSource, run_id: int) -> Timeline:
    found = source.look(Focus(run_id, timeline=True)).timeline
    assert found is not None
    return found


def test_what_is_usual_is_read_from_the_last_success_once(books: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    source = BooksSource(books)
    first, second = sorted(line.row.id for line in source.look(Focus()).runs)
    asked: list[int] = []
    original = block_queries.blocks_between

    def spied(reads: Reader, run_id: int, begin: int, end: int) -> tuple[BlockRow, ...]:
        asked.append(run_id)
        return original(reads, run_id, begin, end)

    monkeypatch.setattr(block_queries, "blocks_between", spied)
    timeline = timeline_in(source, second)
    assert [usual.run_id for usual in timeline.usual["load"]] == [first]
    assert [span.row.name for span in timeline.failed] == ["fit"]
    known = asked.count(first)
    assert timeline_in(source, second) is timeline
    source.look(Focus(second))
    timeline_in(source, second)
    assert asked.count(first) == known
    assert not timeline_in(source, first).usual
    source.close()
