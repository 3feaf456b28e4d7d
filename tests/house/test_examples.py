"""The examples run, on real books, and leave in them what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BIN = Path(sys.executable).parent


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """The directory of a pipeline whose books are empty."""
    (tmp_path / "config.yml").write_text("databases: {default: {dialect: sqlite, path: books.db}}\n")
    subprocess.run([str(BIN / "outflow-db"), "upgrade"], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def run_example(pipeline: Path, *command: str) -> str:
    """What an example prints; it ends well."""
    script = [sys.executable, str(EXAMPLES / command[0]), *command[1:]]
    answer = subprocess.run(script, cwd=pipeline, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def shown(pipeline: Path) -> tuple[dict[str, Any], Counter[tuple[str, str]]]:
    """The last run, and its blocks by name and state."""
    command = [str(BIN / "outflow-tui"), "show", "last", "--json"]
    answer = subprocess.run(command, cwd=pipeline, capture_output=True, text=True, check=True)
    run = json.loads(answer.stdout)
    return run, Counter((block["name"], block["state"]) for block in run["blocks"])


def test_a_map_over_dask_is_recorded_item_by_item(pipeline: Path) -> None:
    printed = run_example(pipeline, "dask_night.py", "--config", "config.yml", "--frames", "40")
    run, blocks = shown(pipeline)
    assert printed.startswith("38 of 40 frames")
    assert (run["state"], run["command"]) == ("success", "dask_night")
    assert blocks == {
        ("map_frames", "success"): 1,
        ("mean", "success"): 38,
        ("mean", "failed"): 2,
        ("stack", "success"): 1,
    }
    broken = [block for block in run["blocks"] if block["exception"]]
    assert [block["input_values"]["number"] for block in broken] == ["13", "33"]
    assert "in mean_of_frame" in broken[0]["exception"]["traceback"]


def test_decorated_functions_are_recorded(pipeline: Path) -> None:
    assert run_example(pipeline, "decorated.py", "config.yml").count("night") == 3
    run, blocks = shown(pipeline)
    assert blocks == {("reduce", "success"): 3, ("load", "success"): 3, ("clip outliers", "success"): 3}
    clip = next(block for block in run["blocks"] if block["name"] == "clip outliers")
    assert clip["parent_id"] == next(block["id"] for block in run["blocks"] if block["name"] == "reduce")


def test_the_jobs_of_an_array_record_into_one_run(pipeline: Path) -> None:
    assert "3 of 3 parts are there" in run_example(pipeline, "job_array.py", "config.yml")
    run, blocks = shown(pipeline)
    assert run["state"] == "success"
    assert blocks == {("split", "success"): 1, ("part", "success"): 3, ("merge", "success"): 1}
    parts = {block["input_values"]["number"] for block in run["blocks"] if block["name"] == "part"}
    assert parts == {"0", "1", "2"}
