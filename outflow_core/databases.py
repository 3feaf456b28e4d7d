"""Credentials and Database: what is known of one database of a configuration, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from outflow_core.libpq_options import Options

DEFAULT_BIND = "default"
DEFAULT_FILE = "outflow.db"


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
    service: str | None = None
    options: Options = field(default=(), repr=False)

    @property
    def login(self) -> Credentials | None:
        """Who reads and writes: the user role; None leaves it to libpq, or to the service that is named."""
        return self.user or (None if self.service else self.admin)

    @property
    def shown(self) -> str:
        """The database's name for people: never with a password."""
        if self.path is not None:
            return str(self.path)
        role = f"{self.user.name}@" if self.user else ""
        place = f"{self.host or ''}{f':{self.port}' if self.port else ''}"
        service = f"?service={self.service}" if self.service else ""
        return f"postgresql://{role}{place}/{self.database or ''}{service}"
