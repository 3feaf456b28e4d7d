"""The section `databases` of a configuration becomes Databases; whatever is wrong in it is told in words."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from outflow_core.databases import DEFAULT_BIND, DEFAULT_FILE, Credentials, Database
from outflow_core.errors import ConfigError
from outflow_core.libpq_options import Options, read_options, refuse_unknown_option
from outflow_core.nearest import did_you_mean, way_out
from outflow_core.variables import with_variables

ROLES = ("user", "admin")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_KEYS = {
    "sqlite": ("dialect", "path"),
    "postgresql": ("dialect", "address", "database", "schema", "user", "admin", "sslmode", "service", "options"),
}
_LONGEST = 10_000
_NO_ADDRESS = re.compile(r"[@/?#\s]")


def read_databases(path: Path, root: Path, section: Any) -> dict[str, Database]:
    """The databases by bind key, among them always the default one; ConfigError for what cannot be understood."""
    if section is None:
        raise ConfigError(
            f"{path}: 'databases:' is there, but nothing stands under it; name a database or take it out."
        )
    if not isinstance(section, dict):
        raise ConfigError(f"{path}: 'databases' must be a mapping of bind keys, not {kind_of(section)}.")
    found: dict[str, Database] = {}
    for name, entry in section.items():
        key = _bind_key(path, name)
        if key in found:
            raise ConfigError(
                f"{path}: databases.{key}: the bind key {key!r} stands here twice, as a number and as text."
            )
        found[key] = _database(f"{path}: databases.{key}", root, key, entry)
    found.setdefault(DEFAULT_BIND, Database(DEFAULT_BIND, "sqlite", path=root / DEFAULT_FILE))
    return found


def literal_logins(section: Any) -> Iterator[tuple[str, str]]:
    """Where in `databases` a role stands with a password, and the text `name:password` as the file has it."""
    entries = section.items() if isinstance(section, dict) else ()
    for key, entry in entries:
        for role in ROLES if isinstance(entry, dict) else ():
            text = entry.get(role)
            if isinstance(text, str) and text.partition(":")[2]:
                yield f"databases.{key}.{role}", text


def _bind_key(path: Path, name: Any) -> str:
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        raise ConfigError(f"{path}: databases: a bind key must be text, not {kind_of(name)}; put {name} in quotes.")
    key = str(name)
    if "://" in key:
        raise ConfigError(
            f"{path}: databases: a bind key is a name, not a URL; name the database's parts by their keys."
        )
    if key in ("", ".", "..") or "/" in key or "\0" in key:
        raise ConfigError(f"{path}: databases: the bind key {key!r} cannot be the name of its folder of migrations.")
    return key


def _database(where: str, root: Path, key: str, entry: Any) -> Database:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: must be a mapping with at least 'dialect', not {kind_of(entry)}.")
    dialect = entry.get("dialect", "sqlite" if "path" in entry else None)
    if dialect is None:
        _refuse_unknown(where, entry, tuple(sorted({name for names in _KEYS.values() for name in names})))
        raise ConfigError(f"{where}: 'dialect' is missing; it is one of {', '.join(_KEYS)}.")
    if not isinstance(dialect, str) or dialect not in _KEYS:
        from outflow_core.masking import mask_text

        near = did_you_mean(str(dialect).lower(), _KEYS)
        hint = f"; {near}" if near else f" (known: {', '.join(_KEYS)})."
        raise ConfigError(f"{where}.dialect: {mask_text(str(dialect))!r} is not known{hint}")
    _refuse_unknown(where, entry, _KEYS[dialect])
    if dialect == "sqlite":
        return Database(key, dialect, path=root / expanded(f"{where}.path", _text(where, entry, "path", DEFAULT_FILE)))
    return _postgresql(where, root, key, entry)


def _postgresql(where: str, root: Path, key: str, entry: dict[str, Any]) -> Database:
    given = {name: value for name, value in entry.items() if value is not None or name == "database"}
    service = _sent(where, given, "service", "") or None
    if service and given.get("admin") and not given.get("user"):
        raise ConfigError(f"{where}: 'user' is missing; beside 'admin' the role must be named that gets data rights.")
    if "://" in str(given.get("database")):
        raise ConfigError(f"{where}.database: must be a database's name, not a URL; name its parts by their keys.")
    host, port = _address(where, given)
    return Database(
        key,
        "postgresql",
        host=host,
        port=port,
        database=_sent(where, given, "database", "" if service and "database" not in entry else None) or None,
        user=_credentials(where, given, "user"),
        admin=_credentials(where, given, "admin"),
        sslmode=_sslmode(where, given),
        schema=_sent(where, given, "schema", "") or None,
        service=service,
        options=_options(f"{where}.options", root, given.get("options", {})),
    )


def expanded(where: str, named: str) -> Path:
    """The path with `~` and `~somebody` put in full."""
    if not named:
        raise ConfigError(f"{where}: is empty where the name of a file is expected.")
    try:
        os.fsencode(without_nul(where, named))
        return Path(named).expanduser()
    except UnicodeEncodeError:
        raise ConfigError(f"{where}: {named!r} holds half characters, which no file's name can hold.") from None
    except RuntimeError:
        raise ConfigError(f"{where}: {named!r} begins with the home of nobody known here.") from None


def kind_of(value: Any) -> str:
    """What a value is, in a user's words."""
    kinds = {dict: "a mapping", list: "a list", str: "text", bool: "yes or no", int: "a number", float: "a number"}
    return "nothing" if value is None else kinds.get(type(value), "a date or time")


def _refuse_unknown(where: str, entry: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    for name in entry:
        if name not in known:
            raise ConfigError(f"{where}: unknown key {str(name)!r}; {way_out(str(name).lower(), known)}")


def _text(where: str, entry: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = entry.get(name, default)
    if value is None:
        raise ConfigError(f"{where}: {name!r} is missing.")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ConfigError(f"{where}.{name}: must be text, not {kind_of(value)}; put it in quotes.")
    if len(text := str(value)) > _LONGEST:
        raise ConfigError(f"{where}.{name}: is longer than {_LONGEST:,} characters.")
    return without_nul(f"{where}.{name}", with_variables(f"{where}.{name}", text))


def without_nul(where: str, text: str) -> str:
    """The text, if a file or a server can be called so."""
    if "\0" in text:
        raise ConfigError(f"{where}: holds a NUL character, which neither a file's name nor PostgreSQL can hold.")
    return text


def _sent(where: str, entry: Mapping[str, Any], name: str, default: str | None = None) -> str:
    return sendable(f"{where}.{name}", _text(where, entry, name, default))


def sendable(where: str, text: str) -> str:
    """The text, if it can be sent to a server: a variable of the environment may hold any bytes."""
    try:
        without_nul(where, text).encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{where}: holds bytes that are no UTF-8 text.") from None
    return text


def _address(where: str, entry: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """`host`, `host:port`, `::1`, `[::1]:port`, or the directory of a Unix socket, with or without `:port`."""
    if isinstance(entry.get("address"), int):
        raise ConfigError(f"{where}.address: must be 'host:port' in quotes, not {kind_of(entry['address'])}.")
    address = _sent(where, entry, "address", "")
    try:
        if not address or address.startswith("/"):
            return _socket(address)
        if address.count(":") > 1 and "[" not in address:
            return str(ipaddress.IPv6Address(address)), None
        parts = urlsplit(f"//{address}")
        if _NO_ADDRESS.search(address):
            raise ValueError
        return parts.hostname, parts.port
    except ValueError:
        shown = "what stands here" if "@" in address else repr(address)
        raise ConfigError(
            f"{where}.address: {shown} is not host:port (IPv6: [::1]:5432; roles stand under 'user' and 'admin')."
        ) from None


def _sslmode(where: str, entry: Mapping[str, Any]) -> str | None:
    mode = _sent(where, entry, "sslmode", "")
    if mode and mode not in SSL_MODES:
        raise ConfigError(f"{where}.sslmode: must be one of {', '.join(SSL_MODES)}.")
    return mode or None


def _socket(address: str) -> tuple[str | None, int | None]:
    folder, colon, port = address.rpartition(":")
    if not (colon and port.isascii() and port.isdigit()):
        return address or None, None
    if int(port) > 65535:
        raise ValueError
    return folder, int(port)


def _credentials(where: str, entry: Mapping[str, Any], name: str) -> Credentials | None:
    """`name:password`; only the first colon parts them, so a password may hold any character."""
    value, place = entry.get(name, ""), f"{where}.{name}"
    if not isinstance(value, str):
        raise ConfigError(f"{place}: must be 'name:password' or 'name', in quotes, not {kind_of(value)}.")
    role, colon, password = value.partition(":")
    login = Credentials(
        sendable(place, with_variables(place, role)),
        sendable(place, with_variables(place, password)) if colon else None,
    )
    if not login.name and login.password:
        raise ConfigError(f"{place}: a password without a name in front of it; write 'name:password'.")
    return login if login.name else None


def _options(where: str, root: Path, given: Any) -> Options:
    if not isinstance(given, dict):
        raise ConfigError(f"{where}: must be a mapping such as {{connect_timeout: 20}}, not {kind_of(given)}.")
    for name in given:
        refuse_unknown_option(where, str(name))
    wanted = {name: value for name, value in given.items() if value is not None}
    return read_options(where, root, {name: _option(where, wanted, name) for name in wanted})


def _option(where: str, given: Mapping[str, Any], name: str) -> Any:
    return given[name] if isinstance(given[name], bool) else _sent(where, given, name)
