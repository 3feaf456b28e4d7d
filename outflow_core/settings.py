"""A configuration file becomes frozen Settings; also which file that is."""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from outflow_core.errors import ConfigError
from outflow_core.masking import mask_text
from outflow_core.yaml_include import load_yaml, read_text

CONFIG_NAMES = ("config.json", "config.yml", "config.yaml", "config.toml")
DEFAULT_BIND = "default"
DEFAULT_FILE = "outflow.db"
_VARIABLE = re.compile(r"(\$\$\{)|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}")
_KEYS = {
    "sqlite": ("dialect", "path"),
    "postgresql": ("dialect", "address", "database", "schema", "user", "admin", "sslmode"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A role's name and its password; without a password libpq looks for one its own ways (.pgpass, peer, ...)."""

    name: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Database:
    """One database of the configuration: a SQLite file, or a PostgreSQL database with its two roles."""

    key: str
    dialect: str
    path: Path | None = None
    host: str | None = None
    port: int | None = None
    database: str | None = None
    user: Credentials | None = None
    admin: Credentials | None = None
    sslmode: str | None = None
    schema: str | None = None

    @property
    def shown(self) -> str:
        """The database's name for people: never with a password."""
        if self.path is not None:
            return str(self.path)
        role = f"{self.user.name}@" if self.user else ""
        place = f"{self.host or ''}{f':{self.port}' if self.port else ''}"
        return f"postgresql://{role}{place}/{self.database or ''}"


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
    return read_settings(Path(config) if config is not None else find_config())


def find_config(root: Path | None = None) -> Path:
    """The configuration file: OUTFLOW_CONFIG_PATH, else config.json, .yml, .yaml or .toml in the pipeline's root."""
    named = os.environ.get("OUTFLOW_CONFIG_PATH")
    if named and root is None:
        return Path(named)
    folder = root or _root_named() or Path.cwd()
    for name in CONFIG_NAMES:
        if (folder / name).is_file():
            return folder / name
    looked_for = "" if root else "OUTFLOW_CONFIG_PATH is not set, and "
    raise ConfigError(
        f"No configuration found: {looked_for}{folder} holds no {', '.join(CONFIG_NAMES[:-1])} or {CONFIG_NAMES[-1]}. "
        "Go to the pipeline's directory, or name its configuration file."
    )


def read_settings(path: Path) -> Settings:
    """The Settings of one file (YAML, JSON or TOML, by its suffix)."""
    content = _content(path)
    root = _root_named() or path.resolve().parent
    return Settings(path, root, _databases(path, root, content.get("databases", {})), content)


def read_database(path: Path, key: str = DEFAULT_BIND) -> Database:
    """One database of a file; what is wrong with the others does not matter to who reads only this one."""
    section = _content(path).get("databases", {})
    root = _root_named() or path.resolve().parent
    chosen = {name: section[name] for name in (key,) if name in section} if isinstance(section, dict) else section
    return Settings(path, root, _databases(path, root, chosen), {}).database(key)


def _content(path: Path) -> dict[str, Any]:
    content = _parse(path)
    if content is None:
        raise ConfigError(f"{path}: the file is empty; it needs at least a section 'databases:'.")
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: holds {_kind(content)} where sections such as 'databases:' are expected.")
    return content


def _root_named() -> Path | None:
    named = os.environ.get("PIPELINE_ROOT_DIRECTORY")
    return Path(named) if named else None


def _parse(path: Path) -> Any:
    if path.suffix == ".json":
        try:
            text = read_text(path)
            return json.loads(text) if text.strip() else None
        except json.JSONDecodeError as error:
            raise ConfigError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
        except ValueError as error:  # a number of thousands of digits
            raise ConfigError(f"{path}: not JSON: {error}") from None
        except RecursionError:
            raise ConfigError(f"{path}: nested too deeply.") from None
    return _parse_toml(path) if path.suffix == ".toml" else load_yaml(path)


def _parse_toml(path: Path) -> Any:
    tomllib: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        return tomllib.loads(read_text(path))
    except ValueError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply.") from None


def _databases(path: Path, root: Path, section: Any) -> dict[str, Database]:
    if section is None:
        raise ConfigError(
            f"{path}: 'databases:' is there, but nothing stands under it; name a database or take it out."
        )
    if not isinstance(section, dict):
        raise ConfigError(f"{path}: 'databases' must be a mapping of bind keys, not {_kind(section)}.")
    found = {str(key): _database(f"{path}: databases.{key}", root, str(key), entry) for key, entry in section.items()}
    found.setdefault(DEFAULT_BIND, Database(DEFAULT_BIND, "sqlite", path=root / DEFAULT_FILE))
    return found


def _database(where: str, root: Path, key: str, entry: Any) -> Database:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: must be a mapping with at least 'dialect', not {_kind(entry)}.")
    dialect = entry.get("dialect", "sqlite" if "path" in entry else None)
    if not isinstance(dialect, str) or dialect not in _KEYS:
        raise ConfigError(f"{where}.dialect: {mask_text(str(dialect))!r} is not known (known: {', '.join(_KEYS)}).")
    _refuse_unknown(where, entry, _KEYS[dialect])
    if dialect == "sqlite":
        return Database(key, dialect, path=root / expanded(f"{where}.path", _text(where, entry, "path", DEFAULT_FILE)))
    host, port = _address(where, _text(where, entry, "address", ""))
    return Database(
        key,
        dialect,
        host=host,
        port=port,
        database=_text(where, entry, "database"),
        user=_credentials(where, entry, "user"),
        admin=_credentials(where, entry, "admin"),
        sslmode=_text(where, entry, "sslmode", "") or None,
        schema=_text(where, entry, "schema", "") or None,
    )


def expanded(where: str, named: str) -> Path:
    """The path with `~` and `~somebody` put in full."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        raise ConfigError(f"{where}: {named!r} begins with the home of nobody known here.") from None


def _kind(value: Any) -> str:
    """What a value is, in a user's words."""
    kinds = {dict: "a mapping", list: "a list", str: "text", bool: "yes or no", int: "a number", float: "a number"}
    return "nothing" if value is None else kinds.get(type(value), "a date or time")


def _refuse_unknown(where: str, entry: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    for name in entry:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}."
            raise ConfigError(f"{where}: unknown key {str(name)!r}; {hint}")


def _text(where: str, entry: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = entry.get(name, default)
    if value is None:
        raise ConfigError(f"{where}: {name!r} is missing.")
    if not isinstance(value, (str, int)):
        raise ConfigError(f"{where}.{name}: must be text, not {_kind(value)}.")
    return _with_variables(f"{where}.{name}", str(value))


def _with_variables(where: str, text: str) -> str:
    """The text with `${NAME}` and `${NAME:-default}` replaced from the environment; `$${` stands for `${`."""

    def value(found: re.Match[str]) -> str:
        escaped, name, default = found.groups()
        if escaped:
            return "${"
        if name not in os.environ and default is None:
            raise ConfigError(
                f"{where}: the environment variable {name} is not set; set it, or write ${{{name}:-default}}."
            )
        return os.environ.get(name, default or "")

    return _VARIABLE.sub(value, text)


def _address(where: str, address: str) -> tuple[str | None, int | None]:
    """`host`, `host:port`, `[::1]:port`, or the directory of a Unix socket."""
    if not address or address.startswith("/"):
        folder, colon, port = address.rpartition(":")
        return (folder, int(port)) if colon and port.isdigit() else (address or None, None)
    try:
        parts = urlsplit(f"//{address}")
        return parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{where}.address: {address!r} is not host:port.") from None


def _credentials(where: str, entry: Mapping[str, Any], name: str) -> Credentials | None:
    """`name:password`; only the first colon parts them, so a password may hold any character."""
    if entry.get(name) is None:
        return None
    value = entry[name]
    if not isinstance(value, (str, int)):
        raise ConfigError(f"{where}.{name}: must be 'name:password' or 'name', not {_kind(value)}.")
    role, colon, password = str(value).partition(":")
    place = f"{where}.{name}"
    return Credentials(_with_variables(place, role), _with_variables(place, password) if colon else None)
