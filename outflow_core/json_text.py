"""JSON that somebody else wrote, read within bounds; pure."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import Any, NamedTuple

JSON_DEPTH = 200
_NESTED = frozenset({dict, list})
_STRUCTURE = re.compile(r'["\[\]{},]|\\.', re.DOTALL)
_EMPTY = re.compile(r"\[\s*\]|\{\s*\}")
_COUNTED = 1 << 18
"""So many characters are counted at once: other threads go on in between."""


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


class Most(NamedTuple):
    """How much of a JSON text is read: about so many values, of about so many characters together."""

    values: int
    characters: int


def first_of(text: str, most: Most) -> tuple[Any, int]:
    """As much of a JSON column as is wanted, as `as_json` gives it, and how many values were left out."""
    value, left_out = _first_of(text, most)
    if isinstance(value, str) and value is not text and value[:1] in ("{", "["):
        return _first_of(value, most)
    return value, left_out


def _first_of(text: str, most: Most) -> tuple[Any, int]:
    part = _first_part(text, most)
    value = parsed(part)
    if part is text:
        return value, 0
    return (text, 0) if value is part else (value, values_in(text) - values_in(part))


def _first_part(text: str, most: Most) -> str:
    """A text up to a comma between two of its values, with what is open there closed; the very same if it is short."""
    if len(text) <= most.characters and sum(map(text.count, ",[{")) < most.values:
        return text
    closing, number, is_inside = list[str](), 0, False
    for found in _STRUCTURE.finditer(text):
        sign = found[0]
        if sign == '"':
            is_inside = not is_inside
        elif is_inside or sign[0] == "\\":
            continue
        elif sign in "[{":
            closing.append("]" if sign == "[" else "}")
            number += 1
        elif sign != ",":
            closing = closing[:-1]
        elif (number := number + 1) >= most.values or found.start() >= most.characters:
            return text[: found.start()] + "".join(reversed(closing))
    return text


def values_in(text: str) -> int:
    """How many values a JSON text holds, those too that hold others; none of them is made.

    >>> values_in('{"a": [1, "b,[\\\\"", {}], "c": [ ]}')
    6
    """
    number, start, is_inside = 1, 0, False
    while start < len(text):
        end = text.find(",", start + _COUNTED) + 1 or len(text)
        parts = text[start:end].replace("\\\\", "").replace('\\"', "").split('"')
        outside = '"'.join(parts[is_inside::2])
        number += sum(map(outside.count, ",[{")) - len(_EMPTY.findall(outside))
        start, is_inside = end, is_inside ^ (len(parts) % 2 == 0)
    return number
