"""The configuration in force, compared by content with those that the books hold; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from outflow_core.config_diff import diff
from outflow_core.masking import mask_secrets
from outflow_core.rows import ConfigurationRow
from outflow_core.settings import Settings
from outflow_core.stored import kept_each, stored_config


@dataclass(frozen=True, slots=True)
class InForce:
    """A configuration as the books would give it back; without settings those of a run do not matter."""

    config: Mapping[str, Any]
    settings: Mapping[str, Any] | None

    def is_same(self, stored: ConfigurationRow) -> bool:
        """Whether a run with the stored one was made with this one. A secret stored as a mask is like any other."""
        settings = stored.settings if self.settings is None else self.settings
        return not diff(stored, stored._replace(id=-1, config=self.config, settings=settings))

    def uncompared(self, stored: ConfigurationRow) -> int:
        """How many secrets were masked before they were stored, so that nobody knows whether they are the same."""
        return sum(self.settings is not None or path[0] == "config" for path in stored.sealed)


def in_force(read: Settings, settings: Mapping[str, Any] | None = None) -> InForce:
    """What `record_run` would keep of this configuration and these settings."""
    is_postgresql = read.database().dialect == "postgresql"
    parts = [stored_config(read), None if settings is None else mask_secrets(kept_each(settings))]
    config, kept = [_as_jsonb(part) for part in parts] if is_postgresql else parts
    return InForce(config or {}, kept)


def _as_jsonb(value: Any) -> Any:
    """The value as it comes back from PostgreSQL, which keeps 1e16 as an integer, and knows no NaN.

    >>> _as_jsonb({"a": [1e16, 0.5, 1e-7, float("nan")]})
    {'a': [10000000000000000, 0.5, 1e-07, 'nan']}
    """
    if isinstance(value, dict):
        return {key: _as_jsonb(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_jsonb(item) for item in value]
    if not isinstance(value, float):
        return value
    if value - value != 0:  # NaN and the infinities, which the recorder writes as text
        return str(value)
    return int(Decimal(repr(value))) if "e+" in repr(value) else value
