"""What is left of a run: only where earlier successes tell it, and never a promise that cannot be kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core.rows import TaskCounts
from outflow_core.states import State
from outflow_tui.remaining import left_words, remaining
from outflow_tui.snapshot import RunLine
from tests.tui.story import NOW, lost, run

states = st.sampled_from(list(State))
counts = st.builds(TaskCounts, *[st.integers(0, 300)] * 5)


def going_on(number: int, minutes: float, done: int, total: int, **more: object) -> RunLine:
    """A run that began some minutes ago."""
    row = run(number, state=State.RUNNING).row._replace(start_time=NOW - timedelta(minutes=minutes))
    line = RunLine(row, TaskCounts(success=done, pending=total - done), NOW)
    return line._replace(**more)  # type: ignore[arg-type]


def success(number: int, minutes: float, total: int, state: State = State.SUCCESS) -> RunLine:
    """An earlier run of the same command."""
    row = run(number, state=state).row
    assert row.start_time is not None
    return RunLine(row._replace(end_time=row.start_time + timedelta(minutes=minutes)), TaskCounts(success=total))


def minutes_left(*lines: RunLine) -> float | None:
    """What is left of the newest of these runs."""
    seconds = remaining(lines, NOW).get(lines[0].row.id)
    return None if seconds is None else round(seconds / 60, 1)


def test_a_run_that_began_a_moment_ago_takes_what_earlier_ones_took() -> None:
    assert minutes_left(going_on(9, 4, 1, 10), success(8, 10, 10)) == 6


def test_the_median_of_the_last_five_successes_counts() -> None:
    earlier = [success(number, minutes, 10) for number, minutes in ((8, 10), (7, 11), (6, 9), (5, 10), (4, 90), (3, 1))]
    assert minutes_left(going_on(9, 4, 1, 10), *earlier) == 6


def test_more_tasks_take_more_time() -> None:
    assert minutes_left(going_on(9, 0, 0, 15), success(8, 10, 10)) == 15


def test_near_its_end_a_run_is_believed_its_own_pace() -> None:
    left = minutes_left(going_on(9, 18, 90, 100), success(8, 20, 100))
    assert left == 2
    slow = minutes_left(going_on(9, 30, 90, 100), success(8, 20, 100))
    assert slow == pytest.approx(3.3)


def test_one_that_takes_longer_than_ever_without_a_pace_of_its_own_is_told_nothing() -> None:
    assert minutes_left(going_on(9, 11, 1, 3), success(8, 10, 3)) is None


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([going_on(9, 4, 1, 10)], id="no history"),
        pytest.param([going_on(9, 4, 1, 10), success(8, 10, 10, State.FAILED)], id="no success"),
        pytest.param([going_on(9, 4, 1, 3), success(8, 10, 500)], id="the map is not there yet"),
        pytest.param([going_on(9, 41, 9, 10), success(8, 20, 10)], id="more than double over"),
        pytest.param([going_on(9, 4, 10, 10), success(8, 10, 10)], id="no task left"),
        pytest.param([going_on(9, -4, 1, 10), success(8, 10, 10)], id="began in the future"),
        pytest.param([going_on(9, 40, 1, 10, last_sign=NOW - timedelta(minutes=30)), success(8, 50, 10)], id="silent"),
        pytest.param([going_on(9, 4, 1, 10, life=lost(3)), success(8, 10, 10)], id="gone"),
        pytest.param([success(10, 10, 10), going_on(9, 4, 1, 10)], id="only a later success"),
    ],
)
def test_what_the_history_does_not_support_is_not_told(lines: list[RunLine]) -> None:
    assert remaining(lines, NOW) == {}


@given(st.lists(st.tuples(states, counts, st.floats(-100, 1e6), st.floats(-100, 1e6)), max_size=8))
def test_it_is_never_negative_and_only_for_runs_that_go_on(told: list[tuple[State, TaskCounts, float, float]]) -> None:
    lines: list[RunLine] = []
    for number, (state, tasks, ago, took) in enumerate(told):
        start = NOW - timedelta(seconds=ago)
        row = run(number, state=state).row._replace(start_time=start, end_time=start + timedelta(seconds=took))
        lines.insert(0, RunLine(row, tasks, NOW))
    found = remaining(lines, NOW)
    assert all(seconds >= 0 for seconds in found.values())
    assert all(line.row.state is State.RUNNING for line in lines if line.row.id in found)


@given(st.floats(0, 8e6))
def test_its_words_are_short(seconds: float) -> None:
    assert 3 <= len(left_words(seconds)) <= 7
