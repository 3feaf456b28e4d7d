"""A configuration file becomes frozen Settings; also which file that is, and what of it may be stored."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from outflow_core.errors import ConfigError
from outflow_core.masking import MASK, mask_leaves, mask_secrets
from outflow_core.yaml_include import load_yaml, read_text

CONFIG_NAMES = ("config.json", "config.yml", "config.yaml", "config.toml")
DEFAULT_BIND = "default"
DEFAULT_FILE = "outflow.db"
_NOT_STORED = ("name", "_CONFIG_FILEPATH", "databases", "logging")
_KEYS = {
    "sqlite": ("dialect", "path"),
    "postgresql": ("dialect", "address", "database", "user", "admin", "sslmode"),
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
    content = _parse(path)
    if content is None:
        raise ConfigError(f"{path}: the file is empty; it needs at least a section 'databases:'.")
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: holds a {type(content).__name__} where a mapping of sections is expected.")
    root = _root_named() or path.resolve().parent
    return Settings(path, root, _databases(path, root, content.get("databases", {})), content)


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
        raise ConfigError(f"{path}: 'databases' must be a mapping of bind keys, not a {type(section).__name__}.")
    found = {str(key): _database(f"{path}: databases.{key}", root, str(key), entry) for key, entry in section.items()}
    found.setdefault(DEFAULT_BIND, Database(DEFAULT_BIND, "sqlite", path=root / DEFAULT_FILE))
    return found


def _database(where: str, root: Path, key: str, entry: Any) -> Database:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: must be a mapping with at least 'dialect', not {type(entry).__name__}.")
    dialect = entry.get("dialect", "sqlite" if "path" in entry else None)
    if not isinstance(dialect, str) or dialect not in _KEYS:
        raise ConfigError(f"{where}.dialect: {dialect!r} is not known (known: {', '.join(_KEYS)}).")
    _refuse_unknown(where, entry, _KEYS[dialect])
    if dialect == "sqlite":
        return Database(key, dialect, path=root / _expanded(f"{where}.path", _text(where, entry, "path", DEFAULT_FILE)))
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
    )


def _expanded(where: str, named: str) -> Path:
    """The path with `~` and `~somebody` put in full."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        raise ConfigError(f"{where}: {named!r} begins with the home of nobody known here.") from None


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
        raise ConfigError(f"{where}.{name}: must be text, not {type(value).__name__}.")
    return str(value)


def _address(where: str, address: str) -> tuple[str | None, int | None]:
    """`host`, `host:port`, `[::1]:port`, or the directory of a Unix socket."""
    if not address or address.startswith("/"):
        return address or None, None
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
        raise ConfigError(f"{where}.{name}: must be 'name:password' or 'name', not {type(value).__name__}.")
    role, colon, password = str(value).partition(":")
    return Credentials(role, password if colon else None)


def find_database(source: str | None = None) -> Database:
    """The database a user means: a config file, a directory holding one, a SQLite file or a postgresql:// URL.

    Without `source` the configuration is looked for as `find_config` does.
    """
    if source is None:
        return load_settings().database()
    if "://" in source:
        return _database_from_url(source)
    path = _expanded("source", source)
    try:
        is_there, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise ConfigError(f"{source}: cannot be looked at: {error.strerror}.") from None
    if is_folder:
        return _database_in(path)
    if not is_there:
        raise ConfigError(
            f"{source}: no such file or directory; name a config file, a directory that holds one, "
            "a SQLite file or a postgresql:// URL."
        )
    if _is_sqlite(path):
        return Database(DEFAULT_BIND, "sqlite", path=path.absolute())
    return read_settings(path).database()


def _database_in(folder: Path) -> Database:
    try:
        return read_settings(find_config(folder)).database()
    except ConfigError:
        if any((folder / name).is_file() for name in CONFIG_NAMES) or not (folder / DEFAULT_FILE).is_file():
            raise
    return Database(DEFAULT_BIND, "sqlite", path=(folder / DEFAULT_FILE).absolute())


def _is_sqlite(path: Path) -> bool:
    """Whether a file is meant as a database: by its header, or, when it is empty or damaged, by its suffix."""
    if path.suffix in (".json", ".yml", ".yaml", ".toml"):
        return False
    if path.suffix in (".db", ".sqlite", ".sqlite3", ".db3"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None


def _database_from_url(url: str) -> Database:
    shown = _url_shown(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(
            f"{shown}: not a URL that can be understood (postgresql://user@host:port/database)."
        ) from None
    scheme = parts.scheme.partition("+")[0]
    if scheme == "sqlite":
        return Database(DEFAULT_BIND, "sqlite", path=Path(unquote(parts.path[1:])).absolute())
    if scheme not in ("postgresql", "postgres"):
        raise ConfigError(f"{shown}: only postgresql:// and sqlite:// URLs are understood, not {scheme}://.")
    options = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    if unknown := set(options) - {"host", "port", "sslmode"}:
        raise ConfigError(f"{shown}: unknown option {sorted(unknown)[0]!r} (known: host, port, sslmode).")
    port_text = options.get("port")
    user = Credentials(unquote(parts.username), _unquoted(parts.password)) if parts.username else None
    return Database(
        DEFAULT_BIND,
        "postgresql",
        host=_unquoted(options.get("host")) or host,
        port=int(port_text) if port_text and port_text.isdigit() else port,
        database=unquote(parts.path[1:]) or None,
        user=user,
        sslmode=options.get("sslmode"),
    )


def _url_shown(url: str) -> str:
    """The URL for people, however broken: without its options and whatever may be a password in it."""
    scheme, _, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{scheme}://{name}{f':{MASK}' if colon else ''}{at}{place.partition('?')[0]}"


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)


def stored_config(settings: Settings) -> dict[str, Any]:
    """What the books keep of a configuration: everything but `databases` and `logging`, secrets masked.

    The keys are in the order in which real Outflow stores them, so that the hash is the same.
    """
    content = {str(key): storable(value) for key, value in settings.content.items()}
    place = str(settings.path.resolve()) if settings.path else None
    kept = {key: value for key, value in content.items() if key not in (*_NOT_STORED, "secrets")}
    masked = mask_secrets(kept)
    rest = {key: masked.get(key, mask_leaves(content[key])) for key in content if key not in _NOT_STORED}
    name = content.get("name", "__pipeline_config__")
    return {"name": name, "_CONFIG_FILEPATH": place, **rest, "secrets": rest.get("secrets", {})}


def storable(value: Any) -> Any:
    """The value in types that JSON knows: dates become ISO 8601 text, keys become text."""
    if isinstance(value, Mapping):
        return {str(key): storable(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):  # in an order that is the same in every process, for the hash
        return sorted((storable(item) for item in value), key=repr)
    if isinstance(value, (list, tuple)):
        return [storable(item) for item in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def configuration_hash(config: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The hash under which real Outflow keeps the same configuration: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256((json.dumps(config) + json.dumps(settings)).encode()).hexdigest()
