"""Pipelines that commit all the time: real Outflow and our recorder, each in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PIPELINE = HERE.parent / "real_outflow" / "pipeline"
OUTFLOW = HERE.parents[1] / ".venv-outflow" / "bin" / "python"
BEFORE = (("plain",), ("plain",), ("broken",), ("mapped", "--items", "30", "--fail-every", "10"))
"""Runs that stand in the books before anybody watches."""


@dataclass(frozen=True)
class Told:
    """What a writer says of its commits."""

    commits: int = 0
    failed: int = 0
    blocks: int = 0
    exceptions: int = 0
    longest: float = 0.0
    errors: list[str] = field(default_factory=list)


def new_pipeline(folder: Path, databases: dict[str, Any] | None = None) -> Path:
    """A copy of the pipeline, with tables that real Outflow made and some runs in them."""
    assert OUTFLOW.exists(), "real Outflow is not installed; 'make test' does it"
    shutil.copytree(PIPELINE, folder)
    if databases is not None:
        config = {"databases": databases, "instrument": {"name": "spectrograph"}}
        (folder / "config.yml").write_text(json.dumps(config))
    for words in (("management", "db", "upgrade", "head"), *BEFORE):
        ran = outflow(folder, *words)
        assert ran.wait(60) == (words == ("broken",)), words
    return folder


def outflow(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A command of the pipeline under real Outflow."""
    log = (folder / "root_debug.log").open("ab")
    with log:
        return subprocess.Popen([OUTFLOW, "manage.py", *words], cwd=folder, stdout=log, stderr=log)


@dataclass(frozen=True)
class Writer:
    """A process that commits, and the file in which it tells of that."""

    process: subprocess.Popen[bytes]
    report: Path
    seconds: float

    def told(self) -> Told:
        """What it says when it is through; fails when it died."""
        status = self.process.wait(self.seconds + 120)
        log = (self.report.parent / "root_debug.log").read_text(errors="replace")[-3000:]
        assert status == 0 and self.report.exists(), f"the writer ended with {status}: {log}"
        return Told(**json.loads(self.report.read_text()))

    def end(self) -> None:
        """Nobody needs it any more."""
        self.process.kill()
        self.process.wait()


def outflow_writer(folder: Path, name: str, seconds: float, pause: float = 0.0) -> Writer:
    """Real Outflow: a run whose task changes states in Outflow's session, each change a commit."""
    report = folder / f"{name}.json"
    words = ("--seconds", str(seconds), "--pause", str(pause), "--report", str(report))
    return Writer(outflow(folder, "commits", *words), report, seconds)


def our_writer(folder: Path, name: str, seconds: float, pause: float = 0.0) -> Writer:
    """Our recorder: runs with maps, each change of a state a commit."""
    report = folder / f"{name}.json"
    command = [sys.executable, "-m", "tests.soak.recording", str(folder), str(seconds), str(pause), str(report)]
    with (folder / "root_debug.log").open("ab") as log:
        environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
        return Writer(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment), report, seconds)
