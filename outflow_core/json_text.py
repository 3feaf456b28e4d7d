"""JSON that somebody else wrote, read within bounds; pure."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

JSON_DEPTH = 200
_NESTED = frozenset({dict, list})


def as_json(text: str | None) -> Any:
    """The value of a JSON column read as text: old versions wrote JSON into a JSON string; what is none stays text."""
    if text is None:
        return None
    value = parsed(text)
    return parsed(value) if isinstance(value, str) and value is not text and value[:1] in ("{", "[") else value


def parsed(text: str) -> Any:
    """The value of a JSON text; the text itself when it is none, or nested beyond reason."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if text.count("[") + text.count("{") <= JSON_DEPTH or _is_shallow(value) else text


def _is_shallow(value: Any) -> bool:
    """Whether a value is nested no deeper than can be walked; it is looked through level by level."""
    level: list[Any] = [[value]]
    for _ in range(JSON_DEPTH + 1):
        inside = chain.from_iterable(held.values() if type(held) is dict else held for held in level)
        level = [item for item in inside if type(item) in _NESTED]
        if not level:
            return True
    return False
