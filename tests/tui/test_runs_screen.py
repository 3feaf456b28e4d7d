"""The runs: what is seen before a key is pressed, and what the keys do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from outflow_core.states import State
from outflow_tui.widgets.run_list import MEASURED, RunItem, run_item
from tests.tui.desk import sitting
from tests.tui.story import NOW, FakeSource, configuration, run, task, traceback_of

FAILED = traceback_of("ValueError: could not convert string to float: 'n/a'")
NIGHT = [
    run(46, state=State.RUNNING, tasks=[task(1), task(2, state=State.RUNNING), task(3, state=State.PENDING)]),
    run(45, state=State.FAILED, tasks=[task(11), task(12, failed=FAILED)]),
    run(44, "calibrate", tasks=[task(21), task(22, state=State.SKIPPED)], host="login1"),
]


async def test_the_first_screen_tells_which_runs_go_on_and_which_failed() -> None:
    async with sitting(FakeSource(NIGHT), size=(80, 24)) as desk:
        assert "running" in await desk.sees("46")
        assert "✗ failed" in await desk.sees("45")
        assert "✓ success" in await desk.sees("calibr")
        assert "1 running   1 failed   1 success" in desk.text()
        assert "live" in desk.lines()[0]


async def test_progress_counts_tasks_and_shows_the_failed_ones() -> None:
    async with sitting(FakeSource(NIGHT)) as desk:
        assert "1/3" in await desk.sees("46")
        assert "2/2 1✗" in await desk.sees("45")
        assert "░" in await desk.sees("login1")


async def test_at_80_cells_host_and_configuration_are_seen_too() -> None:
    config = configuration(7, {})
    async with sitting(FakeSource([run(45, config=config)]), size=(80, 24)) as desk:
        line = await desk.sees("reduce_")
        assert "nid001" in line
        assert config.hash[:6] in line


async def test_a_run_without_tasks_says_so() -> None:
    async with sitting(FakeSource([run(45, state=State.FAILED)])) as desk:
        assert "no tasks" in await desk.sees("45")


async def test_columns_are_as_wide_as_their_contents_and_stand_beside_each_other() -> None:
    async with sitting(FakeSource(NIGHT), size=(200, 50)) as desk:
        titles, line = await desk.sees("COMMAND"), await desk.sees("46")
        assert titles.index("STARTED") == line.index("reduce_night") + len("reduce_night ")
        assert titles.rstrip().endswith("HOST   CONFIG")


async def test_a_longer_name_that_arrives_moves_the_titles_and_every_line() -> None:
    longer = "reduce_night_once_more_with_care"
    async with sitting(FakeSource(NIGHT), size=(200, 50)) as desk:
        before = (await desk.sees("COMMAND")).index("STARTED")
        await desk.answers([*NIGHT, run(43, longer)])
        await desk.sees(longer)
        moved = (await desk.sees("COMMAND")).index("STARTED")
        assert moved == before + len(longer) - len("reduce_night")
        assert (await desk.sees("login1")).index("2/2") > (await desk.sees("login1")).index("calibrate") + len(longer)


async def test_two_sources_at_80_cells_cut_no_name_while_there_is_room() -> None:
    async with sitting(FakeSource(NIGHT), FakeSource([run(7, "calibrate_all")]), size=(80, 24)) as desk:
        await desk.sees("calibrate_all")
        assert "reduce_night" in await desk.sees("46")


async def test_the_cursor_stays_on_its_run_while_new_ones_arrive() -> None:
    async with sitting(FakeSource(NIGHT)) as desk:
        await desk.sees("46")
        await desk.press("down")
        await desk.answers([run(47, "fresh", State.RUNNING), *NIGHT])
        await desk.sees("fresh")
        await desk.press("enter")
        await desk.sees("run 45")


async def test_a_run_without_a_sign_of_life_is_called_silent() -> None:
    async with sitting(FakeSource([run(46, state=State.RUNNING, silent_minutes=185)]), size=(120, 30)) as desk:
        await desk.sees("? silent 3 h")
        assert "idle" in desk.lines()[0]


async def test_a_run_falls_silent_while_nothing_changes_in_the_books() -> None:
    async with sitting(FakeSource([run(46, state=State.RUNNING)]), size=(120, 30)) as desk:
        await desk.sees("▶ running")
        desk.app.clock = lambda: NOW + timedelta(hours=2)
        await desk.sees("? silent 2 h")


async def test_what_is_typed_at_once_goes_into_the_filter_the_first_time_too() -> None:
    async with sitting(FakeSource(NIGHT)) as desk:
        await desk.sees("46")
        for key in ("slash", *"so"):
            desk.app.simulate_key(key)
        await desk.sees("[so]")


async def test_the_filter_works_while_it_is_typed() -> None:
    async with sitting(FakeSource(NIGHT)) as desk:
        await desk.sees("46")
        await desk.press("slash", *"calib")
        await desk.misses("reduce_night")
        await desk.press("enter")
        assert "login1" in await desk.sees("calibrate")
        await desk.press("escape")
        await desk.sees("reduce_night")


@pytest.mark.parametrize(
    ("typed", "left"), [("state:failed", {45}), ("host:login", {44}), ("46", {46}), ("since:1d", {44, 45, 46})]
)
async def test_the_filter_knows_fields(typed: str, left: set[int]) -> None:
    async with sitting(FakeSource(NIGHT)) as desk:
        await desk.sees("46")
        await desk.press("slash")
        desk.app.screen.query_one("TypingLine").value = typed  # type: ignore[attr-defined]
        await desk.press("enter")
        runs = desk.app.screen.query_one("#runs")
        assert {item.line.row.id for item in runs.items} == left  # type: ignore[attr-defined]


async def test_failed_only_also_keeps_successful_runs_with_failed_tasks() -> None:
    lucky = run(47, "lucky", State.SUCCESS, tasks=[task(31, failed=FAILED), task(32)])
    async with sitting(FakeSource([lucky, *NIGHT])) as desk:
        await desk.sees("calibrate")
        await desk.press("f")
        await desk.misses("calibrate")
        assert "lucky" in desk.text()
        assert "2 of 4 shown" in desk.text()
        await desk.press("f")
        await desk.sees("calibrate")


async def test_two_sources_share_the_screen_and_one_that_cannot_be_read_hides_nothing() -> None:
    broken = FakeSource()
    broken.error = "b.db: no such file."
    async with sitting(FakeSource(NIGHT), broken, size=(120, 30)) as desk:
        await desk.sees("calibrate")
        await desk.sees("b.db: no such file.")
        assert "SOURCE" in desk.text()
        assert "1 of 2 unreadable" in desk.lines()[0]


async def test_old_runs_stay_with_their_age_when_a_read_fails_and_the_view_recovers_by_itself() -> None:
    async with sitting(FakeSource(NIGHT), size=(120, 30)) as desk:
        await desk.sees("calibrate")
        desk.source.error = "Cannot read the books"
        desk.app.action_read_now()
        await desk.sees("Cannot read the books.")
        assert "Shown is what was read at 12:00:00." in desk.text()
        assert "calibrate" in desk.text()
        desk.source.error = None
        await desk.misses("Cannot read the books.")


async def test_books_without_a_run_say_so() -> None:
    async with sitting(FakeSource()) as desk:
        await desk.sees("No run is recorded here yet.")
        await desk.press("enter", "d", "c", "space", "f", "escape")
        await desk.sees("No run is recorded here yet.")


async def test_a_held_view_stands_still_and_catches_up() -> None:
    async with sitting(FakeSource(NIGHT)) as desk:
        await desk.sees("46")
        await desk.press("p")
        await desk.sees("paused")
        asked = len(desk.source.asked)
        await desk.answers([run(47, "fresh", State.RUNNING), *NIGHT])
        await desk.until(lambda: len(desk.source.asked) > asked + 1, "the source was not asked")
        assert "fresh" not in desk.text()
        await desk.press("p")
        await desk.sees("fresh")


async def test_quitting_leaves_no_thread_behind() -> None:
    import threading

    source = FakeSource(NIGHT)
    async with sitting(source) as desk:
        await desk.sees("46")
        assert any(thread.name.startswith("poll ") for thread in threading.enumerate())
    assert source.is_closed
    assert not any(thread.name.startswith("poll ") for thread in threading.enumerate())


async def test_a_line_is_made_of_what_is_seen_and_of_what_decides_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(*words: Any) -> RunItem:
        made.append(words[2].row.id)
        return run_item(*words)

    monkeypatch.setattr("outflow_tui.screens.runs.run_item", counted)
    async with sitting(FakeSource([run(number, "fit") for number in range(1, 3_001)]), size=(80, 24)) as desk:
        await desk.sees("3000 ")
        made.clear()
        await desk.press("slash", "f", "i")
        await desk.sees("3000 of 3000 shown")
        assert len(set(made)) <= MEASURED
        assert len(made) < 4 * MEASURED
