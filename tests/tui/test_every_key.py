"""Every key that the help lists for a screen means there what the help says."""

from __future__ import annotations

import pytest

from outflow_tui import keys
from tests.tui.desk import sitting
from tests.tui.story import FakeSource, configuration, run
from tests.tui.test_saving import books

WAYS: dict[str, tuple[list[str], str]] = {
    "Runs": ([], "PROGRESS"),
    "Run": (["enter"], "no gain"),
    "Traceback": (["enter", "enter"], "run 46  task 3"),
    "Failures": (["enter", "2"], "1 failed task"),
    "Timeline": (["enter", "3"], "calibrate"),
    "Several configurations": (["space", "space", "space", "d"], "3 runs"),
    "Upstream, downstream": (["enter", "u"], "2 upstream"),
    "Configuration": (["c"], "tolerance"),
    "Difference": (["w"], "differ"),
    "Search all runs": (["ctrl+f", *"gain", "down"], "1 found"),
    "Save": (["E"], "Text: all lines of it"),
    "Searching": (["enter", "enter", "slash", *"gain", "enter"], "1 of"),
}


def test_the_way_to_every_screen_is_known() -> None:
    assert {name for name in keys.SCREENS if name not in WAYS} == {"Everywhere"}


@pytest.mark.parametrize("name", WAYS)
async def test_no_key_of_a_screen_is_taken_by_what_stands_on_it(name: str) -> None:
    way, words = WAYS[name]
    async with sitting(FakeSource([*books(), run(44, config=configuration(3, {}))]), size=(100, 30)) as desk:
        await desk.sees("46")
        for key in way:
            await desk.press(key)
            await desk.pilot.pause()
            if key == "enter":
                await desk.sees("no gain")
        await desk.sees(words)
        active = desk.app.screen.active_bindings
        for table in keys.SCREENS[name]:
            for binding in keys.bindings(table):
                for key in binding.key.split(","):
                    assert active[key].binding.action == binding.action, f"{key} on {name}"
