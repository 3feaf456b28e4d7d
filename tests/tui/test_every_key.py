"""Every key that is listed for a screen does something there that can be seen, or is greyed, or says why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding

from outflow_core.states import State
from outflow_tui import keys
from tests.tui.desk import Desk
from tests.tui.story import FakeSource, run
from tests.tui.views import VIEWS, View, at, go, seen, settled

SCREENS = {view.name: view for view in VIEWS if view.name in keys.SCREENS} | {
    "Everywhere": VIEWS[0],
    "Save": View("Save", ("down", "enter", "E"), "Text: all lines of it"),
}
"""Where the keys of each table make sense."""
FIRST: Mapping[str, Sequence[str]] = {
    "runs.clear": ("f",),
    "lines.down": ("home",),
    "lines.up": ("end",),
    "lines.page-down": ("home",),
    "lines.page-up": ("end",),
    "lines.first": ("end",),
    "lines.last": ("home",),
    "sideways.left": ("right",),
    "run.downstream": ("home",),
    "tasks.unfold": ("home", "down", "h"),
    "tasks.fold": ("home", "down", "l"),
    "tasks.toggle": ("home", "down"),
    "traceback.downstream": ("u",),
    "folds.unfold": ("home", "h"),
    "folds.fold": ("home", "l"),
    "folds.toggle": ("home",),
    "folds.unfold-all": ("H",),
    "folds.fold-all": ("L",),
    "configurations.previous": ("right",),
}
"""What is pressed before a key, so that there is something for it to do."""
NARROW = {"Several configurations": (30, 24)}
"""Windows in which not everything fits, for keys that move what does not."""


SILENT = ("redraw",)
"""Actions that change nothing but the terminal, where somebody else has written."""


def bare() -> tuple[FakeSource, ...]:
    """A run of which nothing is recorded but that it failed."""
    return (FakeSource([run(46, state=State.FAILED)]),)


NOTHING = {
    "Runs": View("No runs", (), "No run is recorded", VIEWS[-2].sources),
    "Run": View("A bare run", ("enter",), "No task is recorded", bare),
    "Failures": View("No failures", ("enter", "2"), "No task of this run failed", bare),
    "Timeline": View("Nothing ran", ("enter", "3"), "No task has begun", bare),
    "Difference": View("The same", ("end", "space", "up", "space", "d"), "same configuration"),
}
"""Where the keys of some tables have nothing to work on."""


def listed(name: str) -> list[tuple[Binding, str]]:
    """Each key of each binding of a screen."""
    bindings = [binding for table in keys.SCREENS[name] for binding in keys.bindings(table)]
    return [(binding, key) for binding in bindings for key in binding.key.split(",")]


def state(desk: Desk) -> tuple[Any, ...]:
    """All that a person, or the terminal, can notice."""
    app = desk.app
    asked = sum(len(source.asked) for source in desk.sources)
    return (app.screen, seen(desk), app.clipboard, len(app._notifications), app._exit, app.focused, asked)


async def complaint(desk: Desk, binding: Binding, key: str) -> str:
    """Press a key; in what way it is silent: '' when it does something."""
    await go(desk, FIRST.get(binding.id or "", ()))
    active = desk.app.screen.active_bindings.get(key)
    if active is None or active.binding.action != binding.action:
        return f"{key} ({binding.tooltip}) means {active.binding.action if active else 'nothing'}"
    if not active.enabled:
        return f"{key} ({binding.tooltip}) is greyed"
    desk.app.clear_notifications()
    await desk.pilot.pause()
    before = state(desk)
    await desk.press(key)
    if not desk.app._exit:
        await settled(desk)
    return "" if state(desk) != before or binding.action in SILENT else f"{key} ({binding.tooltip}) does nothing"


async def complaints(view: View, pressed: list[tuple[Binding, str]], size: tuple[int, int] = (80, 24)) -> list[str]:
    """Try these keys, in as few sittings as possible: a key that leads elsewhere ends one."""
    waiting, said = list(pressed), []
    while waiting:
        async with at(view, size=size) as desk:
            place, is_same = (desk.app.screen, desk.app.focused), True
            while waiting and is_same:
                said.append(await complaint(desk, *waiting.pop(0)))
                is_same = (desk.app.screen, desk.app.focused) == place and not desk.app._exit
    return list(filter(None, said))


def test_the_way_to_every_screen_is_known() -> None:
    assert set(SCREENS) == set(keys.SCREENS)


@pytest.mark.parametrize("name", SCREENS)
async def test_every_key_of_a_screen_does_something(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    once = name in ("Everywhere", "Searching")
    for keys_of_a_sitting in [[each] for each in listed(name)] if once else [listed(name)]:
        assert not await complaints(SCREENS[name], keys_of_a_sitting, NARROW.get(name, (80, 24)))


@pytest.mark.parametrize("name", NOTHING)
async def test_where_a_key_has_nothing_to_do_it_is_greyed_or_says_so(name: str) -> None:
    own = keys.bindings(keys.SCREENS[name][0])
    said = await complaints(NOTHING[name], [(binding, key) for binding, key in listed(name) if binding in own])
    assert [words for words in said if not words.endswith("is greyed")] == []
