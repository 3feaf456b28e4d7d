"""The filter over the runs: what people who know other monitors type is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core.rows import TaskCounts
from outflow_core.states import State
from outflow_tui.run_filter import run_filter, unclear_words
from outflow_tui.snapshot import RunLine
from tests.tui.story import NOW, lost, run

LINES = [
    RunLine(run(5, state=State.RUNNING).row, TaskCounts(running=1, success=200), NOW, "7f3a"),
    RunLine(run(4, state=State.RUNNING, silent_minutes=60).row, TaskCounts(), NOW.replace(hour=10), "52bc"),
    RunLine(run(3, state=State.RUNNING).row, TaskCounts(), NOW, "52bc", life=lost(9)),
    RunLine(run(2, state=State.FAILED).row, TaskCounts(failed=3), NOW, "52bc"),
    RunLine(run(1, "calibrate").row, TaskCounts(success=12, failed=1), NOW, "52bc"),
]


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("state:silent", {4}),
        ("silent", {4}),
        ("state:gone", {3}),
        ("state:running", {5, 4, 3}),
        ("-state:success", {5, 4, 3, 2}),
        ("-calibrate -gone", {5, 4, 2}),
        ("config:7f", {5}),
        ("source:night", {5, 4, 3, 2, 1}),
        ("-source:night", set()),
        ("source:day", set()),
        ("tasks>100", {5}),
        ("tasks<5 -state:running", {2}),
        ("failed>0", {2, 1}),
        ("took>30m", {5, 3}),
        ("took>", {5, 4, 3, 2, 1}),
        ("-", {5, 4, 3, 2, 1}),
        ("-state:", {5, 4, 3, 2, 1}),
    ],
)
def test_the_filter_knows_fields_refusals_and_amounts(typed: str, left: set[int]) -> None:
    fits = run_filter(typed, NOW)
    assert {line.row.id for line in LINES if fits(line, "night.yml")} == left


@pytest.mark.parametrize("typed", ["tasks>many", "took>5", "-since:soon", "state:lost", "failed<"])
def test_a_word_without_a_meaning_is_told(typed: str) -> None:
    assert unclear_words(typed) == [typed]


@given(st.text())
def test_whatever_is_typed_gives_an_answer(typed: str) -> None:
    fits = run_filter(typed, NOW)
    assert {fits(line, "a") for line in LINES} <= {True, False}
    unclear_words(typed)
