"""Makes the pictures of the README: the real program, shown the scenes that the tests know too."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.tui.desk import sitting  # noqa: E402
from tests.tui.scenes import SCENES, Scene, observatory  # noqa: E402

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
        (HERE / f"{scene.name}.svg").write_text(_FONT_ADDRESS.sub("", picture))


def main() -> int:
    """Draw every scene."""
    for scene in SCENES:
        asyncio.run(draw(scene))
    return 0


if __name__ == "__main__":
    sys.exit(main())
