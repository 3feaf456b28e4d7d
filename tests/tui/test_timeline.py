"""The arithmetic of the timeline: bars, how many at once, what is slow, whose clock is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core.rows import BlockRow
from outflow_core.states import BlockType, State
from outflow_tui.format import ASCII, UNICODE, Glyphs
from outflow_tui.spans import MOMENT, Span, at_once, seconds_at
from outflow_tui.time_scale import TimeScale, roomy
from outflow_tui.timeline import Timekeeper, Timeline, timeline_of
from outflow_tui.timeline_bars import axis, bar, levels, marks
from outflow_tui.timeline_lines import (
    Group,
    Order,
    Period,
    arrange,
    clock_words,
    period_of,
    scale_of,
    slow_ones,
    summary,
)
from outflow_tui.usual import Usual, earlier_of, exceeded, usual_of
from tests.core.books import patient
from tests.tui.story import NOW, run
from tests.tui.story import _line as line_of

NOON = datetime(2024, 5, 1, 12)


def ran(
    number: int,
    start: float | None = 0.0,
    seconds: float | None = 12.0,
    *,
    name: str = "frame",
    state: State = State.SUCCESS,
    host: str | None = "nid001",
) -> BlockRow:
    """A task that began so many seconds after noon."""
    begun = None if start is None else NOON + timedelta(seconds=start)
    ended = None if seconds is None else (begun or NOON) + timedelta(seconds=seconds)
    return BlockRow(number, BlockType.TASK, name, state, begun, ended, host, None)


EVERY_TIME = st.one_of(st.none(), st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
CLOSE_TIME = st.one_of(st.none(), st.integers(-3600, 3600).map(lambda seconds: NOON + timedelta(seconds=seconds)))


@st.composite
def tasks(draw: st.DrawFn, times: st.SearchStrategy[datetime | None] = CLOSE_TIME) -> tuple[BlockRow, ...]:
    """Tasks of any state, with or without times, in no order; clocks may be wrong."""
    number = draw(st.integers(0, 30))
    return tuple(
        BlockRow(
            place,
            draw(st.sampled_from(BlockType)),
            draw(st.sampled_from(["frame", "merge"])),
            draw(st.sampled_from(State)),
            draw(times),
            draw(times),
            draw(st.sampled_from([None, "nid1", "nid2", "nid10"])),
            draw(st.one_of(st.none(), st.integers(0, 30))),
        )
        for place in range(number)
    )


def spans(*rows: BlockRow) -> tuple[Span, ...]:
    return timeline_of(1, rows).spans


@given(tasks(EVERY_TIME), st.sampled_from(Order), st.integers(1, 200), st.datetimes(), st.sampled_from(State))
@patient
def test_whatever_the_clocks_say_every_line_fits(
    rows: tuple[BlockRow, ...], order: Order, width: int, now: datetime, state: State
) -> None:
    timeline = timeline_of(1, rows)
    line = line_of(run(1, state=state))
    line = line._replace(row=line.row._replace(start_time=rows[0].end_time if rows else None))
    period = period_of(line, timeline, now)
    if period is None:
        assert not timeline.spans
        return
    assert period.end >= period.start
    scale = scale_of(timeline, period, width)
    assert scale.end >= scale.start
    for glyphs in (ASCII, UNICODE):
        assert len(axis(scale, now, glyphs)) == width
        assert len(levels(timeline.at_once, scale, period.end, glyphs)) == width
        assert len(marks(timeline, scale, slow_ones(timeline, period.end), period.end, glyphs)) == width
        for item in arrange(timeline, order, period.end):
            if isinstance(item, Span):
                fits(item, scale, period.end, glyphs, timeline)
    assert "-" not in clock_words(timeline, period)


def fits(span: Span, scale: TimeScale, until: float, glyphs: Glyphs, timeline: Timeline) -> None:
    placed = bar(span, scale, until, glyphs, exceeded(span, timeline.usual, until))
    seconds = span.seconds(until)
    assert seconds is None or seconds >= 0
    assert placed.cells and placed.blanks >= 0
    assert placed.blanks + len(placed.before + placed.cells + placed.behind) <= scale.width


@given(tasks(), st.sampled_from(Order))
@patient
def test_every_order_shows_each_task_that_began_once(rows: tuple[BlockRow, ...], order: Order) -> None:
    timeline = timeline_of(1, rows)
    shown = [row for row in arrange(timeline, order, seconds_at(NOON)) if isinstance(row, Span)]
    assert sorted(span.key for span in shown) == sorted(span.key for span in timeline.spans)


@given(tasks(), st.sampled_from([Order.HOST, Order.NAME]))
@patient
def test_within_a_group_the_tasks_are_in_order_of_start(rows: tuple[BlockRow, ...], order: Order) -> None:
    for group in arrange(timeline_of(1, rows), order, seconds_at(NOON)):
        if isinstance(group, Group):
            assert all(one.start <= other.start for one, other in pairwise(group.spans))


@given(tasks())
@patient
def test_every_task_is_counted_once(rows: tuple[BlockRow, ...]) -> None:
    timeline = timeline_of(1, rows)
    shown = sum(span.row.type is BlockType.TASK for span in timeline.spans)
    counted = shown + timeline.pending + timeline.skipped + timeline.timeless
    assert counted == sum(row.type is BlockType.TASK for row in rows)


def is_on(span: Span, moment: float) -> bool:
    end = span.end if span.end is not None else float("inf")
    return span.start <= moment < max(end, span.start + MOMENT)


@given(tasks(), st.integers(1, 60))
@patient
def test_how_many_ran_at_once_is_what_counting_gives(rows: tuple[BlockRow, ...], width: int) -> None:
    found = [span for span in spans(*rows) if span.row.type is BlockType.TASK]
    once = at_once(found)
    ends = [max(span.end, span.start + MOMENT) for span in found if span.end is not None]
    moments = [*(span.start for span in found), *ends]
    counted = {moment: sum(is_on(span, moment) for span in found) for moment in moments}
    assert once.most == max(counted.values(), default=0)
    scale = TimeScale(seconds_at(NOON) - 4000, seconds_at(NOON) + 4000, width)
    for cell in range(width):
        start, end = scale.stretch(cell)
        inside = [number for moment, number in counted.items() if start <= moment < end]
        assert once.within(start, end) == max([sum(is_on(span, start) for span in found), *inside])


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(-1e6, 2e6), st.floats(0, 1e6), st.integers(1, 300))
@patient
def test_a_bar_is_within_the_width_and_never_empty(
    start: float, length: float, begun: float, took: float, width: int
) -> None:
    first, behind = TimeScale(start, start + length, width).cells(begun, begun + took)
    assert 0 <= first < behind <= width


@given(st.floats(0, 1e9), st.floats(0, 1e9))
@patient
def test_what_begins_later_does_not_stand_further_left(one: float, other: float) -> None:
    scale = TimeScale(0, 1e9, 80)
    early, late = sorted((one, other))
    assert scale.cells(early, early)[0] <= scale.cells(late, late)[0]


@given(st.floats(10, 1e9))
@patient
def test_a_growing_scale_has_room_but_not_too_much(seconds: float) -> None:
    assert seconds <= roomy(seconds) <= 1.25 * seconds + 0.001


@given(st.lists(st.floats(0, 1e5), min_size=1))
@patient
def test_at_most_a_quarter_of_the_tasks_is_slow(durations: list[float]) -> None:
    usual = usual_of(durations)
    assert 4 * sum(seconds > usual.limit for seconds in durations) <= len(durations)


def test_a_task_that_took_much_longer_than_the_others_is_slow() -> None:
    rows = [ran(number, number) for number in range(8)]
    timeline = timeline_of(1, [*rows, ran(9, 9, 60.0), ran(10, 10, 14.0)])
    assert [span.key for span in timeline.slow] == [9]


def test_few_tasks_do_not_tell_what_is_usual() -> None:
    assert timeline_of(1, [*(ran(number, number) for number in range(6)), ran(9, 9, 60.0)]).slow == ()


def test_some_seconds_more_are_nothing() -> None:
    rows = [ran(number, number, 0.1) for number in range(20)]
    assert timeline_of(1, [*rows, ran(30, 30, 4.0)]).slow == ()


def test_a_task_that_took_much_longer_than_in_the_run_before_is_slow() -> None:
    earlier = earlier_of(41, [ran(1, name="merge", seconds=2.0)])
    timeline = timeline_of(2, [ran(7, name="merge", seconds=30.0), ran(8, seconds=30.0)], earlier)
    assert [span.key for span in timeline.slow] == [7]
    found = exceeded(timeline.spans[0], timeline.usual, 0)
    assert found == Usual(2.0, 7.0, 41)


def test_a_task_that_goes_on_becomes_slow_when_it_does() -> None:
    rows = [*(ran(number, number) for number in range(8)), ran(9, 20, None, state=State.RUNNING)]
    timeline = timeline_of(1, rows)
    assert slow_ones(timeline, seconds_at(NOON) + 30) == ()
    assert [span.key for span in slow_ones(timeline, seconds_at(NOON) + 80)] == [9]


def test_tasks_that_failed_do_not_tell_what_is_usual() -> None:
    failed = [ran(number, number, 0.1, state=State.FAILED) for number in range(20)]
    assert timeline_of(1, [*failed, ran(30, 30, 40.0)]).slow == ()


def test_a_workflow_is_no_task_but_shown_when_it_failed_by_itself() -> None:
    outer = ran(1, state=State.FAILED, name="map")._replace(type=BlockType.WORKFLOW)
    around = ran(2, state=State.FAILED, name="around")._replace(type=BlockType.WORKFLOW)
    inside = ran(3, state=State.FAILED)._replace(parent_id=2)
    timeline = timeline_of(1, [outer, around, inside])
    assert {span.key for span in timeline.spans} == {1, 3}
    assert timeline.at_once.most == 1


def test_a_requeued_task_goes_on_though_it_ended_once() -> None:
    (span,) = spans(ran(1, 0, 12.0, state=State.RUNNING))
    assert span.seconds(span.start + 100) == 100


def test_a_task_that_ended_before_it_began_took_no_time_and_is_told() -> None:
    timeline = timeline_of(1, [ran(1, 0, -60.0), ran(2)])
    assert timeline.spans[0].seconds(0) == 0
    period = Period(timeline.spans[0].start, timeline.spans[0].start + 20)
    assert clock_words(timeline, period) == "Clocks seem to disagree: 1 ended before it began."


HOURS_OFF = [ran(1), ran(2), ran(3), ran(4, 7 * 3600, host="nid002")]


def test_a_host_hours_off_does_not_press_the_others_together() -> None:
    timeline = timeline_of(1, HOURS_OFF)
    begin = seconds_at(NOON)
    period = Period(begin, begin + 20)
    assert scale_of(timeline, period, 40) == TimeScale(begin, begin + 20, 40)
    assert clock_words(timeline, period).startswith(
        "Clocks seem to disagree: 1 task (nid002) up to 6h59m after the run was over"
    )
    placed = bar(timeline.spans[-1], scale_of(timeline, period, 40), period.end, ASCII, None)
    assert (placed.before, placed.cells, placed.blanks) == ("6h59m later ", ">", 27)


def test_a_run_whose_own_clock_is_off_is_drawn_by_its_tasks() -> None:
    timeline = timeline_of(1, HOURS_OFF[:3])
    begin = seconds_at(NOON)
    scale = scale_of(timeline, Period(begin - 7 * 3600, begin - 7 * 3600 + 20), 40)
    assert (scale.start, scale.end) == (begin, begin + 12)
    assert "7h00m after" in clock_words(timeline, Period(begin - 7 * 3600, begin - 7 * 3600))


def test_a_clock_of_ours_that_lags_behind_does_not_hide_the_tasks() -> None:
    told = run(1, state=State.RUNNING)
    begin = told.row.start_time
    assert begin is not None
    rows = [ran(number)._replace(start_time=begin + timedelta(seconds=10), end_time=begin + timedelta(seconds=30))
            for number in range(3)]  # fmt: skip
    period = period_of(line_of(replace(told, last_sign=begin)), timeline_of(1, rows), begin - timedelta(hours=3))
    assert period is not None and period.end - period.start == 30


def test_a_silent_run_ends_with_its_last_sign_of_life() -> None:
    told = run(1, state=State.RUNNING, silent_minutes=50)
    period = period_of(line_of(told), Timeline(1), NOW)
    assert period is not None and not period.goes_on
    assert period.end == seconds_at(NOW - timedelta(minutes=50))


def test_hosts_are_in_the_order_of_their_numbers() -> None:
    rows = [ran(place, place, host=host) for place, host in enumerate(["nid10", None, "nid2", "nid10"])]
    titles = [row.title for row in arrange(timeline_of(1, rows), Order.HOST, 0) if isinstance(row, Group)]
    assert titles == ["nid2", "nid10", "host not recorded"]


def test_names_are_in_the_order_in_which_they_began() -> None:
    rows = [ran(1, 0, name="load"), ran(2, 1, name="fit"), ran(3, 2, name="load")]
    titles = [row.title for row in arrange(timeline_of(1, rows), Order.NAME, 0) if isinstance(row, Group)]
    assert titles == ["load", "fit"]


def test_longest_first_counts_what_goes_on_until_now() -> None:
    rows = [ran(1, 0, 12.0), ran(2, 0, 30.0), ran(3, 0, None, state=State.RUNNING)]
    shown = arrange(timeline_of(1, rows), Order.LONGEST, seconds_at(NOON) + 20)
    assert [row.key for row in shown] == [2, 3, 1]


@pytest.mark.parametrize(("state", "cells"), [(State.SUCCESS, "===="), (State.FAILED, "xxxx"), (State.RUNNING, "===>")])
def test_a_bar_tells_the_state_without_colour(state: State, cells: str) -> None:
    (span,) = spans(ran(1, 20, 40, state=state))
    scale = TimeScale(span.start - 20, span.start + 80, 10)
    placed = bar(span, scale, span.start + 40, ASCII, None)
    assert (placed.blanks, placed.cells) == (2, cells)


@pytest.mark.parametrize(
    ("start", "seconds", "before", "cells", "behind"),
    [
        (0, 30, "", "============", " slow, others 1.0s"),
        (70, 30, "slow, others 1.0s ", "============", ""),
        (0, 60, "", "= slow, others 1.0s ====", ""),
    ],
)
def test_that_a_task_is_slow_is_said_where_there_is_room(
    start: float, seconds: float, before: str, cells: str, behind: str
) -> None:
    (span,) = spans(ran(1, start, seconds))
    scale = TimeScale(seconds_at(NOON), seconds_at(NOON) + 100, 40)
    placed = bar(span, scale, span.start, ASCII, Usual(1.0, 6.0))
    assert (placed.before, placed.cells, placed.behind) == (before, cells, behind)


def test_the_levels_show_where_much_ran() -> None:
    rows = [ran(1, 0, 80), ran(2, 20, 20), ran(3, 20, 20), ran(4, 20, 20)]
    timeline = timeline_of(1, rows)
    scale = TimeScale(seconds_at(NOON), seconds_at(NOON) + 100, 10)
    assert levels(timeline.at_once, scale, scale.end, ASCII) == "::##::::  "


def test_what_has_no_place_in_time_is_counted_in_words() -> None:
    rows = [ran(1), ran(2, None, None, state=State.PENDING), ran(3, None, None, state=State.FAILED),
            ran(4, None, 3, state=State.SKIPPED)]  # fmt: skip
    assert summary(timeline_of(1, rows), 0, ASCII) == "1 ran  1 not started  1 skipped  1 without times"


def test_what_did_not_change_is_taken_over() -> None:
    keeper = Timekeeper()
    blocks = (ran(1), ran(2, 3), ran(3, 5, None, state=State.RUNNING))
    first = keeper.timeline(1, blocks, None)
    assert keeper.timeline(1, blocks, None) is first
    then = keeper.timeline(1, (*blocks[:2], ran(3, 5, 4.0)), None)
    assert [one is other for one, other in zip(first.spans, then.spans, strict=True)] == [True, True, False]


def test_a_run_ends_no_earlier_than_it_began_whatever_ended_before() -> None:
    """Workflows that failed by themselves began ahead of our clock; the only task ended a year before."""
    ahead = (ran(number, 7200.0, state=State.FAILED)._replace(type=BlockType.WORKFLOW) for number in (2, 3))
    rows = (ran(1, -31_536_000.0, 1.0), *ahead)
    line = line_of(run(1, state=State.RUNNING))
    line = line._replace(row=line.row._replace(start_time=NOON))
    period = period_of(line, timeline_of(1, rows), NOON)
    assert period is not None and period.end >= period.start
