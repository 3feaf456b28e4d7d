"""JSON that somebody else wrote, read within bounds; pure."""

from __future__ import annotations

import json
import re
from typing import Any

JSON_DEPTH = 200
_BRACKET = re.compile(r"[\[\]{}]")


def as_json(text: str | None) -> Any:
    """The value of a JSON column read as text: old versions wrote JSON into a JSON string; what is none stays text."""
    if text is None:
        return None
    value = parsed(text)
    return parsed(value) if isinstance(value, str) and value is not text and value[:1] in ("{", "[") else value


def parsed(text: str) -> Any:
    """The value of a JSON text; the text itself when it is none, or nested beyond reason."""
    try:
        return json.loads(text) if _depth(text) <= JSON_DEPTH else text
    except ValueError:
        return text


def _depth(text: str) -> int:
    """At least how deeply a JSON text is nested; cheap, for most are not."""
    if text.count("[") + text.count("{") <= JSON_DEPTH:
        return 0
    depth = deepest = 0
    for sign in _BRACKET.findall(text):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
