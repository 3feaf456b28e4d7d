"""One run: the tree, the first failure, the walk from failure to failure, the traceback."""

from __future__ import annotations

from outflow_core.states import State
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, ToldRun, exception, run, task, traceback_of, workflow


def failing(number: int) -> str:
    return traceback_of(f"ValueError: could not convert 'n/a' in frame {number}")


def night() -> ToldRun:
    inputs = [{"file": f'"night_{number}.fits"'} for number in range(6)]
    frames = workflow(2, "map_frames")
    items = [task(10 + number, "frame", parent=2) for number in range(3)]
    failed = [task(13, "frame", parent=2, failed=failing(231)), task(14, "frame", parent=2, failed=failing(377))]
    return run(
        45,
        state=State.FAILED,
        tasks=[
            task(1, "load_catalog"),
            type(frames)(frames.row, None, inputs),
            *items,
            *failed,
            task(15, "frame", State.PENDING),
            task(16, "merge", State.SKIPPED),
        ],
    )


async def open_run(desk: Desk) -> None:
    await desk.sees("45")
    await desk.press("enter")
    await desk.sees("load_catalog")


async def test_opening_a_failed_run_stands_on_its_first_failure_with_the_reason_beside_it() -> None:
    async with sitting(FakeSource([night()]), size=(120, 30)) as desk:
        await desk.sees("45")
        await desk.press("enter")
        await desk.sees("ValueError: could not convert")
        assert "calibrate.py:88" in desk.text()
        assert 'gain = float(header["GAIN"])' in desk.text()


async def test_the_key_to_all_keys_is_seen_at_80_cells() -> None:
    async with sitting(FakeSource([run(45, tasks=[task(1)])]), size=(80, 24)) as desk:
        await desk.sees("45")
        await desk.press("enter")
        await desk.sees("run 45")
        assert "? keys" in desk.lines()[-1]


async def test_a_map_shows_how_many_of_its_items_are_done() -> None:
    async with sitting(FakeSource([night()]), size=(120, 30)) as desk:
        await open_run(desk)
        assert "5/6 2✗" in await desk.sees("map_frames")


async def test_pending_items_without_a_parent_are_not_lost() -> None:
    waiting = [task(100 + number, "frame", State.PENDING) for number in range(30)]
    async with sitting(FakeSource([run(45, state=State.FAILED, tasks=[task(1, "load_catalog"), *waiting])])) as desk:
        await open_run(desk)
        assert "0/30" in await desk.sees("waiting frame")


async def test_n_walks_through_the_failed_tasks_and_back() -> None:
    async with sitting(FakeSource([night()]), size=(120, 30)) as desk:
        await open_run(desk)
        await desk.sees("frame 231")
        await desk.press("n")
        await desk.sees("frame 377")
        await desk.press("N")
        await desk.sees("frame 231")
        await desk.press("N")
        await desk.sees("frame 377")


async def test_n_unfolds_what_it_must() -> None:
    async with sitting(FakeSource([night()]), size=(120, 30)) as desk:
        await open_run(desk)
        await desk.press("h", "h")
        await desk.misses("377")
        assert "▸ ✓ map_frames" in desk.text()
        await desk.press("home", "n")
        await desk.sees("frame 231")
        assert "▾ ✓ map_frames" in desk.text()


async def test_the_traceback_fills_the_screen_and_walks_on() -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_run(desk)
        await desk.sees("231")
        await desk.press("enter")
        await desk.sees("1 library frame")
        assert "engine/runner.py" not in desk.text()
        await desk.press("a")
        await desk.sees("engine/runner.py:119")
        await desk.press("n")
        await desk.sees("frame 377")
        await desk.press("q")
        await desk.sees("load_catalog")
        await desk.sees("frame 377")


async def test_the_failures_are_grouped_by_cause_and_lead_to_their_tasks() -> None:
    async with sitting(FakeSource([night()]), size=(120, 30)) as desk:
        await open_run(desk)
        await desk.press("2")
        await desk.sees("2 failed tasks, 1 cause")
        assert "calibrate.py:88" in await desk.sees("ValueError")
        await desk.press("enter")
        await desk.sees("frame 231")


async def test_a_task_that_failed_without_an_exception_says_so() -> None:
    lost = run(45, state=State.FAILED, tasks=[task(1, "load_catalog", State.FAILED)])
    async with sitting(FakeSource([lost])) as desk:
        await open_run(desk)
        await desk.sees("failed, but no exception was recorded")


async def test_a_workflow_that_failed_by_itself_is_a_failure_too() -> None:
    outer = workflow(1, "nights", State.FAILED)
    alone = workflow(2, "map_frames", State.FAILED, parent=1)
    told = type(alone)(alone.row, exception(2, failing(0)))
    source = FakeSource([run(45, state=State.FAILED, tasks=[task(3, "load_catalog"), outer, told])])
    async with sitting(source, size=(120, 30)) as desk:
        await open_run(desk)
        await desk.sees("✗ failed  map_frames")
        await desk.sees("frame 0")


async def test_a_running_task_that_fails_is_seen_where_the_cursor_is() -> None:
    before = run(45, state=State.RUNNING, tasks=[task(1, "load_catalog", State.RUNNING)])
    after = run(45, state=State.FAILED, tasks=[task(1, "load_catalog", failed=failing(9))])
    async with sitting(FakeSource([before])) as desk:
        await open_run(desk)
        await desk.sees("▶ running  load_catalog")
        await desk.answers([after])
        await desk.sees("frame 9")


async def test_markup_in_names_and_messages_stays_text() -> None:
    hostile = run(
        45, "[red]x[/]", State.FAILED, tasks=[task(1, "load_catalog[/b]", failed=traceback_of("KeyError: '[/b]'"))]
    )
    async with sitting(FakeSource([hostile]), size=(120, 30)) as desk:
        await desk.sees("[red]x[/]")
        await desk.press("enter")
        await desk.sees("load_catalog[/b]")
        await desk.sees("KeyError: '[/b]'")


async def test_the_tree_is_kept_where_it_was_when_the_window_changes() -> None:
    async with sitting(FakeSource([night()]), size=(120, 40)) as desk:
        await open_run(desk)
        await desk.press("n")
        await desk.sees("frame 377")
        await desk.pilot.resize_terminal(80, 24)
        await desk.sees("377")
        await desk.pilot.resize_terminal(200, 50)
        await desk.sees("frame 377")


async def test_the_help_shows_the_keys_of_the_screen_it_was_asked_on() -> None:
    async with sitting(FakeSource([night()]), size=(80, 24)) as desk:
        await open_run(desk)
        await desk.press("question_mark")
        await desk.sees("To the next failed task, wherever it is")
        assert desk.lines()[1].strip() == "Run"
        await desk.press("q")
        await desk.sees("load_catalog")


async def test_the_palette_does_what_the_keys_do() -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_run(desk)
        await desk.press("ctrl+p")
        await desk.sees("Search for commands")
        await desk.press(*"by cause")
        await desk.sees("The failed tasks grouped by cause")
        await desk.press("enter")
        await desk.sees("2 failed tasks, 1 cause")


async def test_the_details_can_be_read_with_the_keyboard() -> None:
    async with sitting(FakeSource([night()]), size=(80, 12)) as desk:
        await open_run(desk)
        await desk.sees("231")
        await desk.press("tab", "end")
        await desk.sees("library frame")
        await desk.press("tab")
        await desk.press("n")
        await desk.sees("377")
