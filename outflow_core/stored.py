"""What the books keep of a configuration, and the hash by which they know it again; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from outflow_core.masking import mask_leaves, mask_secrets
from outflow_core.settings import Settings

_NOT_STORED = ("name", "_CONFIG_FILEPATH", "databases", "logging")


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
    if isinstance(value, Mapping):
        return {_key(key): storable(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):  # in an order that is the same in every process, for the hash
        return sorted((storable(item) for item in value), key=repr)
    if isinstance(value, (list, tuple)):
        return [storable(item) for item in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _key(key: Any) -> str:
    """A key as JSON writes it, for the hash: YAML reads `on`, `no` and `~` as keys that are no text."""
    return json.dumps(key) if key is None or isinstance(key, (bool, float)) else str(key)


def configuration_hash(config: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The hash under which real Outflow keeps the same configuration: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256((json.dumps(config) + json.dumps(settings)).encode()).hexdigest()
