"""Which tasks are tries of the same work."""

from __future__ import annotations

from datetime import datetime, timedelta

from outflow_core.rows import BlockRow
from outflow_core.states import BlockType, State
from outflow_core.tries import Sign, Try, mended, sign_of, signs_of, tries_of, undecided

NOON = datetime(2024, 5, 1, 12)
FAILED, SUCCESS, RUNNING = State.FAILED, State.SUCCESS, State.RUNNING
A: tuple[Sign, ...] = (sign_of({"file": '"a"'}),)
B: tuple[Sign, ...] = (sign_of({"file": '"b"'}),)
NOTHING: tuple[Sign, ...] = signs_of({})


def task(number: int, state: State, *, name: str = "fit", parent: int | None = 1, at: float | None = None) -> BlockRow:
    """A task that took a second, from so many minutes after noon on; one after the other unless told."""
    start = NOON + timedelta(minutes=number if at is None else at)
    end = start + timedelta(seconds=1) if state.is_final else None
    return BlockRow(number, BlockType.TASK, name, state, None if state is State.PENDING else start, end, "n1", parent)


def test_a_task_that_ran_again_after_it_had_failed_is_tried_again() -> None:
    blocks = [task(2, FAILED), task(3, FAILED), task(4, SUCCESS)]
    found = tries_of(blocks, {2: A, 3: A, 4: A})
    assert found == {number: Try((2, 3, 4), place, SUCCESS) for place, number in enumerate((2, 3, 4), 1)}
    assert mended(found) == {2, 3}


def test_a_failure_of_the_last_try_mends_nothing() -> None:
    found = tries_of([task(2, FAILED), task(3, FAILED)], {2: A, 3: A})
    assert [(one.number, one.is_mended) for one in found.values()] == [(1, False), (2, False)]


def test_while_the_last_try_runs_nothing_is_mended() -> None:
    found = tries_of([task(2, FAILED), task(3, RUNNING)], {2: A, 3: A})
    assert found[2].outcome is RUNNING
    assert mended(found) == set()


def test_items_with_inputs_of_their_own_are_no_tries() -> None:
    assert tries_of([task(2, FAILED), task(3, SUCCESS)], {2: A, 3: B}) == {}


def test_of_tasks_whose_inputs_are_not_recorded_nothing_is_said() -> None:
    assert tries_of([task(2, FAILED), task(3, SUCCESS)], {2: NOTHING, 3: NOTHING}) == {}
    assert tries_of([task(2, FAILED), task(3, SUCCESS)], {}) == {}


def test_inputs_of_which_a_secret_was_masked_may_differ() -> None:
    masked = signs_of({"token": '"******"'})
    assert tries_of([task(2, FAILED), task(3, SUCCESS)], {2: masked, 3: masked}) == {}


def test_what_ran_side_by_side_is_no_try() -> None:
    assert tries_of([task(2, FAILED, at=2), task(3, SUCCESS, at=2)], {2: A, 3: A}) == {}


def test_two_items_of_a_map_with_the_same_inputs_are_no_tries() -> None:
    blocks = [task(2, FAILED), task(3, SUCCESS)]
    assert tries_of(blocks, {1: (*A, *B, *A), 2: A, 3: A}) == {}
    assert mended(tries_of(blocks, {1: (*A, *B), 2: A, 3: A})) == {2}


def test_a_task_that_ran_again_after_a_success_is_a_new_one() -> None:
    found = tries_of([task(2, SUCCESS), task(3, FAILED), task(4, SUCCESS)], {2: A, 3: A, 4: A})
    assert found.keys() == {3, 4}


def test_other_names_and_other_places_are_other_tasks() -> None:
    blocks = [task(2, FAILED), task(3, SUCCESS, name="plot"), task(4, SUCCESS, parent=None)]
    assert tries_of(blocks, dict.fromkeys((2, 3, 4), A)) == {}


def test_a_pending_task_is_no_try_yet() -> None:
    assert tries_of([task(2, FAILED), task(3, State.PENDING)], {2: A, 3: A}) == {}


def test_inputs_are_asked_for_only_where_something_failed_before_another_task_of_its_name() -> None:
    assert undecided([task(2, SUCCESS), task(3, SUCCESS)]) == set()
    assert undecided([task(2, SUCCESS), task(3, FAILED)]) == set()
    assert undecided([task(2, FAILED), task(3, SUCCESS), task(4, SUCCESS, name="plot")]) == {1, 2, 3}
