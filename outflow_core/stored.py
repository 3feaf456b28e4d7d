"""What the books keep of values and of a configuration, and the hash by which they know that again; pure."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sized
from datetime import date, datetime, time
from typing import Any

from outflow_core.masking import mask_leaves, mask_secrets
from outflow_core.settings import Settings

_NOT_STORED = ("name", "_CONFIG_FILEPATH", "databases", "logging")
LARGEST = 1_000_000
"""Of a value with more elements and characters than this only the type is kept."""
DEEPEST = 50
_INT_BITS = 2_000
"""Python refuses to write longer numbers, at the least of the limits that it can be given."""


def stored_config(settings: Settings) -> dict[str, Any]:
    """What the books keep of a configuration: everything but `databases` and `logging`, secrets masked.

    The keys are in the order in which real Outflow stores them, so that the hash is the same.
    """
    content = {_key(key): storable(value) for key, value in settings.content.items()}
    place = str(settings.path.resolve()) if settings.path else None
    kept = {key: value for key, value in content.items() if key not in (*_NOT_STORED, "secrets")}
    masked = mask_secrets(kept)
    rest = {key: masked.get(key, mask_leaves(content[key])) for key in content if key not in _NOT_STORED}
    name = content.get("name", "__pipeline_config__")
    return {"name": name, "_CONFIG_FILEPATH": place, **rest, "secrets": rest.get("secrets", {})}


def storable(value: Any) -> Any:
    """The value in types that JSON knows: dates become ISO 8601 text, keys become text."""
    return _Storing(math.inf, math.inf).value(value, 0)


def kept(value: Any, size: int = LARGEST) -> Any:
    """The value as `storable` gives it, or told by its type when it is larger or cannot be kept; never raises.

    >>> kept({"file": "n1.fits"}), kept([0] * 5000, size=1000), kept(10**5000)
    ({'file': 'n1.fits'}, '<list of 5000>', '<int>')
    """
    try:
        return _Storing(size, DEEPEST).value(value, 0)
    except Exception:  # what stands in a pipeline's values runs the pipeline's code
        return by_type(value)


def kept_each(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by their names; each that cannot be kept is told by its type."""
    return {_key(key): kept(value) for key, value in values.items()}


def by_type(value: Any) -> str:
    """What can be said of any value: its type, and how many elements it has."""
    length = None if issubclass(type(value), (str, bytes, bytearray)) else _length(value)
    return f"<{type(value).__name__}>" if length is None else f"<{type(value).__name__} of {length}>"


class _Storing:
    """Makes one value storable; ValueError when it has more elements and characters than `left`, or is too deep."""

    def __init__(self, left: float, deepest: float) -> None:
        self._left = left
        self._deepest = deepest

    def value(self, value: Any, depth: int) -> Any:
        self._take(1)
        if depth > self._deepest:
            raise ValueError("too deep")
        if isinstance(value, Mapping):
            return {self._text(_key(key)): self.value(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (set, frozenset)):  # in an order that is the same in every process, for the hash
            return sorted((self.value(item, depth + 1) for item in value), key=repr)
        if isinstance(value, (list, tuple)):
            return [self.value(item, depth + 1) for item in value]
        return self._leaf(value)

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int) and self._left < math.inf and value.bit_length() > _INT_BITS:
            raise ValueError("too long")
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self._text(value.isoformat() if isinstance(value, (datetime, date, time)) else self._words(value))

    def _words(self, value: Any) -> str:
        """What `str` gives; the type where that would be long or fails."""
        length = _length(value)
        if length is not None and length > self._left:
            return by_type(value)
        try:
            return str(value)
        except Exception:  # it is the pipeline's code
            return by_type(value)

    def _text(self, text: str) -> str:
        self._take(len(text))
        return text

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ValueError("too large")


def _length(value: Any) -> int | None:
    """How many elements a value has; None where that has no answer, as of a number with a unit."""
    try:
        return len(value) if isinstance(value, Sized) else None
    except Exception:  # it is the pipeline's code
        return None


def _key(key: Any) -> str:
    """A key as JSON writes it, for the hash: YAML reads `on`, `no` and `~` as keys that are no text."""
    return json.dumps(key) if key is None or isinstance(key, (bool, float)) else str(key)


def configuration_hash(config: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The hash under which real Outflow keeps the same configuration: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256((json.dumps(config) + json.dumps(settings)).encode()).hexdigest()
