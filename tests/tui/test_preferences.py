"""What a user likes: read from a file of their own, refused in words when it makes no sense."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from outflow_core.errors import ConfigError
from outflow_tui import keys
from outflow_tui.app import OutflowApp
from outflow_tui.preferences import Preferences, preferences_file, read_preferences
from outflow_tui.screens.help import help_lines
from tests.tui.desk import sitting
from tests.tui.story import FakeSource, run


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_is_found_below_the_configuration_directory() -> None:
    assert preferences_file({"HOME": "/home/me"}) == Path("/home/me/.config/outflow-tui/settings.toml")
    assert preferences_file({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}) == Path("/c/outflow-tui/settings.toml")


def test_without_a_file_everything_stays_as_it_is(tmp_path: Path) -> None:
    assert read_preferences(tmp_path / "settings.toml") == Preferences()


def test_keys_colours_and_the_tick_are_read(tmp_path: Path) -> None:
    path = written(
        tmp_path, 'theme = "safe-dark"\nevery = 5\n[keys]\n"runs.filter" = ["?", "f3"]\n"everywhere.keys" = "f1"\n'
    )
    found = read_preferences(path)
    assert (found.theme, found.every) == ("safe-dark", 5)
    assert found.keymap == {"runs.filter": "question_mark,f3", "everywhere.keys": "f1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("theme = 3", "theme: must be the name of a theme"),
        ("every = true", "every: must be a number of seconds"),
        ("every = 0.01", "every: must be a number of seconds"),
        ("thme = 'x'", "unknown 'thme'; did you mean 'theme'?"),
        ("keys = 3", "keys: must be a table"),
        ("[keys]\n'runs.filtr' = 'x'", "unknown 'runs.filtr'; did you mean 'runs.filter'?"),
        ("[keys]\n'runs.filter' = ''", "keys.runs.filter: must be a key"),
        ("[keys]\n'runs.filter' = ['two words']", "keys.runs.filter: must be a key"),
        ("[keys]\n'runs.filter' = 'd'", "'d' would mean both 'runs.filter' and 'runs.diff' on the screen 'Runs'"),
        ("[keys]\n'runs.filter' = 'p'", "'p' would mean both 'runs.filter' and 'everywhere.pause'"),
        ("= 3", "not TOML"),
        (f"every = {'7' * 5_000}", "not TOML"),
        (f"every = {'[' * 5_000}", "not TOML"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_file_and_the_way_out(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_preferences(path)
    assert str(caught.value).startswith(str(path)) and words in str(caught.value)


def test_what_is_no_file_or_has_no_end_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "zero", tmp_path):
        with pytest.raises(ConfigError, match=f"{path}: (is no regular file|cannot be read)"):
            read_preferences(path)
    with pytest.raises(ConfigError, match="larger than 20,000 bytes"):
        read_preferences(written(tmp_path, "#" * 20_001))


def test_an_unknown_theme_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"settings.toml: theme: unknown 'safe-drak'; did you mean 'safe-dark'"):
        OutflowApp([], preferences=Preferences(tmp_path / "settings.toml", theme="safe-drak"))


@pytest.mark.parametrize("theme", ["safe-dark", "safe-light"])
async def test_the_themes_of_our_own_can_be_worn(theme: str) -> None:
    async with sitting(FakeSource([run(46)]), likes=Preferences(theme=theme)) as desk:
        await desk.sees("46")
        assert desk.app.theme == theme


async def test_a_key_of_the_users_own_takes_the_place_of_ours() -> None:
    likes = Preferences(keymap={"runs.config": "f4", "lines.down": "down,ctrl+n"})
    async with sitting(FakeSource([run(46), run(45, "calibrate")]), likes=likes) as desk:
        await desk.sees("46")
        await desk.press("c")
        assert "PROGRESS" in desk.text()
        await desk.press("ctrl+n", "f4")
        await desk.misses("PROGRESS")
        await desk.press("q", "question_mark")
        assert (await desk.sees("Show the configuration of this run")).split()[0] == "f4"


async def test_the_palette_tells_the_users_keys() -> None:
    async with sitting(FakeSource([run(46)]), likes=Preferences(keymap={"runs.filter": "f3"})) as desk:
        await desk.sees("46")
        told = {command.title: command.help for command in desk.app.get_system_commands(desk.app.screen)}
        assert told["Filter as you type (state:failed, host:a, since:2d)"] == "key f3"


def test_every_action_of_the_table_has_a_name_of_its_own_on_its_screen() -> None:
    for tables in keys.SCREENS.values():
        names = [binding.id for table in tables for binding in keys.bindings(table)]
        assert None not in names and len(names) == len(set(names))


def test_the_help_shows_the_users_keys() -> None:
    lines = ["".join(piece for piece, _ in line.pieces) for line in help_lines("Runs", {"runs.filter": "f3"})]
    (line,) = [line for line in lines if "Filter as you type" in line]
    assert line.split()[0] == "f3"
