"""In which earlier runs a cause was seen."""

from __future__ import annotations

from outflow_core.cause_history import RunCauses, earlier_runs, history_of
from outflow_core.failures import Fingerprint, History
from outflow_core.rows import RunRow
from outflow_core.states import State

HERE = Fingerprint("OSError", "OSError: #", "p/t.py", "fit")
OTHER = HERE._replace(type="KeyError")


def run(number: int, state: State = State.FAILED, command: str | None = "reduce") -> RunRow:
    return RunRow(number, f"u{number}", command, state, None, None, None, 1)


def seen(*earlier: RunCauses, is_all: bool = True) -> History:
    return history_of(HERE, earlier, is_all=is_all)


def had(number: int) -> RunCauses:
    return RunCauses(run(number), frozenset({HERE}))


def failed_otherwise(number: int) -> RunCauses:
    return RunCauses(run(number), frozenset({OTHER}))


def worked(number: int) -> RunCauses:
    return RunCauses(run(number, State.SUCCESS), frozenset())


def test_a_cause_that_no_earlier_run_had_is_new() -> None:
    found = seen(failed_otherwise(9), worked(8))
    assert (found.since, found.also, found.looked, found.is_all) == (None, (), 2, True)


def test_a_cause_is_there_since_the_first_run_of_an_unbroken_row() -> None:
    found = seen(had(9), had(8), worked(7), had(5), worked(4))
    assert (found.since, found.also, found.is_open) == (8, (5,), False)


def test_a_run_that_failed_of_something_else_breaks_no_row() -> None:
    assert seen(had(9), failed_otherwise(8), had(7), worked(6)).since == 7
    assert seen(failed_otherwise(9), had(8), worked(6)).since == 8


def test_a_cause_that_a_success_lies_between_was_gone_meanwhile() -> None:
    found = seen(worked(9), had(8), had(6))
    assert (found.since, found.also) == (None, (8, 6))


def test_a_success_of_which_only_a_part_was_read_breaks_no_row() -> None:
    part = RunCauses(run(8, State.SUCCESS), frozenset(), is_whole=False)
    found = seen(had(9), part, had(7), worked(6))
    assert (found.since, found.in_part) == (7, 1)


def test_a_row_that_goes_on_to_the_oldest_run_says_so() -> None:
    assert seen(had(9), had(8), is_all=False).is_open


def test_earlier_runs_are_those_of_the_command_that_are_over_newest_first() -> None:
    runs = [run(1), run(2, State.RUNNING), run(3, command="other"), run(4), run(5), run(6)]
    found = earlier_runs(runs, runs[4])
    assert found is not None
    assert ([row.id for row in found.runs], found.is_all) == ([4, 1], True)


def test_so_many_earlier_runs_and_no_more() -> None:
    found = earlier_runs([run(number) for number in range(9)], run(9), 5)
    assert found is not None
    assert ([row.id for row in found.runs], found.is_all) == ([8, 7, 6, 5, 4], False)


def test_without_a_command_nothing_is_compared() -> None:
    assert earlier_runs([run(1, command=None)], run(2, command=None)) is None
