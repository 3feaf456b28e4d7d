"""What a user likes: keys, colours, how often to look; from a settings file of their own."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from outflow_core.errors import ConfigError
from outflow_core.nearest import way_out
from outflow_tui import keys

_KEY = re.compile(r"(?:(?:ctrl|shift|alt)\+)*(?:\S|[a-z][a-z0-9_]*)")
MAX_BYTES = 20_000
"""All keys there are take a fifth of it; the time of the parser grows with the square of a key's depth."""
_KNOWN = ("theme", "every", "keys")


class Preferences(NamedTuple):
    """The user's own settings; what is None or empty stays as the program has it."""

    path: Path | None = None
    theme: str | None = None
    every: float | None = None
    keymap: Mapping[str, str] = MappingProxyType({})
    """The id of a key's action (see `keys.ids`), and the keys for it, with commas between them."""


def preferences_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the settings are: below XDG_CONFIG_HOME, or else ~/.config."""
    named = environment.get("XDG_CONFIG_HOME")
    home = Path(environment.get("HOME") or "/")
    return (Path(named) if named else home / ".config") / "outflow-tui" / "settings.toml"


def read_preferences(path: Path | None = None) -> Preferences:
    """The user's settings, those of the program where there is no file; ConfigError when it cannot be understood."""
    path = path or preferences_file()
    try:
        text = _text(path)
    except (FileNotFoundError, NotADirectoryError):
        return Preferences()
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None
    tomllib: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        content = tomllib.loads(text)
    # numbers of thousands of digits and deep lists are no TOMLDecodeError
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    return _checked(path, content)


def _text(path: Path) -> str:
    """What stands in the file; a pipe would hold up the start for ever, and a device has no end."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ConfigError(f"{path}: is no regular file; put one there, or nothing.")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES:,} bytes, which no settings should be.")
    return content.decode("utf-8")


def _checked(path: Path, content: Mapping[str, Any]) -> Preferences:
    _refuse_unknown(f"{path}", content, _KNOWN)
    theme, every = content.get("theme"), content.get("every")
    if theme is not None and not isinstance(theme, str):
        raise ConfigError(f"{path}: theme: must be the name of a theme.")
    if every is not None and (
        isinstance(every, bool) or not isinstance(every, (int, float)) or not 0.1 <= every <= 3600
    ):
        raise ConfigError(f"{path}: every: must be a number of seconds from 0.1 to 3600.")
    return Preferences(path, theme, every, _keymap(path, content.get("keys", {})))


def _keymap(path: Path, section: Any) -> Mapping[str, str]:
    if not isinstance(section, dict):
        raise ConfigError(f'{path}: keys: must be a table of actions and keys, such as "runs.filter" = "ctrl+s".')
    _refuse_unknown(f"{path}: keys", section, keys.ids())
    keymap = {action: ",".join(_pressed(f"{path}: keys.{action}", wanted)) for action, wanted in section.items()}
    _refuse_clashes(path, keymap)
    return keymap


def _pressed(where: str, wanted: Any) -> list[str]:
    named = [wanted] if isinstance(wanted, str) else wanted
    if (
        not isinstance(named, list)
        or not named
        or not all(isinstance(key, str) and _KEY.fullmatch(key) for key in named)
    ):
        raise ConfigError(f'{where}: must be a key or a list of keys, such as "f5", "ctrl+s" or "/".')
    return [keys.long_name(key) for key in named]


def _refuse_unknown(where: str, content: Iterable[str], known: Iterable[str]) -> None:
    for name in content:
        if name not in known:
            raise ConfigError(f"{where}: unknown {name!r}; {way_out(name, known)}")


def _refuse_clashes(path: Path, keymap: Mapping[str, str]) -> None:
    for screen, tables in keys.SCREENS.items():
        taken: dict[str, str] = {}
        for binding in (binding for table in (*tables, keys.APP) for binding in keys.bindings(table)):
            action = binding.id or ""
            for key in keymap.get(action, binding.key).split(","):
                other = taken.setdefault(key, action)
                if other != action:
                    raise ConfigError(
                        f"{path}: {keys.shown(key)!r} would mean both {other!r} and {action!r} "
                        f"on the screen {screen!r}; give one of them another key."
                    )
