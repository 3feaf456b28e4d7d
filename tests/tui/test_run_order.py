"""The order of the runs: what is asked for comes first, and no run is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core.rows import TaskCounts
from outflow_core.states import State
from outflow_tui.run_order import RunOrder, in_order
from outflow_tui.snapshot import RunLine
from outflow_tui.widgets.run_list import RunItem
from tests.tui.desk import Desk, sitting
from tests.tui.story import NOW, FakeSource, run, task, traceback_of

FAILED = traceback_of("ValueError: no")
RUNS = [
    run(46, "b", State.RUNNING),
    run(45, "c", State.FAILED, tasks=[task(1, failed=FAILED), task(2, failed=FAILED)]),
    run(44, "a", tasks=[task(3, failed=FAILED)]),
    run(43, "b", State.RUNNING, silent_minutes=60),
]


def shown(desk: Desk) -> list[int]:
    """The ids of the list, from the top."""
    return [item.line.row.id for item in desk.app.screen.query_one("#runs").items]  # type: ignore[attr-defined]


async def test_s_goes_through_the_orders_and_the_heading_tells_which() -> None:
    async with sitting(FakeSource(RUNS), size=(80, 24)) as desk:
        await desk.sees("STARTED▾")
        told = []
        for _ in range(5):
            await desk.press("s")
            told.append((shown(desk), desk.lines()[1].partition("success")[2].strip().partition("   ")[0]))
        assert told == [
            ([46, 45, 44, 43], "longest first"),
            ([45, 44, 46, 43], "most failed first"),
            ([44, 46, 43, 45], "by command"),
            ([46, 43, 45, 44], "by state"),
            ([46, 45, 44, 43], ""),
        ]


async def test_capital_s_turns_the_order_round_and_the_next_order_begins_anew() -> None:
    async with sitting(FakeSource(RUNS)) as desk:
        await desk.sees("46")
        await desk.press("S")
        assert shown(desk) == [43, 44, 45, 46]
        assert "STARTED▴" in desk.text()
        assert "oldest first" in desk.text()
        await desk.press("s")
        assert "TOOK▾" in desk.text()


async def test_the_cursor_stays_on_its_run_in_another_order() -> None:
    async with sitting(FakeSource(RUNS)) as desk:
        await desk.sees("46")
        await desk.press("down", "s", "s", "s", "enter")
        await desk.sees("run 45")


async def test_the_direction_is_told_in_ascii_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    async with sitting(FakeSource(RUNS)) as desk:
        await desk.sees("STARTEDv")
        await desk.press("S")
        await desk.sees("STARTED^")


async def test_two_sources_are_sorted_as_one() -> None:
    other = FakeSource([run(7, "aa", tasks=[task(1, failed=FAILED)] * 3)])
    async with sitting(FakeSource(RUNS), other, size=(120, 30)) as desk:
        await desk.sees("aa")
        await desk.press("s", "s")
        assert shown(desk) == [7, 45, 44, 46, 43]


async def test_with_several_sources_a_mark_is_seen_in_a_wide_window_too() -> None:
    async with sitting(FakeSource(RUNS), FakeSource(), size=(120, 30)) as desk:
        await desk.sees("46")
        await desk.press("space")
        await desk.sees("●")


orders = st.sampled_from(list(RunOrder))
told = st.lists(st.tuples(st.sampled_from(list(State)), st.sampled_from(["a", "B", None]), st.integers(0, 3)))


@given(told, orders, st.booleans())
def test_an_order_loses_no_run_and_keeps_equal_ones_newest_first(
    runs: list[tuple[State, str | None, int]], order: RunOrder, is_reversed: bool
) -> None:
    newest = [_item(number, *words) for number, words in reversed(list(enumerate(runs)))]
    put = in_order(newest, order, NOW, is_reversed=is_reversed)
    assert sorted(item.line.row.id for item in put) == list(range(len(runs)))
    again = in_order(put, order, NOW, is_reversed=is_reversed) if order is not RunOrder.NEWEST else put
    assert again == put


def _item(number: int, state: State, command: str | None, minutes: int) -> RunItem:
    row = run(number, state=state).row._replace(command=command, start_time=NOW - timedelta(minutes=minutes))
    return RunItem(0, "", RunLine(row, TaskCounts(failed=minutes), NOW))
