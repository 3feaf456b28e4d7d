"""The demonstration: some nights are reduced, one goes on for a minute, and the monitor looks on.

Everything happens in a temporary directory, which is gone afterwards. Without a terminal the runs
are printed as text.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PIPELINE = HERE / "reduce_night.py"
BIN = Path(sys.executable).parent

CONFIG = """\
databases:
  default:
    dialect: sqlite
    path: outflow.db
parameters:
  fit:
    tolerance: {tolerance}
    max_iter: {max_iter}
    min_pixels: 50
  expected:
    low: 1400
    high: {high}
instrument: {{name: spectrograph, detectors: [a, b]}}
secrets:
  archive_password: not-for-the-books
"""
ENDINGS = (signal.SIGTERM, signal.SIGHUP)
NIGHTS = (
    {"tolerance": "1.0e-4", "max_iter": 5, "high": 1600},
    {"tolerance": "1.0e-4", "max_iter": 5, "high": 1600},
    {"tolerance": "1.0e-6", "max_iter": 20, "high": 1450},
)


def start_night(
    folder: Path, number: int, values: dict[str, object], *, frames: int, pause: float
) -> subprocess.Popen[bytes]:
    """Begin to reduce one night with a configuration of its own."""
    config = folder / "config.yml"
    config.write_text(CONFIG.format(**values))
    frames_folder = folder / f"night_{number}"
    frames_folder.mkdir()
    options = ["--config", config, "--folder", frames_folder, "--frames", frames, "--pause", pause, "--seed", number]
    command = [sys.executable, str(PIPELINE), *map(str, options)]
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_until_recorded(folder: Path, live: subprocess.Popen[bytes]) -> None:
    """Wait until the run that goes on stands in the books, or has ended."""
    command = [BIN / "outflow-tui", "runs", "--state", "running", "--json"]
    while live.poll() is None:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if '"id"' in answer.stdout:
            return
        time.sleep(0.2)


def leave(received: int, _: object) -> None:
    """Leave by the way that tidies up, and let no second signal disturb it."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + received)


def main() -> int:
    """Run the demonstration; 0 when all went well."""
    for name in ("OUTFLOW_CONFIG_PATH", "PIPELINE_ROOT_DIRECTORY"):  # they may name a pipeline of the user's own
        os.environ.pop(name, None)
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with tempfile.TemporaryDirectory(prefix="outflow-demo-") as name:
        folder = Path(name)
        (folder / "config.yml").write_text(CONFIG.format(**NIGHTS[0]))
        subprocess.run([BIN / "outflow-db", "upgrade"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        print("Some nights are being reduced ...", flush=True)
        for number, values in enumerate(NIGHTS):
            start_night(folder, number, dict(values), frames=60, pause=0.0).wait()
        live = start_night(folder, len(NIGHTS), dict(NIGHTS[-1]), frames=120, pause=0.5)
        try:
            wait_until_recorded(folder, live)
            monitor = [BIN / "outflow-tui"] if is_terminal else [BIN / "outflow-tui", "runs"]
            return subprocess.run(monitor, cwd=folder, check=False).returncode
        finally:
            live.send_signal(signal.SIGINT)
            live.wait()


if __name__ == "__main__":
    for number in ENDINGS:
        signal.signal(number, leave)
    sys.exit(main())
