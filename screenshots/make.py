"""Makes the pictures of the README: the example pipeline is run and recorded, the real program shows it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples"))

import demo  # noqa: E402

from outflow_core.settings import find_database  # noqa: E402
from outflow_tui.app import OutflowApp, Watched  # noqa: E402
from outflow_tui.source import BooksSource  # noqa: E402

SCENES: dict[str, tuple[tuple[int, int], Sequence[str]]] = {
    "runs": ((100, 16), ()),
    "run": ((120, 30), ("down", "enter")),
    "traceback": ((100, 26), ("down", "enter", "enter")),
    "failures": ((110, 12), ("down", "enter", "2")),
    "diff": ((100, 14), ("down", "space", "down", "space", "d")),
    "configuration": ((100, 26), ("c",)),
}


async def draw(folder: Path, name: str, size: tuple[int, int], keys: Sequence[str]) -> None:
    """Press the keys of one scene and keep what is on the screen."""
    database = find_database(str(folder))
    app = OutflowApp([Watched("reduce/config.yml", lambda: BooksSource(database))], seconds=0.2)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(1.0)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.4)
        await pilot.pause(0.6)
        (HERE / f"{name}.svg").write_text(app.export_screenshot(title="outflow-tui"))


def main() -> int:
    """Record some nights and draw every scene."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yml").write_text(demo.CONFIG.format(**demo.NIGHTS[0]))
        subprocess.run([demo.BIN / "outflow-db", "upgrade"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        for number, values in enumerate(demo.NIGHTS):
            demo.start_night(folder, number, dict(values), frames=60, pause=0.01).wait()
        live = demo.start_night(folder, 9, dict(demo.NIGHTS[0]), frames=120, pause=0.3)
        demo.wait_until_recorded(folder, live)
        for scene, (size, keys) in SCENES.items():
            asyncio.run(draw(folder, scene, size, keys))
        live.terminate()
        live.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
