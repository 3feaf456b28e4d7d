"""Reads of stored configurations; secrets masked."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from outflow_core.json_text import Most, first_of
from outflow_core.masking import mask_leaves, mask_secrets, masked_and_sealed, may_be_masked
from outflow_core.odd_values import told
from outflow_core.read_values import bounded
from outflow_core.reader import Reads
from outflow_core.rows import ConfigurationRow
from outflow_core.slices import rows_among
from outflow_core.tables import configuration

READABLE = Most(20_000, 4_000_000)
"""How much of a configuration, and of its settings, somebody looks at on a screen."""
WHOLE = Most(sys.maxsize, sys.maxsize)


def configurations(reads: Reads, ids: Collection[int], most: Most = WHOLE) -> dict[int, ConfigurationRow]:
    """The stored configurations of these ids, or at most so much of each; secrets masked."""
    c = configuration.c
    query = select(c.id, told(c.hash), told(c.config), told(c.settings))
    found = rows_among(reads, query, c.id, ids)
    return {number: configuration_row(number, digest, *texts, most=most) for number, digest, *texts in found}


def configuration_row(number: int, digest: str, config: str, settings: str, *, most: Most = WHOLE) -> ConfigurationRow:
    """The row of a configuration from its texts."""
    read = {name: first_of(text, most) for name, text in (("config", config), ("settings", settings))}
    parts = {name: _mapping(value) for name, (value, _) in read.items()}
    left_out = read["config"][1], read["settings"][1]
    for part in parts.values():
        if part.get("secrets"):
            part["secrets"] = mask_leaves(part["secrets"])
    shown = mask_secrets(parts)
    is_plain = shown is parts and not may_be_masked(config) and not may_be_masked(settings)
    masked, sealed = ((), ()) if is_plain else masked_and_sealed(shown)
    return ConfigurationRow(number, bounded(digest), shown["config"], shown["settings"], masked, sealed, left_out)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"": value}


def hashes(reads: Reads, ids: Collection[int]) -> dict[int, str]:
    """The hashes of these configurations."""
    query = select(configuration.c.id, told(configuration.c.hash))
    return {row[0]: bounded(row[1]) for row in rows_among(reads, query, configuration.c.id, ids)}
