"""Where entries wait that cannot be written: what a configuration says of it, and where else there is room."""

from __future__ import annotations

import os
from pathlib import Path

from outflow_core.database_entries import expanded, kind_of
from outflow_core.errors import ConfigError
from outflow_core.settings import Settings
from outflow_core.variables import with_variables

FOLDER = ".outflow-journal"


def is_strict(settings: Settings) -> bool:
    """Whether the configuration wants no journal: `journal: false`."""
    return settings.content.get("journal") is False


def journal_folders(settings: Settings) -> tuple[Path, ...]:
    """The folder that `journal:` names, or else one beside the configuration; then one of the user's own.

    ConfigError when `journal:` is neither a path nor yes or no.
    """
    named = settings.content.get("journal")
    if named is not None and not isinstance(named, (str, bool)):
        raise ConfigError(f"{settings.path}: journal: must be a folder, or false for none, not {kind_of(named)}.")
    where = f"{settings.path}: journal"
    first = expanded(where, with_variables(where, named)) if isinstance(named, str) and named else Path(FOLDER)
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - may be no home
    return settings.root / first, Path(state) / "outflow" / "journal"
