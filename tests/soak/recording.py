"""A pipeline of ours that records maps without end: what it committed and how long it waited.

python -m tests.soak.recording FOLDER SECONDS PAUSE REPORT
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from outflow_core import record_run

ITEMS = 50
told = {"blocks": 0, "commits": 0, "failed": 0, "exceptions": 0, "longest": 0.0}
"""The commits are counted by the database layer, the blocks and exceptions by the pipeline."""


def main(folder: str, seconds: str, pause: str, report: str) -> None:
    """One run after the other, of twenty maps each."""
    until = time.monotonic() + float(seconds)
    config = next(Path(folder).glob("config.*"))
    while time.monotonic() < until:
        with record_run("ours", config=config, strict=True) as run:
            for _ in range(20):
                if time.monotonic() < until:
                    with run.workflow("frames", inputs=[{"frame": number} for number in range(ITEMS)]) as frames:
                        frames.map("reduce", Item(float(pause)))
                    told["blocks"] += ITEMS + 1
    Path(report).write_text(json.dumps(told))


class Item:
    """Reduces a frame; the time between two is that of the commits between them."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._ended: float | None = None

    def __call__(self, frame: int) -> int:
        """Fail at every tenth."""
        if self._ended is not None:
            told["longest"] = max(told["longest"], time.monotonic() - self._ended)
        time.sleep(self._pause)
        self._ended = time.monotonic()
        if frame % 10 == 9:
            told["exceptions"] += 1
            raise ValueError("no stars")
        return frame


@event.listens_for(Engine, "commit")
def _count(_: Connection) -> None:
    told["commits"] += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
