"""The same terminal for all tests of the screens, whatever the one is like in which they run."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import _wait

_wait.SLEEP_GRANULARITY, _wait.SLEEP_IDLE = 1 / 200, 1 / 4_000
"""Textual's pilot asks so often whether the program is idle; with its own fiftieth of a second most tests only wait."""


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """UTF-8, colours, and no settings of the user's own."""
    for name in ("LC_ALL", "LC_CTYPE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(nowhere(tmp_path_factory)))


def nowhere(factory: pytest.TempPathFactory) -> Path:
    """A directory that is not there."""
    return factory.getbasetemp() / "nobodys-settings"
