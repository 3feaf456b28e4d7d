"""Along the edges of a run: upstream and downstream of the selected block."""

from __future__ import annotations

from dataclasses import replace

from outflow_core.states import State
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, Told, ToldRun, run, task, traceback_of, workflow


def after(told: Told, *upstream: int) -> Told:
    return replace(told, upstream=upstream)


def night() -> ToldRun:
    """Three frames, one of them inside a folded workflow, merged; then a plot."""
    return run(
        45,
        state=State.FAILED,
        tasks=[
            task(1, "load_catalog"),
            workflow(2, "map_frames"),
            after(task(3, "frame_in_map", parent=2), 1),
            after(task(4, "flat"), 1),
            after(task(6, "merge", failed=traceback_of("ValueError: no overlap")), 3, 4, 99),
            after(task(7, "plot", State.SKIPPED), 6),
        ],
    )


async def open_run(desk: Desk) -> None:
    await desk.sees("45")
    await desk.press("enter")
    await desk.sees("no overlap")


async def test_o_goes_to_the_only_block_downstream_and_u_back() -> None:
    async with sitting(FakeSource([night()]), size=(120, 30)) as desk:
        await open_run(desk)
        assert "downstream (o): plot (7)" in desk.text()
        await desk.press("o")
        await desk.sees("skipped  plot")
        await desk.press("u")
        await desk.sees("failed  merge")


async def test_of_several_upstream_one_is_chosen_and_what_is_around_it_unfolded() -> None:
    async with sitting(FakeSource([night()]), size=(120, 30)) as desk:
        await open_run(desk)
        assert "▸ ✓ map_frames" in desk.text()
        await desk.press("u")
        await desk.sees("run 45  2 upstream of merge")
        assert "✓ success" in await desk.sees("frame_in_map")
        await desk.press("enter")
        await desk.sees("success  frame_in_map")
        assert "▾ ✓ map_frames" in desk.text()
        await desk.press("u")
        await desk.sees("success  load_catalog")
        await desk.press("o")
        await desk.sees("2 downstream of load_catalog")
        await desk.press("down", "enter")
        await desk.sees("success  flat")


async def test_what_is_told_of_the_blocks_stands_right_behind_their_names() -> None:
    async with sitting(FakeSource([night()]), size=(200, 50)) as desk:
        await open_run(desk)
        await desk.press("u")
        line = await desk.sees("frame_in_map")
        assert 0 < len(line.rstrip()) < 60
        assert line.rstrip().endswith("nid001")
        assert (await desk.sees("flat")).index("nid001") == line.index("nid001")


async def test_q_leaves_the_choice_where_it_was() -> None:
    async with sitting(FakeSource([night()]), size=(120, 30)) as desk:
        await open_run(desk)
        await desk.press("u")
        await desk.sees("2 upstream of merge")
        await desk.press("q")
        await desk.sees("failed  merge")


async def test_the_traceback_follows_the_edges_too() -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_run(desk)
        await desk.press("enter")
        await desk.sees("task 6  merge")
        await desk.press("u")
        await desk.sees("2 upstream of merge")
        await desk.press("end", "enter")
        await desk.sees("run 45  task 4  flat")
        await desk.press("o")
        await desk.sees("run 45  task 6  merge")
        await desk.press("q")
        await desk.sees("load_catalog")


async def test_where_there_is_nothing_upstream_the_key_says_so_and_the_palette_offers_nothing() -> None:
    async with sitting(FakeSource([night()]), size=(100, 30)) as desk:
        await open_run(desk)
        await desk.press("home")
        await desk.sees("success  load_catalog")
        screen = desk.app.screen
        assert screen.check_action("neighbour", (-1,)) is None
        await desk.press("u")
        await desk.sees("Not possible here: Upstream")
        assert screen.check_action("neighbour", (1,)) is True
        offered = [command.title for command in desk.app.get_system_commands(screen)]
        assert any(title.startswith("Downstream") for title in offered)
        assert not any(title.startswith("Upstream") for title in offered)
        await desk.press("u")
        await desk.sees("success  load_catalog")
