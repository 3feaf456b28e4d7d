"""The connection options of libpq that a configuration may set, and why it may not set the others; pure.

What these options mean is told in libpq's own manual, under "Parameter Key Words".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from outflow_core.errors import ConfigError
from outflow_core.nearest import did_you_mean, way_out

Options = tuple[tuple[str, str], ...]

_NUMBERS: Final = frozenset(
    {"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"}
)
_SWITCHES: Final = frozenset({"keepalives", "sslcompression", "sslsni", "gssdelegation"})
_PATHS: Final = frozenset({"sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir", "passfile"})
_WORDS: Final = frozenset(
    {"sslnegotiation", "sslcertmode", "ssl_min_protocol_version", "ssl_max_protocol_version", "channel_binding"}
    | {"min_protocol_version", "max_protocol_version", "require_auth", "requirepeer", "gssencmode", "krbsrvname"}
    | {"gsslib", "target_session_attrs", "load_balance_hosts", "application_name"}
)
ALLOWED: Final = tuple(sorted(_NUMBERS | _SWITCHES | _PATHS | _WORDS))

_IN_PASSWORD: Final = "carries a secret; passwords belong under 'user' and 'admin', or into ~/.pgpass"
_REFUSED: Final = {
    "password": _IN_PASSWORD,
    "sslpassword": "carries a secret; let the key of 'sslkey' have no passphrase, and the rights 600",
    "scram_client_key": _IN_PASSWORD,
    "scram_server_key": _IN_PASSWORD,
    "oauth_client_secret": _IN_PASSWORD,
    "user": "is the key 'user' of the database",
    "host": "is the key 'address' of the database",
    "hostaddr": "is the key 'address' of the database",
    "port": "is the key 'address' of the database",
    "dbname": "is the key 'database' of the database",
    "database": "is a key of the database itself",
    "sslmode": "is a key of the database itself",
    "service": "is a key of the database itself",
    "schema": "is a key of the database itself",
    "options": "is needed here: the schema and the monitor's read-only session are set by it; "
    "use ALTER ROLE ... SET for settings of the server",
    "client_encoding": "would garble the text of the books",
    "replication": "makes a connection that knows no SQL",
    "fallback_application_name": "has no use here; set 'application_name'",
    "sslkeylogfile": "writes the keys of the connection into a file",
}


def read_options(where: str, root: Path, given: Mapping[str, Any]) -> Options:
    """The options by name, as text; paths are made absolute, from `root`. ConfigError names what is wrong."""
    return tuple((name, _checked(f"{where}.{name}", root, name, given[name])) for name in sorted(given))


def refuse_unknown_option(where: str, name: str) -> None:
    """ConfigError for an option that may not be set, with the reason or the nearest that may."""
    if name in ALLOWED:
        return
    if name in _REFUSED:
        raise ConfigError(f"{where}: the option {name!r} {_REFUSED[name]}.")
    hint = did_you_mean(name, [*ALLOWED, *_REFUSED]) or way_out(name, ALLOWED)
    raise ConfigError(f"{where}: unknown option {name!r}; {hint}")


def _checked(where: str, root: Path, name: str, value: Any) -> str:
    if name in _SWITCHES and isinstance(value, bool):
        return str(int(value))
    text = str(value)
    if name in _NUMBERS and not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{where}: must be a whole number.")
    if name in _SWITCHES and text not in ("0", "1"):
        raise ConfigError(f"{where}: must be yes or no.")
    return _absolute(where, root, text) if name in _PATHS and text != "system" else text


def _absolute(where: str, root: Path, named: str) -> str:
    """A path as `path` of a SQLite file is understood: from the configuration's directory, `~` put in full."""
    try:
        return str(root / Path(named).expanduser())
    except RuntimeError:
        raise ConfigError(f"{where}: {named!r} begins with the home of nobody known here.") from None
