"""Makes the pictures of the README, and those that the tests compare: the real program, shown the same scenes.

Names of views (`Runs`, `Timeline`) draw only those that the tests compare.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.tui.desk import sitting  # noqa: E402
from tests.tui.scenes import SCENES, Scene, observatory  # noqa: E402
from tests.tui.views import BASELINES, VIEWS, pictures  # noqa: E402

_FONT_ADDRESS = re.compile(r",\s*url\([^)]*\) format\([^)]*\)")
"""The pictures fetch nothing: a font that is not there is replaced by another one."""


async def draw(scene: Scene) -> None:
    """Press the keys of one scene and keep what is on the screen."""
    async with sitting(observatory(), size=scene.size) as desk:
        await desk.sees("reduce_night")
        for key in scene.keys:
            await desk.press(key)
            await desk.pilot.pause(0.3)
        picture = desk.app.export_screenshot(title="outflow-tui")
        (HERE / f"{scene.name}.svg").write_text(_FONT_ADDRESS.sub("", picture), encoding="utf-8")


def main(names: list[str]) -> int:
    """Draw every scene and every view, or those that are named."""
    os.chdir("/")  # the screen for saving says where it would write
    for scene in SCENES:
        if not names or scene.name in names:
            asyncio.run(draw(scene))
    BASELINES.mkdir(exist_ok=True)
    for view in VIEWS:
        if not names or view.name in names:
            view.file.write_text(asyncio.run(pictures(view)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
