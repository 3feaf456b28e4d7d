"""What became of the items of maps that real Outflow 0.9.2 ran: alone, in workflows, in maps, killed, in parallel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outflow_core import processed
from outflow_core.rows import ProcessingRow
from tests.real_outflow.test_real_outflow import made, monitor, outflow, pipeline

__all__ = ["pipeline"]
FILES = ("n0.fits", "naïve.fits", "n2.fits", "3")
COMMANDS = ("chained", "nested", "map_of_maps")


def states(folder: Path) -> list[str]:
    """The state of each file in the newest run, or of its map as a whole."""
    found = []
    for name in FILES:
        row = json.loads(monitor(folder, "processed", f"file={name}", "--json").stdout)["processings"][0]
        found.append(f"{row['state']}{', the map' if row['whole_map'] else ''}")
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_each_item_has_the_state_of_its_own_tasks(command: str, pipeline: Path) -> None:
    made(pipeline)
    failing = "fit naïve.fits#1" if command == "map_of_maps" else "fit naïve.fits"
    assert outflow(pipeline, command, "--fail", failing).returncode == 0
    assert states(pipeline) == ["success", "failed", "success", "success"]
    assert outflow(pipeline, command, "--fail", "fetch n2.fits").returncode == 0
    assert states(pipeline) == ["success", "success", "failed", "success"]
    assert monitor(pipeline, "processed", "naïve.fits").returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_in_a_killed_run_the_items_before_are_done_and_those_behind_are_not(command: str, pipeline: Path) -> None:
    made(pipeline)
    killing = "fit n2.fits#0" if command == "map_of_maps" else "fit n2.fits"
    assert outflow(pipeline, command, "--kill", killing).returncode != 0
    assert states(pipeline) == ["success", "success", "running", "pending"]


def test_items_of_the_parallel_backend_count_only_when_the_books_say_so(pipeline: Path) -> None:
    made(pipeline)
    assert outflow(pipeline, "--backend", "parallel", "chained").returncode == 0
    runs = json.loads(monitor(pipeline, "runs", "--json").stdout)
    done = runs[0]["tasks"]["success"] > 1
    assert runs[0]["state"] == "success"
    assert states(pipeline) == ["success" if done else "pending"] * 4


def test_a_pipeline_skips_what_outflow_has_done(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(pipeline)
    assert outflow(pipeline, "chained", "--fail", "fit n2.fits").returncode == 0
    monkeypatch.chdir(pipeline)
    monkeypatch.delenv("OUTFLOW_CONFIG_PATH", raising=False)

    def done(value: object) -> tuple[ProcessingRow, ...]:
        return processed({"file": value})

    assert [row.tasks for row in done(Path("/data/n0.fits"))] == [("fetch", "fit")]
    assert done("naïve.fits") and done(3)
    assert not done("n2.fits") and not done("3")
    config = pipeline / "config.yml"
    config.write_text(config.read_text() + "\nthreshold: 5\n")
    assert not done("naïve.fits")
