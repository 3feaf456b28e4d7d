"""Which database a person means who names a config file, a directory, a SQLite file or a URL."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from outflow_core.database_entries import expanded, sendable, without_nul
from outflow_core.databases import DEFAULT_BIND, DEFAULT_FILE, Credentials, Database
from outflow_core.errors import ConfigError
from outflow_core.file_kinds import is_file
from outflow_core.libpq_options import Options, read_options, refuse_unknown_option
from outflow_core.settings import (
    CONFIG_NAMES,
    Settings,
    find_config,
    load_settings,
    read_database,
    read_settings,
)

_OF_URLS = ("host", "port", "sslmode", "service")


def find_database(source: str | None = None) -> Database:
    """The database a user means: a config file, a directory holding one, a SQLite file or a postgresql:// URL.

    Without `source` the configuration is looked for as `find_config` does.
    """
    found = find_place(source)
    return found if isinstance(found, Database) else read_database(found)


def find_place(source: str | None = None) -> Database | Path:
    """The database a user means, or the configuration file that will tell which; that is not read yet."""
    if source is None:
        return find_config()
    if "://" in source:
        return _database_from_url(source)
    path = expanded("source", source)
    try:
        is_there, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise ConfigError(f"{source}: cannot be looked at: {error.strerror}.") from None
    if is_folder:
        return _place_in(path)
    if not path.is_file():
        what = "no regular file" if is_there else "no such file or directory"
        raise ConfigError(
            f"{_source_shown(source)}: {what}; name a config file, a directory that holds one, "
            "a SQLite file or a postgresql:// URL."
        )
    return Database(DEFAULT_BIND, "sqlite", path=path.absolute()) if _is_sqlite(path) else path


def find_settings(source: str | None = None) -> Settings | None:
    """The configuration that a source names or holds; None for a bare database."""
    if source is None:
        return load_settings()
    if "://" in source:
        return None
    path = expanded("source", source)
    if path.is_dir():
        return read_settings(find_config(path)) if any((path / name).is_file() for name in CONFIG_NAMES) else None
    return read_settings(path) if path.is_file() and not _is_sqlite(path) else None


def _place_in(folder: Path) -> Database | Path:
    try:
        return find_config(folder)
    except ConfigError:
        if not is_file(folder / DEFAULT_FILE):
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
    without_nul(_url_shown(url), unquote(url))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(
            f"{_url_shown(url)}: not a URL that can be understood (postgresql://user@host:port/database)."
        ) from None
    if "@" in f"{parts.path}{parts.query}{parts.fragment}" and "@" not in parts.netloc:
        raise ConfigError(
            f"{_url_shown(url)}: write '/', '?' and '#' in a password as %2F, %3F and %23, or leave it to ~/.pgpass."
        )
    scheme = parts.scheme.partition("+")[0]
    if scheme == "sqlite":
        return Database(DEFAULT_BIND, "sqlite", path=Path(unquote(parts.path[1:])).absolute())
    if scheme not in ("postgresql", "postgres"):
        raise ConfigError(f"{_url_shown(url)}: only postgresql:// and sqlite:// URLs are understood, not {scheme}://.")
    sendable(_url_shown(url), unquote(url))
    said = {name: unquote(value) for name, _, value in (pair.partition("=") for pair in parts.query.split("&")) if name}
    options = _options(url, {name: value for name, value in said.items() if name not in _OF_URLS})
    port_text = said.get("port")
    user = Credentials(unquote(parts.username), _unquoted(parts.password)) if parts.username else None
    return Database(
        DEFAULT_BIND,
        "postgresql",
        host=said.get("host") or _unquoted(host),
        port=int(port_text) if port_text and port_text.isdigit() else port,
        database=unquote(parts.path[1:]) or None,
        user=user,
        sslmode=said.get("sslmode"),
        service=said.get("service"),
        options=options,
    )


def _options(url: str, said: dict[str, str]) -> Options:
    """The connection options of a URL; its paths are relative to where one stands, as libpq has it."""
    if not said:
        return ()
    shown = _url_shown(url)
    for name in said:
        refuse_unknown_option(shown, name)
    return read_options(shown, Path.cwd(), said)


_PASSWORD = re.compile(r"(?i)(password\s*=\s*)('[^']*'|\S+)|(?<=:)[^@\s]*(?=@)")


def _source_shown(source: str) -> str:
    """What a person named, without what may be a password in it: a URL or a libpq string taken for a file."""
    from outflow_core.masking import MASK  # only what goes wrong needs it

    return _PASSWORD.sub(lambda found: f"{found[1] or ''}{MASK}", source)


def _url_shown(url: str) -> str:
    """The URL for people, however broken: without its options and whatever may be a password in it."""
    from outflow_core.masking import MASK

    scheme, _, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{scheme}://{name}{f':{MASK}' if colon else ''}{at}{place.partition('?')[0]}"


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)
