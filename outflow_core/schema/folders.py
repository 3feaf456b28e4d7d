"""Where the migrations of a bind are: ours, and the pipeline's own."""

from __future__ import annotations

from pathlib import Path

from outflow_core.errors import ConfigError, SchemaError
from outflow_core.settings import Settings


def migrations_home() -> Path:
    """Where our migrations are: in the installed package, or beside it in a working copy."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise SchemaError(f"{package}: no migrations here nor beside it; install outflow-tui again.")


def own_folder(settings: Settings, key: str) -> Path | None:
    """The folder of the pipeline's own revisions of a bind, there or not; None when the configuration names none."""
    return None if settings.migrations is None else settings.migrations / key


def version_folders(settings: Settings, key: str) -> tuple[Path, ...]:
    """The folders that hold a bind's revisions; `outflow-db revision` makes missing ones, where models are named."""
    own = settings.migrations
    if own is not None and not own.is_dir() and not settings.content.get("models"):
        raise ConfigError(
            f"{settings.path}: 'migrations' names {own}, which is no directory; make it ('outflow-db revision' does), "
            "or take it out."
        )
    candidates = [migrations_home() / key / "versions", *([own / key] if own else [])]
    return tuple(folder for folder in candidates if folder.is_dir())
