"""The variables of the environment that Textual reads by itself: nonsense in them is told before it starts.

TEXTUAL_THEME is told with the other themes, by the app; of what is no number Textual takes its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from textual.driver import Driver

from outflow_core.errors import ConfigError

COLOUR_SYSTEMS = ("auto", "standard", "256", "truecolor")
_KEY_OR_WAIT = re.compile(r"wait:\d+(\.\d+)?|(?!wait:).*", re.DOTALL)


def refuse_nonsense(environment: Mapping[str, str]) -> None:
    """ConfigError, naming the variable, for the first that holds what Textual would stumble over."""
    for name, trouble_of in _TROUBLES.items():
        if name in environment and (trouble := trouble_of(environment[name])):
            raise ConfigError(f"{name}: {environment[name]!r} {trouble}, or unset it.")


def _trouble_of_colours(value: str) -> str:
    return "" if value in COLOUR_SYSTEMS else f"is no colour system; say one of {', '.join(COLOUR_SYSTEMS)}"


def _trouble_of_driver(value: str) -> str:
    module, _, name = value.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        found = None
    is_driver = isinstance(found, type) and issubclass(found, Driver)
    return "" if is_driver else "names no driver of Textual's; name one as module:class"


def _trouble_of_log(value: str) -> str:
    try:
        with Path(value or "/dev/null").open("a", encoding="utf-8"):
            return ""
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return f"cannot be written ({reason}); name a file that can"


def _trouble_of_keys(value: str) -> str:
    is_understood = all(map(_KEY_OR_WAIT.fullmatch, value.split(",")))
    return "" if is_understood else "waits for no number of milliseconds; write it as wait:100"


_TROUBLES: Mapping[str, Callable[[str], str]] = {
    "TEXTUAL_COLOR_SYSTEM": _trouble_of_colours,
    "TEXTUAL_DRIVER": _trouble_of_driver,
    "TEXTUAL_LOG": _trouble_of_log,
    "TEXTUAL_PRESS": _trouble_of_keys,
}
"""What is wrong with the value of each, in words; '' where nothing is."""
