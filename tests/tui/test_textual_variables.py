"""What Textual reads of the environment: nonsense in it is told in words, and nothing else stops the start."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures import copy_of
from tests.terminal import MONITOR, Terminal


def monitor_with(folder: Path, name: str, value: str) -> Terminal:
    return Terminal(["env", f"{name}={value}", *MONITOR, str(copy_of("kinds", folder))], folder=folder)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TEXTUAL_THEME", "nope", "unknown 'nope'; known: ansi-dark"),
        ("TEXTUAL_THEME", "safe-drak", "unknown 'safe-drak'; did you mean 'safe-dark'?"),
        ("TEXTUAL_COLOR_SYSTEM", "many", "'many' is no colour system; say one of auto, standard, 256, truecolor"),
        ("TEXTUAL_COLOR_SYSTEM", "", "'' is no colour system"),
        ("TEXTUAL_DRIVER", "nope", "'nope' names no driver of Textual's"),
        ("TEXTUAL_DRIVER", "os:path", "'os:path' names no driver of Textual's"),
        ("TEXTUAL_LOG", "/", "'/' cannot be written (Is a directory)"),
        ("TEXTUAL_PRESS", "j,wait:soon", "'j,wait:soon' waits for no number of milliseconds"),
    ],
)
def test_nonsense_is_told_with_the_name_of_the_variable(tmp_path: Path, name: str, value: str, words: str) -> None:
    with closing(monitor_with(tmp_path, name, value)) as terminal:
        assert terminal.ends() == 2
        assert f"outflow-tui: {name}: {words}".replace(" ", "") in "".join(terminal.shown().split())
        assert b"\x1b[?1049h" not in terminal.written


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEXTUAL_THEME", ""),
        ("TEXTUAL_THEME", "nope,safe-light"),
        ("TEXTUAL_COLOR_SYSTEM", "truecolor"),
        ("TEXTUAL_DRIVER", "textual.drivers.linux_driver:LinuxDriver"),
        ("TEXTUAL_LOG", "log"),
        ("TEXTUAL_PRESS", "j,wait:1"),
        ("TEXTUAL_FPS", "nope"),
        ("TEXTUAL_ANIMATIONS", "nope"),
        ("TEXTUAL_SCREENSHOT", "nope"),
        ("TEXTUAL", "nope"),
    ],
)
def test_what_textual_understands_or_leaves_aside_stops_nothing(tmp_path: Path, name: str, value: str) -> None:
    with closing(monitor_with(tmp_path, name, value)) as terminal:
        terminal.sees("bad_setup")
        terminal.press("q")
        assert terminal.ends() == 0
