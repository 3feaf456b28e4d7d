"""A configuration file becomes frozen Settings; also which file that is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from outflow_core.database_entries import kind_of, read_databases
from outflow_core.databases import DEFAULT_BIND as DEFAULT_BIND
from outflow_core.databases import Credentials as Credentials
from outflow_core.databases import Database as Database
from outflow_core.errors import ConfigError

CONFIG_NAMES = ("config.json", "config.yml", "config.yaml", "config.toml")
_WAY_OUT = "Go to the pipeline's directory, or name its configuration file."


@dataclass(frozen=True, slots=True)
class Settings:
    """What a configuration file says: its databases by bind key, and the rest, which is the pipeline's own."""

    path: Path | None
    root: Path
    databases: Mapping[str, Database]
    content: Mapping[str, Any] = field(repr=False)

    def database(self, key: str = DEFAULT_BIND) -> Database:
        """The database of a bind key; ConfigError names the known ones."""
        try:
            return self.databases[key]
        except KeyError:
            known = ", ".join(sorted(self.databases))
            raise ConfigError(f"{self.path or self.root}: unknown bind key {key!r} (known: {known}).") from None

    @property
    def migrations(self) -> Path | None:
        """The directory of the pipeline's own migrations, a folder for each bind, when the file names one."""
        named = self.content.get("migrations")
        return self.root / named if isinstance(named, str) else None


def load_settings(config: str | Path | None = None) -> Settings:
    """Read the configuration: the file named, else the one that `find_config` finds.

    Raises ConfigError when there is none, or when it cannot be understood.
    """
    if config is not None and not isinstance(config, (str, os.PathLike)):
        raise ConfigError(f"config: must be the path of a configuration file, not {kind_of(config)}.")
    return read_settings(Path(config) if config is not None else find_config())


def for_workers(settings: Settings, key: str = DEFAULT_BIND) -> Settings:
    """What another process needs to write the books of a bind key: that database as its user, and the journal.

    It is sent with every item of a map, over networks too: no other password, nothing of the pipeline's own.
    """
    database = settings.database(key)
    if database.user is not None:
        database = replace(database, admin=None)
    content = {name: value for name, value in settings.content.items() if name == "journal"}
    return Settings(settings.path, settings.root, {key: database}, content)


def find_config(root: Path | None = None) -> Path:
    """The configuration file: OUTFLOW_CONFIG_PATH, else config.json, .yml, .yaml or .toml in the pipeline's root."""
    named = os.environ.get("OUTFLOW_CONFIG_PATH")
    if named and root is None:
        return Path(named)
    folder = root or _root_named() or _current_folder()
    try:
        for name in CONFIG_NAMES:
            if (folder / name).is_file():
                return folder / name
    except OSError as error:
        from outflow_core.file_kinds import refusal

        raise ConfigError(f"No configuration found: {refusal(folder / CONFIG_NAMES[0], error)}. {_WAY_OUT}") from None
    looked_for = "" if root else "OUTFLOW_CONFIG_PATH is not set, and "
    names = f"{', '.join(CONFIG_NAMES[:-1])} or {CONFIG_NAMES[-1]}"
    raise ConfigError(f"No configuration found: {looked_for}{folder} holds no {names}. {_WAY_OUT}")


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(f"The current directory is gone. {_WAY_OUT}") from None


def read_settings(path: Path) -> Settings:
    """The Settings of one file (YAML, JSON or TOML, by its suffix).

    Warns, once for each file, when a password stands in one that others may read.
    """
    from outflow_core.exposure import warn_of_exposed

    content, files = _content(path)
    root = _root_named() or path.resolve().parent
    section = content.get("databases", {})
    settings = Settings(path, root, read_databases(path, root, section), content)
    warn_of_exposed(files, section)
    return settings


def read_database(path: Path, key: str = DEFAULT_BIND) -> Database:
    """One database of a file; what is wrong with the others does not matter to who reads only this one."""
    return read_database_and_files(path, key)[0]


def read_database_and_files(path: Path, key: str = DEFAULT_BIND) -> tuple[Database, tuple[Path, ...]]:
    """The same with the files that say so: the one named, and all that it includes."""
    content, files = _content(path)
    section = content.get("databases", {})
    root = _root_named() or path.resolve().parent
    chosen = {name: section[name] for name in (key,) if name in section} if isinstance(section, dict) else section
    return Settings(path, root, read_databases(path, root, chosen), {}).database(key), files


def _content(path: Path) -> tuple[dict[str, Any], tuple[Path, ...]]:
    from outflow_core.config_file import read_config  # what it reads YAML by takes long to load

    found = read_config(path)
    if found.value is None:
        raise ConfigError(f"{path}: the file is empty; it needs at least a section 'databases:'.")
    if not isinstance(found.value, dict):
        raise ConfigError(f"{path}: holds {kind_of(found.value)} where sections such as 'databases:' are expected.")
    return found.value, found.files


def _root_named() -> Path | None:
    named = os.environ.get("PIPELINE_ROOT_DIRECTORY")
    return Path(named) if named else None
