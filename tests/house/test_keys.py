"""The table of keys: no clash, no lie in the help or the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from outflow_tui import keys
from outflow_tui.screens.help import help_lines

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.parametrize("name", [name for name in keys.SCREENS if name != "Everywhere"])
def test_no_key_means_two_things_on_one_screen(name: str) -> None:
    tables = [*keys.SCREENS[name], keys.APP]
    pressed = [key for table in tables for binding in keys.bindings(table) for key in binding.key.split(",")]
    assert sorted(pressed) == sorted(set(pressed))


@pytest.mark.parametrize("name", keys.SCREENS)
def test_the_help_shows_every_key_within_80_cells(name: str) -> None:
    lines = ["".join(piece for piece, _ in line.pieces) for line in help_lines(name)]
    for table in keys.SCREENS[name]:
        for pressed, what in keys.described(table):
            assert any(pressed in line and what in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_the_readme_lists_the_keys_as_they_are() -> None:
    assert keys.as_markdown() in README.read_text(), f"put this into the README:\n{keys.as_markdown()}"
