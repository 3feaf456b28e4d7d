"""The content of a configuration file: YAML, JSON or TOML, by its suffix; every error says where.

All three are bounded alike, in size and in depth, and none may say the same key twice.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from outflow_core.errors import ConfigError
from outflow_core.yaml_bounds import MAX_DEPTH, refuse_duplicate_keys, weigh
from outflow_core.yaml_include import load_yaml_and_files, read_text

_TOML_PLACE = re.compile(
    r"(?P<words>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_KEY_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP_KEY = re.compile(
    rf"(?:^[ \t]*(?:\[{{1,2}}[ \t]*)?|[{{,]\s*){_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART}){{{MAX_DEPTH}}}", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class ConfigContent:
    """What a configuration says, and the files that it was read from: itself, and all it includes."""

    value: Any
    files: tuple[Path, ...]


def read_config(path: Path) -> ConfigContent:
    """The content of a configuration file; ConfigError, naming the place, for whatever cannot be read."""
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        return ConfigContent(*load_yaml_and_files(path))
    text = read_text(path)
    try:
        value = parse(path, text)
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply.") from None
    weigh(value, path)
    return ConfigContent(value, (path,))


class _KeyTwiceError(Exception):
    """A JSON object says one key twice."""


def _parse_json(path: Path, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique_keys) if text.strip() else None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except ValueError as error:  # a number of thousands of digits
        raise ConfigError(f"{path}: not JSON: {error}") from None
    except _KeyTwiceError as error:
        refuse_duplicate_keys(path, text.replace("\t", " "))  # JSON is YAML, but for tabs; that parser knows places
        raise ConfigError(f"{path}: the key {error.args[0]!r} stands twice in one object.") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(name for name, _ in pairs)
        raise _KeyTwiceError(next(name for name, count in times.items() if count > 1))
    return found


def _parse_toml(path: Path, text: str) -> Any:
    tomllib: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    if deep := _DEEP_KEY.search(text):  # the parser's time grows with the square of a key's depth
        line = text.count("\n", 0, deep.start()) + 1
        raise ConfigError(f"{path}:{line}:1: nested more than {MAX_DEPTH} levels deep.")
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(_toml_words(path, text, str(error))) from None


def _toml_words(path: Path, text: str, said: str) -> str:
    """What the parser says, with the place in front, as everywhere."""
    found = _TOML_PLACE.fullmatch(said)
    if found is None:
        return f"{path}: not TOML: {said}"
    last = text.rstrip("\n").split("\n")
    line, column = found["line"] or len(last), found["column"] or len(last[-1]) + 1
    return f"{path}:{line}:{column}: not TOML: {found['words']}"


_PARSERS: dict[str, Callable[[Path, str], Any]] = {".json": _parse_json, ".toml": _parse_toml}
