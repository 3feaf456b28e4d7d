"""The configuration of a run, and what differs between two."""

from __future__ import annotations

from typing import Any

from outflow_core.states import State
from tests.tui.desk import sitting
from tests.tui.story import FakeSource, ToldRun, configuration, run

OLD = {"fit": {"tolerance": 1.5, "steps": ["a", "c"]}, "secrets": {"key": "******"}, "name": "x", "backend": "slurm"}
NEW: dict[str, Any] = {
    "secrets": {"key": "******"},
    "fit": {"steps": ["a", "b", "c"], "tolerance": "1.5"},
    "name": "y",
    "max_iter": 200,
}


def pair() -> list[ToldRun]:
    return [run(46, config=configuration(2, NEW)), run(45, config=configuration(1, OLD, {"cores": 4}))]


async def test_the_configuration_of_a_run_is_shown_nested() -> None:
    async with sitting(FakeSource(pair())) as desk:
        await desk.sees("45")
        await desk.press("down", "c")
        assert "1.5" in await desk.sees("tolerance:")
        assert "cores: 4" in desk.text()
        await desk.press("q")
        await desk.sees("PROGRESS")


async def test_two_marked_runs_are_compared_by_path() -> None:
    async with sitting(FakeSource(pair())) as desk:
        await desk.sees("45")
        await desk.press("space", "space", "d")
        assert '~ fit.tolerance  1.5 → "1.5"' in await desk.sees("fit.tolerance")
        assert '+ fit.steps[1]  "b"' in desk.text()
        assert "+ max_iter  200" in desk.text()
        assert '- backend  "slurm"' in desk.text()
        assert "- cores  4" in desk.text()
        assert "5 values differ" in desk.text()


async def test_one_mark_is_compared_with_the_cursor_and_can_be_swapped() -> None:
    async with sitting(FakeSource(pair())) as desk:
        await desk.sees("45")
        await desk.press("space", "d")
        await desk.sees("+ max_iter  200")
        await desk.press("x")
        await desk.sees("- max_iter  200")


async def test_the_same_configuration_is_said_in_words() -> None:
    config = configuration(1, OLD)
    async with sitting(FakeSource([run(46, config=config), run(45, config=config)])) as desk:
        await desk.sees("45")
        await desk.press("space", "space", "d")
        await desk.sees("Both runs used the same configuration.")


async def test_another_order_of_keys_is_no_difference_and_the_name_is_told_apart() -> None:
    turned = dict(reversed(OLD.items())) | {"name": "y"}
    runs = [run(46, config=configuration(2, turned)), run(45, config=configuration(1, OLD))]
    async with sitting(FakeSource(runs)) as desk:
        await desk.sees("45")
        await desk.press("space", "space", "d")
        await desk.sees("No difference: the same content, recorded twice.")
        assert "told apart, not counted" in desk.text()


async def test_masked_values_are_said_to_be_beyond_comparison() -> None:
    async with sitting(FakeSource(pair())) as desk:
        await desk.sees("45")
        masked = [
            configuration(number, OLD).__class__(number, "h", OLD, {}, sealed=(("config", "secrets", "key"),))
            for number in (1, 2)
        ]
        await desk.answers([run(46, config=masked[1]), run(45, config=masked[0])])
        await desk.press("space", "space", "d")
        await desk.sees("1 masked value cannot be compared")


async def test_w_compares_a_failed_run_with_the_last_one_that_worked() -> None:
    new, old = pair()
    failed = run(47, state=State.FAILED, config=new.configuration)
    worked = run(44, config=old.configuration)
    other = run(46, "calibrate", config=new.configuration)
    async with sitting(FakeSource([failed, other, worked, run(43, config=new.configuration)])) as desk:
        await desk.sees("47")
        await desk.press("w")
        await desk.sees("+ max_iter  200")
        assert desk.lines()[0].lstrip().startswith("44 ")


async def test_w_says_when_the_command_never_worked() -> None:
    async with sitting(FakeSource([run(47, state=State.FAILED)])) as desk:
        await desk.sees("47")
        await desk.press("w")
        await desk.sees("No run of reduce_night before 47 was")
