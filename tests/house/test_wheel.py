"""The wheel in an empty environment, used from another directory, as somebody who installs it does."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed; what it printed."""
    answer = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}"
    return answer.stdout


def test_the_wheel_brings_its_migrations_and_works_elsewhere(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", ROOT, cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    home = tmp_path / "env" / "bin"
    run(home / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    pages = [path.name for path in (tmp_path / "env" / "share" / "man" / "man1").iterdir()]
    assert sorted(pages) == ["outflow-db.1", "outflow-tui.1"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.yml").write_text("databases:\n  default: {dialect: sqlite, path: outflow.db}\n")
    run(home / "outflow-db", "upgrade", cwd=elsewhere)
    script = "from outflow_core import record_run\nwith record_run('night') as run:\n    with run.task('one'): pass\n"
    run(home / "python", "-c", script, cwd=elsewhere)
    (seen,) = json.loads(run(home / "outflow-tui", "runs", "--json", cwd=elsewhere))
    assert (seen["command"], seen["state"], seen["tasks"]["success"]) == ("night", "success", 1)
