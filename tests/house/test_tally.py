"""What tests tell is printed at the end, added up over the processes in which they ran."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
TELLING = """
import pytest

@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_one(number, tally):
    tally("commits held", number)
    tally("longest wait, ms", number / 2, how="max")
    tally("faults tried", f"fault {number % 2}", how="names")
"""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_numbers_are_added_up_over_tests_and_processes(tmp_path: Path, processes: str) -> None:
    (tmp_path / "test_told.py").write_text(TELLING, encoding="utf-8")
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n", encoding="utf-8")
    words = ("-p", "xdist", "-n", processes, "--tally", "told.json")
    command = [sys.executable, "-m", "pytest", f"--rootdir={tmp_path}", "-c", os.devnull, *words, "."]
    alone = os.environ | {"PYTHONPATH": str(HERE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads((tmp_path / "told.json").read_text()) == {
        "commits held": 10,
        "longest wait, ms": 2.0,
        "faults tried": 2,
    }
    lines = ran.stdout.splitlines()
    assert "commits held     |     10" in lines and "longest wait, ms |   2.00" in lines
    assert "4 passed" in lines[-1]
