"""Signs of life: a dead run is told from a slow one, in words, with the reason."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from outflow_core.rows import Life
from outflow_core.schema.upgrades import upgrade
from outflow_core.settings import Settings
from outflow_core.states import State
from outflow_tui.cli import main
from outflow_tui.format import ASCII
from outflow_tui.snapshot import RunLine, Snapshot
from outflow_tui.status import reason, standing, state_words, tally, took
from tests.core.books import configure, running
from tests.fixtures import copy_of
from tests.tui.desk import sitting
from tests.tui.story import NOW, FakeSource, ToldRun, _line, lost, run, task


def told(life: Life | None, *, silent_minutes: float = 0, state: State = State.RUNNING) -> RunLine:
    """The line of a run of which this is known."""
    return _line(run(46, state=state, life=life, silent_minutes=silent_minutes))


@pytest.mark.parametrize(
    ("life", "silent_minutes", "state", "why"),
    [
        (None, 0, "> running", ""),
        (None, 185, "? silent 3 h", ""),
        (Life(1), 0, "> running", ""),
        (Life(1), 125, "> running", "alive, no task began or ended for 2 h"),
        (lost(20), 185, "? gone 20 min", "no heartbeat since 11:40:00 (pid 4711 on n12, Slurm job 998)"),
        (lost(20, job=""), 0, "? gone 20 min", "no heartbeat since 11:40:00 (pid 4711 on n12)"),
        (
            lost(0.5, gone=True),
            0,
            "! gone 30 s",
            "process 4711 is gone, last heard of at 11:59:30 (on n12, Slurm job 998)",
        ),
        (
            lost(20, number=3, job="990_8"),
            0,
            "? gone 20 min",
            "no heartbeat since 11:40:00 (pid 4711 on n12, Slurm job 990_8); its other 2 are not alive either",
        ),
        (
            lost(20, alive=2, job=""),
            185,
            "> running",
            "alive, but 1 of 3 processes is not: no heartbeat since 11:40:00 (pid 4711 on n12)",
        ),
        (lost(-20), 0, "? gone 0 s", "no heartbeat since 12:20:00 (pid 4711 on n12, Slurm job 998)"),
    ],
)
def test_the_verdict_and_its_reason(life: Life | None, silent_minutes: float, state: str, why: str) -> None:
    line = told(life, silent_minutes=silent_minutes)
    assert (state_words(line, NOW, ASCII), reason(line, NOW)) == (state, why)


def test_of_a_run_that_is_over_only_its_state_is_told() -> None:
    line = told(lost(20), state=State.FAILED)
    assert (state_words(line, NOW, ASCII), reason(line, NOW)) == ("x failed", "")


def test_a_dead_run_took_no_longer_than_it_lived() -> None:
    until = NOW - timedelta(minutes=20)
    assert took(told(lost(20), silent_minutes=30), NOW) == took(told(Life(1)), until)
    assert took(told(lost(30), silent_minutes=20), NOW) == took(told(Life(1)), until), (
        "a task ended after the last beat"
    )


def test_a_slow_run_keeps_the_view_live_and_a_dead_one_does_not() -> None:
    def word(line: RunLine) -> str:
        seen = Snapshot("books", runs=(line,), is_read=True, is_complete=True)
        return standing([seen], is_paused=False, now=NOW)

    assert word(told(Life(1), silent_minutes=600)) == "live"
    assert word(told(lost(1))) == "idle"


def test_the_tally_counts_the_dead_apart() -> None:
    assert tally([told(lost(20)), told(Life(1)), told(None, silent_minutes=60)], NOW) == "1 running   1 gone   1 silent"


# on the screen

NIGHT = [
    run(46, "slow", state=State.RUNNING, life=Life(1), silent_minutes=125, tasks=[task(1, state=State.RUNNING)]),
    run(45, "dead", state=State.RUNNING, life=lost(20), tasks=[task(2, state=State.RUNNING)]),
    run(44, "killed", state=State.RUNNING, life=lost(95, gone=True), tasks=[task(3, state=State.RUNNING)]),
]


@pytest.mark.parametrize(("width", "age", "longer"), [(80, "20m", "1h"), (120, "20 min", "1 h")])
async def test_the_list_tells_the_dead_from_the_slow(width: int, age: str, longer: str) -> None:
    async with sitting(FakeSource(NIGHT), size=(width, 24)) as desk:
        assert "▶ running" in await desk.sees("slow")
        assert f"? gone {age} " in await desk.sees("dead")
        assert f"! gone {longer} " in await desk.sees("killed")
        assert "1 running   2 gone" in desk.text()


async def test_a_silent_run_fits_its_column_at_80_cells() -> None:
    async with sitting(FakeSource([run(46, state=State.RUNNING, silent_minutes=59)]), size=(80, 24)) as desk:
        await desk.sees("? silent 59m ")


async def test_the_reason_of_the_run_under_the_cursor_stands_over_the_list() -> None:
    async with sitting(FakeSource(NIGHT), size=(120, 24)) as desk:
        await desk.sees("dead")
        assert "no heartbeat" not in desk.text()
        await desk.press("down")
        assert "45: no heartbeat since 11:40:00 (pid 4711 on n12, Slurm job 998)" in await desk.sees("2 gone")
        await desk.press("down")
        assert "44: process 4711 is gone" in await desk.sees("2 gone")


async def test_a_run_that_dies_while_somebody_looks_says_so() -> None:
    async with sitting(FakeSource([run(46, state=State.RUNNING, life=Life(1))]), size=(80, 24)) as desk:
        await desk.sees("▶ running")
        await desk.answers([run(46, state=State.RUNNING, life=lost(0, gone=True))])
        await desk.sees("! gone 0s")
        assert "idle" in desk.lines()[0]


def words_of(lines: list[str]) -> str:
    """Lines of a screen as one text, wherever they were broken."""
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize(
    ("told_run", "state", "why"),
    [
        (NIGHT[0], "▶ running", "alive, no task began or ended for 2 h"),
        (NIGHT[1], "? gone 20 min", "no heartbeat since 11:40:00 (pid 4711 on n12, Slurm job 998)"),
        (NIGHT[2], "! gone 1 h", "process 4711 is gone, last heard of at 10:25:00 (on n12, Slurm job 998)"),
    ],
)
async def test_the_screen_of_a_run_gives_the_reason(told_run: ToldRun, state: str, why: str) -> None:
    async with sitting(FakeSource([told_run]), size=(80, 24)) as desk:
        await desk.sees("running" if "running" in state else "gone")
        await desk.press("enter")
        assert state in await desk.sees(f"run {told_run.row.id}")
        assert why in words_of(desk.lines()[:4])


async def test_a_run_of_which_nothing_is_known_has_no_line_for_it() -> None:
    async with sitting(FakeSource([run(46, state=State.RUNNING, tasks=[task(1)])]), size=(80, 24)) as desk:
        await desk.sees("running")
        await desk.press("enter")
        await desk.sees("run 46")
        assert "calibrate" in desk.lines()[1]


@pytest.mark.parametrize(
    ("typed", "left"), [("state:gone", {45, 44}), ("gone", {45, 44}), ("state:running", {46, 45, 44})]
)
async def test_the_filter_finds_the_dead(typed: str, left: set[int]) -> None:
    async with sitting(FakeSource(NIGHT), size=(120, 24)) as desk:
        await desk.sees("dead")
        await desk.press("slash")
        desk.app.screen.query_one("TypingLine").value = typed  # type: ignore[attr-defined]
        await desk.press("enter")
        runs = desk.app.screen.query_one("#runs")
        assert {item.line.row.id for item in runs.items} == left  # type: ignore[attr-defined]
        assert "not understood" not in desk.text()


# in scripts

RECORDS = """
import os, sys, time
from pathlib import Path
os.environ["SLURM_JOB_ID"] = "998"
from outflow_core import record_run
from outflow_core.run_queries import processes
from outflow_core.reader import Reader
from outflow_core.settings import read_settings
with record_run("reduce", config=sys.argv[1]) as run:
    reader = Reader(read_settings(Path(sys.argv[1])).database())
    while not processes(reader, [run.id]):
        time.sleep(0.01)
    print("ready", flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def books(tmp_path: Path) -> Settings:
    """A configuration with a SQLite file that has all our tables."""
    settings = configure(tmp_path, {"default": {"dialect": "sqlite", "path": "outflow.db"}})
    upgrade(settings)
    return settings


def test_scripts_are_told_which_processes_live(books: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(*words: str) -> str:
        assert main([*words, "-s", str(books.path)]) == 0
        return capsys.readouterr().out

    assert books.path is not None
    with running(RECORDS, books.path) as child:
        assert ask("runs").splitlines()[1].split()[:3] == ["1", "running", "reduce"]
        (process,) = json.loads(ask("show", "1", "--json"))["processes"]
        keys = "hostname pid slurm_job_id slurm_array_job_id slurm_array_task_id state started_at last_seen_at ended_at"
        assert list(process) == keys.split()
        assert (process["pid"], process["state"], process["slurm_job_id"]) == (child.pid, "alive", "998")
        assert process["started_at"].endswith("Z") and process["ended_at"] is None
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert "running, gone" in ask("runs")
        assert json.loads(ask("show", "1", "--json"))["processes"][0]["state"] == "gone"
        shown = ask("show", "1")
        assert f"process   {child.pid} on " in shown and "Slurm job 998: gone, last heard of" in shown


def test_of_books_without_the_table_no_process_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["show", "1", "--json", "-s", str(copy_of("killed", tmp_path))]) == 0
    assert json.loads(capsys.readouterr().out)["processes"] == []
