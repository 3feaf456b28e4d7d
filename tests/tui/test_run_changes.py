"""What differs between two runs besides their configurations, and what a success left undone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core import block_queries, record_run
from outflow_core.reader import Reader
from outflow_core.rows import BlockRow, TaskCounts
from outflow_core.settings import Database, Settings
from outflow_core.states import State
from outflow_tui import status
from outflow_tui.run_changes import RunChange, Side, run_changes
from outflow_tui.run_profile import profile_of
from outflow_tui.snapshot import Focus, RunLine
from outflow_tui.source import BooksSource
from tests.core.books import SQLITE, make_tables
from tests.tui.desk import sitting
from tests.tui.story import NOW, FakeSource, Told, ToldRun, configuration, run, task, traceback_of

CONFIG = configuration(7, {"a": 1})
FAILED = traceback_of("ValueError: no")


def frames(seconds: float, host: str = "nid001", count: int = 4, first: int = 0) -> list[Told]:
    """Tasks that each took this long on one host."""
    told = [task(first + number, "frame", seconds=seconds) for number in range(1, count + 1)]
    return [replace(one, row=one.row._replace(hostname=host)) for one in told]


def side(told: ToldRun) -> Side:
    """A run with what its blocks tell."""
    rows = [block.row for block in told.blocks]
    counts = TaskCounts(
        success=sum(row.state is State.SUCCESS for row in rows), failed=sum(row.state is State.FAILED for row in rows)
    )
    return Side(RunLine(told.row, counts, NOW), profile_of(told.row.id, rows))


def test_runs_that_went_alike_differ_in_nothing() -> None:
    assert run_changes(side(run(1, tasks=frames(12))), side(run(2, tasks=frames(12.4, first=9))), NOW) == ()


def test_hosts_tasks_and_slower_names_are_told() -> None:
    old = side(run(1, tasks=frames(12)))
    new = side(run(2, tasks=[*frames(80, "nid007", first=9), task(99, failed=FAILED)], host="nid007"))
    assert run_changes(old, new, NOW) == (
        RunChange("host", "nid001", "nid007"),
        RunChange("tasks", "4", "5"),
        RunChange("failed", "0", "1"),
        RunChange("tasks on", "nid001", "nid001, nid007"),
        RunChange("task frame", "12.0s", "1m20s", "slower"),
    )


@given(st.lists(st.floats(0.01, 1e5), min_size=1), st.lists(st.floats(0.01, 1e5), min_size=1))
def test_what_is_slower_one_way_is_faster_the_other_way(before: list[float], after: list[float]) -> None:
    old, new = (
        side(run(number, tasks=[task(place, seconds=took) for place, took in enumerate(times)]))
        for number, times in ((1, before), (2, after))
    )
    there = {change.what: change.note for change in run_changes(old, new, NOW)}
    back = {change.what: change.note for change in run_changes(new, old, NOW)}
    assert there.keys() == back.keys()
    turned = {"slower": "faster", "faster": "slower", "": ""}
    assert {what: turned[note] for what, note in there.items()} == back


async def test_w_tells_of_the_runs_above_their_configurations_and_so_does_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [run(1, tasks=frames(12), config=CONFIG), run(2, tasks=frames(90, first=9), config=CONFIG, host="nid007")]
    async with sitting(FakeSource(runs)) as desk:
        await desk.sees("nid007")
        await desk.press("w")
        await desk.sees("~ host  nid001 → nid007")
        await desk.sees("~ task frame  12.0s → 1m30s  slower")
        await desk.sees("Both runs used the same configuration.")
        await desk.press("x")
        await desk.sees("~ task frame  1m30s → 12.0s  faster")
        await desk.press("E", "t")
        await desk.sees("Saved as")
        await desk.press("E", "J")
        await desk.until(lambda: len(list(tmp_path.iterdir())) == 2, "no file was written")
    saved = {path.suffix: path.read_text() for path in tmp_path.iterdir()}
    assert "~ host  nid007 → nid001" in saved[".txt"]
    assert json.loads(saved[".json"])["runs"][0] == {"what": "host", "old": "nid007", "new": "nid001", "note": ""}


async def test_runs_that_went_alike_say_so() -> None:
    runs = [run(1, tasks=frames(12), config=CONFIG), run(2, tasks=frames(12, first=9), config=CONFIG)]
    async with sitting(FakeSource(runs)) as desk:
        await desk.sees("nid001")
        await desk.press("w")
        await desk.sees("Both runs went alike: state, host, tasks and time.")


@pytest.mark.parametrize("width", [80, 120])
async def test_a_run_tells_what_is_left_in_the_list_and_over_its_tasks(width: int) -> None:
    goes_on = run(2, state=State.RUNNING, tasks=[task(11), task(12, state=State.PENDING)])
    row = goes_on.row._replace(start_time=NOW - timedelta(seconds=14))
    before = run(1, tasks=[task(1), task(2)])
    async with sitting(FakeSource([before, replace(goes_on, row=row)]), size=(width, 24)) as desk:
        assert "~2m" in await desk.sees("▶ running")
        await desk.press("enter")
        assert "~2m left" in await desk.sees("run 2")


async def test_what_is_left_grows_less_while_nothing_changes_in_the_books() -> None:
    goes_on = run(2, state=State.RUNNING, tasks=[task(11), task(12, state=State.PENDING)])
    row = goes_on.row._replace(start_time=NOW - timedelta(seconds=14))
    async with sitting(FakeSource([run(1, tasks=[task(1), task(2)]), replace(goes_on, row=row)])) as desk:
        await desk.sees("~2m left")
        desk.app.clock = lambda: NOW + timedelta(seconds=90)
        await desk.sees("~30s left")


async def test_a_success_that_left_tasks_undone_is_marked_and_says_which() -> None:
    odd = run(2, tasks=[task(1), task(2, state=State.PENDING), task(3, failed=FAILED), task(4, state=State.RUNNING)])
    async with sitting(FakeSource([run(1, "normal", tasks=[task(9)]), odd]), size=(80, 24)) as desk:
        assert "!" in await desk.sees("reduce_night")
        assert "!" not in await desk.sees("normal")
        await desk.sees("2: 1 task failed, 1 never ran, 1 still said to run")
        await desk.press("enter")
        await desk.sees("A success, but 1 task failed, 1 never ran, 1 still said to run.")


def test_of_two_runs_the_hosts_and_times_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database("default", SQLITE, path=tmp_path / "books.db")
    make_tables(database)
    for _ in range(2):
        with record_run("reduce", config=Settings(None, Path(), {"default": database}, {})) as recorded:
            with recorded.task("load"):
                pass
    source = BooksSource(database)
    ids = frozenset(line.row.id for line in source.look(Focus()).runs)
    asked: list[int] = []
    original = block_queries.blocks_between

    def spied(reads: Reader, run_id: int, begin: int, end: int) -> tuple[BlockRow, ...]:
        asked.append(run_id)
        return original(reads, run_id, begin, end)

    monkeypatch.setattr(block_queries, "blocks_between", spied)
    seen = source.look(Focus(profiles_of=ids))
    assert {number: list(profile.usual) for number, profile in seen.profiles.items()} == {1: ["load"], 2: ["load"]}
    known = len(asked)
    assert source.look(Focus(profiles_of=ids, configurations_of=ids)).profiles is seen.profiles
    assert len(asked) == known
    assert not source.look(Focus()).profiles
    source.close()


def test_tasks_in_a_state_that_is_not_known_are_told_of_any_run() -> None:
    line = RunLine(run(2, state=State.RUNNING).row, TaskCounts(success=1, unknown=2), None)
    assert status.unfinished(line) == "2 tasks in a state that this program does not know"
    assert line.tasks.total == 3
