"""Failed tasks grouped by cause."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outflow_core.failures import Failure, causes, generalise, grouped, told_by
from outflow_core.rows import BlockRow, ExceptionRow
from outflow_core.states import BlockType, State
from tests.core.books import patient

NOON = datetime(2024, 5, 1, 12)


def failure(
    number: int, message: str | None, *, kind: str = "OSError", line: int = 3, host: str | None = "n1"
) -> Failure:
    """A task that failed so many minutes after noon; without a message nothing was recorded of it."""
    time = NOON + timedelta(minutes=number)
    block = BlockRow(number, BlockType.TASK, "fit", State.FAILED, NOON, time, host, None)
    if message is None:
        return Failure(block, None)
    text = (
        f'Traceback (most recent call last):\n  File "/data/p/t.py", line {line}, in fit\n    go()\n{kind}: {message}\n'
    )
    return Failure(block, ExceptionRow(number, number, kind, f"{kind}: {message}", text, time))


def test_messages_that_differ_in_data_only_are_one_cause() -> None:
    (cause,) = causes(
        [failure(1, "cannot read '/d/n1.fits' (12 rows)"), failure(2, "cannot read '/d/n2.fits' (7 rows)")]
    )
    assert cause.tasks == (1, 2)
    assert cause.message == "OSError: cannot read '...' (# rows)"


def test_a_message_that_all_share_stays_literal() -> None:
    (cause,) = causes([failure(1, "disk 3 full"), failure(2, "disk 3 full")])
    assert cause.message == "OSError: disk 3 full"


def test_the_same_words_from_another_line_are_another_cause() -> None:
    assert len(causes([failure(1, "no", line=3), failure(2, "no", line=4)])) == 2


def test_another_type_is_another_cause() -> None:
    assert len(causes([failure(1, "no"), failure(2, "no", kind="KeyError")])) == 2


def test_a_cause_knows_where_when_and_on_which_hosts() -> None:
    (cause,) = causes([failure(2, "no", host="n2"), failure(1, "no", host="n1"), failure(3, "no", host=None)])
    assert (cause.first, cause.last) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    assert cause.hosts == ("n2", "n1")
    assert cause.where is not None and (cause.where.file, cause.where.line, cause.where.function) == (
        "/data/p/t.py",
        3,
        "fit",
    )


def test_tasks_without_a_recorded_exception_are_a_cause_of_their_own() -> None:
    found = causes([failure(1, "no"), failure(2, None), failure(3, None)])
    assert [(cause.type, cause.tasks) for cause in found] == [(None, (2, 3)), ("OSError", (1,))]


def test_the_cause_with_most_tasks_comes_first_then_the_oldest() -> None:
    found = causes([failure(1, "a"), failure(2, "b"), failure(3, "c"), failure(4, "c")])
    assert [cause.tasks for cause in found] == [(3, 4), (1,), (2,)]


def test_a_message_without_words_is_replaced_by_what_the_traceback_says() -> None:
    plain = failure(1, "no")
    assert plain.exception is not None
    boxed = ExceptionRow(1, 1, "ExceptionGroup", "  +------------", plain.exception.traceback, NOON)
    (cause,) = causes([Failure(plain.block, boxed)])
    assert cause.message == "OSError: no"


def test_an_uuid_an_address_and_a_number_do_not_tell_causes_apart() -> None:
    assert generalise("job 0b0e7a3c-1111-2222-3333-444455556666 at 0xff: 1,5e-3") == "job # at #: #"


@patient
@given(st.lists(st.tuples(st.none() | st.text(max_size=60), st.integers(1, 3)), max_size=25))
def test_each_failed_task_is_in_exactly_one_cause(told: list[tuple[str | None, int]]) -> None:
    failures = [failure(number, message, line=line) for number, (message, line) in enumerate(told)]
    found = Counter(number for cause in causes(failures) for number in cause.tasks)
    assert found == Counter(range(len(told)))


@patient
@given(st.text())
def test_generalising_twice_is_generalising_once(message: str) -> None:
    assert generalise(generalise(message)) == generalise(message)


def test_a_cause_is_known_again_after_lines_and_folders_have_moved() -> None:
    (before,), (after,) = causes([failure(1, "no 3", line=3)]), causes([failure(1, "no 4", line=40)])
    assert before.where != after.where
    assert before.fingerprint == after.fingerprint == ("OSError", "OSError: no #", "p/t.py", "fit")


def test_tasks_that_succeeded_later_are_named_in_their_cause() -> None:
    (cause,) = causes([failure(1, "no"), failure(2, "no")], mended={2, 9})
    assert (cause.tasks, cause.mended) == ((1, 2), (2,))


def test_twenty_thousand_failures_of_one_cause_cost_no_more_each_than_two_hundred() -> None:
    told = [told_by(failure(number % 200, f"no {number}", host=f"n{number % 500}")) for number in range(20_000)]

    def seconds(count: int) -> float:
        begin = time.process_time()
        for start in range(0, len(told), count):
            grouped(told[start : start + count])
        return time.process_time() - begin

    assert seconds(20_000) < 5 * min(seconds(200) for _ in range(3)) + 0.05
