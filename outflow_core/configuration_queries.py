"""Reads of stored configurations; secrets masked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from outflow_core.json_text import as_json
from outflow_core.masking import mask_leaves, mask_secrets, masked_and_sealed, may_be_masked
from outflow_core.odd_values import told
from outflow_core.reader import Reads
from outflow_core.rows import ConfigurationRow
from outflow_core.slices import rows_among
from outflow_core.tables import configuration


def configurations(reads: Reads, ids: Collection[int]) -> dict[int, ConfigurationRow]:
    """The stored configurations of these ids, secrets masked."""
    c = configuration.c
    query = select(c.id, told(c.hash), told(c.config), told(c.settings))
    return {row[0]: configuration_row(*row) for row in rows_among(reads, query, c.id, ids)}


def configuration_row(number: int, digest: str, config: str, settings: str) -> ConfigurationRow:
    """The row of a configuration from its texts."""
    parts = {"config": _mapping(config), "settings": _mapping(settings)}
    for part in parts.values():
        if part.get("secrets"):
            part["secrets"] = mask_leaves(part["secrets"])
    shown = mask_secrets(parts)
    is_plain = shown is parts and not may_be_masked(config) and not may_be_masked(settings)
    masked, sealed = ((), ()) if is_plain else masked_and_sealed(shown)
    return ConfigurationRow(number, digest, shown["config"], shown["settings"], masked, sealed)


def _mapping(text: str) -> dict[str, Any]:
    value = as_json(text)
    return value if isinstance(value, dict) else {"": value}


def hashes(reads: Reads, ids: Collection[int]) -> dict[int, str]:
    """The hashes of these configurations."""
    query = select(configuration.c.id, told(configuration.c.hash))
    return {row[0]: row[1] for row in rows_among(reads, query, configuration.c.id, ids)}
