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


async def test_equal_values_are_shown_among_the_others_when_wanted() -> None:
    async with sitting(FakeSource(pair())) as desk:
        await desk.sees("45")
        await desk.press("space", "space", "d")
        await desk.sees("5 values differ")
        assert "fit.steps[0]" not in desk.text()
        await desk.press("a")
        assert await desk.sees("fit.steps[0]") == '    fit.steps[0]  "a"'
        assert "5 values differ" in desk.text()
        await desk.press("x")
        await desk.sees("- max_iter  200")
        await desk.sees("fit.steps[0]")
        await desk.press("a")
        await desk.misses("fit.steps[0]")


async def test_of_two_runs_with_the_same_configuration_all_values_can_be_seen() -> None:
    config = configuration(1, OLD)
    async with sitting(FakeSource([run(46, config=config), run(45, config=config)])) as desk:
        await desk.sees("45")
        await desk.press("space", "space", "d", "a")
        await desk.sees("Both runs used the same configuration.")
        await desk.sees('backend  "slurm"')


async def test_what_nobody_can_compare_is_not_shown_as_equal() -> None:
    masked = [configuration(number, OLD)._replace(sealed=(("config", "secrets", "key"),)) for number in (1, 2)]
    async with sitting(FakeSource([run(46, config=masked[1]), run(45, config=masked[0])])) as desk:
        await desk.sees("45")
        await desk.press("space", "space", "d", "a")
        assert await desk.sees("secrets.key") == '  ? secrets.key  "******"'


async def test_sections_of_a_configuration_are_folded_and_unfolded() -> None:
    async with sitting(FakeSource(pair())) as desk:
        await desk.sees("45")
        await desk.press("down", "c")
        await desk.sees("tolerance:")
        await desk.press("down", "space")
        await desk.misses("tolerance:")
        assert await desk.sees("fit:") == "  ▸ fit:   … 2 lines"
        await desk.press("l")
        await desk.sees("tolerance:")
        await desk.press("down", "h", "h")
        await desk.misses("tolerance:")
        await desk.press("h", "h")
        await desk.misses("backend")
        await desk.press("space")
        await desk.sees("backend")


async def test_everything_is_folded_at_once_and_what_is_sought_is_found_there() -> None:
    async with sitting(FakeSource(pair())) as desk:
        await desk.sees("45")
        await desk.press("down", "c")
        await desk.sees("cores: 4")
        await desk.press("down", "down", "H")
        await desk.misses("cores: 4")
        assert "▸ configuration" in desk.text()
        await desk.press("slash", *"toler", "enter")
        await desk.sees("1 of 1")
        await desk.sees("tolerance: 1.5")
        await desk.misses("cores: 4")
        await desk.press("escape", "L")
        await desk.sees("cores: 4")


def night(number: int, state: State, tolerance: float, **others: Any) -> ToldRun:
    config = {"fit": {"tolerance": tolerance, "steps": ["a"]}, "name": "x", **others}
    return run(number, state=state, config=configuration(number, config))


async def test_several_marked_runs_become_a_table_that_shows_what_goes_with_failure() -> None:
    runs = [
        night(47, State.FAILED, 1e-6, cores=4),
        night(46, State.SUCCESS, 1e-4, cores=8),
        night(45, State.FAILED, 1e-6, cores=8, mode="fast"),
    ]
    async with sitting(FakeSource(runs), size=(80, 24)) as desk:
        await desk.sees("47")
        await desk.press("space", "space", "space", "d")
        await desk.sees("3 values differ, 1 of them between those that failed and those that did not")
        assert (await desk.sees("success")).split() == ["✗", "failed", "✓", "success", "✗", "failed"]
        lines = desk.lines()
        telling = next(place for place, line in enumerate(lines) if "goes with failure" in line)
        assert lines[telling + 1].split() == ["fit.tolerance", "1e-06", "0.0001", "1e-06"]
        assert (await desk.sees("cores")).split() == ["cores", "8", "8", "4"]
        assert (await desk.sees("mode")).split() == ["mode", '"fast"', "absent", "absent"]
        assert "steps" not in desk.text()
        await desk.press("q")
        await desk.sees("PROGRESS")


async def test_the_values_of_a_table_stand_beside_their_paths_in_a_wide_window() -> None:
    runs = [night(number, State.SUCCESS, float(number)) for number in (47, 46, 45)]
    async with sitting(FakeSource(runs), size=(200, 50)) as desk:
        await desk.sees("47")
        await desk.press("space", "space", "space", "d")
        assert (await desk.sees("fit.tolerance")).index("45.0") < 40


async def test_the_columns_of_many_runs_are_walked_through() -> None:
    runs = [night(number, State.SUCCESS, float(number)) for number in range(51, 41, -1)]
    async with sitting(FakeSource(runs), size=(80, 24)) as desk:
        await desk.sees("51")
        await desk.press(*["space"] * 10, "d")
        assert (await desk.sees("runs 1 to 4 of 10")).split()[-4:] == ["42", "43", "44", "45"]
        await desk.press("right", "l")
        assert (await desk.sees("runs 3 to 6 of 10")).split()[-4:] == ["44", "45", "46", "47"]
        await desk.press(*["right"] * 20)
        assert (await desk.sees("tolerance")).split()[1:] == ["48.0", "49.0", "50.0", "51.0"]
        await desk.press("left", "h")
        await desk.sees("runs 5 to 8 of 10")


async def test_several_runs_of_one_configuration_are_said_to_have_it() -> None:
    async with sitting(FakeSource([night(number, State.SUCCESS, 1.0) for number in (47, 46, 45)])) as desk:
        await desk.sees("47")
        await desk.press("space", "space", "space", "d")
        await desk.sees("All these runs used the same configuration.")
