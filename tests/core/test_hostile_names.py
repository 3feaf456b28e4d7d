"""Names that are SQL, of roles, databases, schemas and tables, stay names wherever they are used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from outflow_core import meant_run, run_queries
from outflow_core.reader import Reader
from outflow_core.recorder import record_run
from outflow_core.schema.indexes import make_indexes
from outflow_core.schema.offline_sql import upgrade_sql
from outflow_core.schema.roles import make_roles
from outflow_core.schema.upgrades import status, upgrade
from outflow_core.settings import Settings
from tests.core.conftest import Postgres, copy_of, quoted, write_config

NAMES = [
    '"; DROP TABLE victim; --',
    "'; DROP TABLE victim; --\n /*",
    "%s %(x)s :role :kept",
    "$outflow_grants$ $$\\ \\",
]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """A name that is SQL."""
    return str(request.param)


@pytest.fixture
def settings(postgres: Postgres, tmp_path: Path, name: str) -> Iterator[Settings]:
    """Roles, database and schema of such names, made by `outflow-db roles`, and a bystander to be harmed."""
    roles = {"admin": f"a {role_of(name)}:x", "user": f"u {role_of(name)}:y"}
    place = {
        "dialect": "postgresql",
        "address": str(postgres.socket_dir),
        "database": f"b {name}",
        "schema": f"s {name}",
    }
    found = write_config(tmp_path, {"default": {**place, **roles}})
    make_roles(found, None, "postgres")
    postgres.superuser_sql("CREATE TABLE victim (id int); GRANT ALL ON victim TO PUBLIC", f"b {name}")
    yield found
    postgres.superuser_sql(f"DROP DATABASE {quoted(f'b {name}')} WITH (FORCE)")
    for kind in "au":
        postgres.superuser_sql(f"DROP ROLE {quoted(f'{kind} {role_of(name)}')}")


def role_of(name: str) -> str:
    """The name without colons: one parts a role from its password."""
    return name.replace(":", "$outflow_grants$")


def as_owner(postgres: Postgres, name: str, statements: str) -> None:
    """Run statements as the owner of the books."""
    postgres.superuser_sql(f"SET ROLE {quoted(f'a {role_of(name)}')}; {statements}", f"b {name}")


def user_may(postgres: Postgres, name: str, table: str) -> list[bool]:
    """Whether the user role may read and write a table."""
    role, place = (quoted(text, "literal").replace("\\", "\\\\") for text in (f"u {role_of(name)}", table))
    rights = (f"has_table_privilege(E{role}, E{place}, '{right}')" for right in ("SELECT", "INSERT"))
    return list(postgres.superuser_sql(f"SELECT {', '.join(rights)}", f"b {name}")[0])


def test_books_of_hostile_names_are_made_written_and_read(settings: Settings, postgres: Postgres, name: str) -> None:
    assert upgrade(settings)[0].words == "tables made"
    table = f"{quoted(f's {name}')}.{quoted(name)}"
    as_owner(postgres, name, f"CREATE TABLE {table} (id int)")
    assert status(settings)[0].words == "up to date"
    assert make_indexes(settings).words == "all indexes are there"
    with record_run(name, config=settings) as run, run.task(name):
        pass
    reader = Reader(settings.database())
    try:
        assert [found.command for found in run_queries.runs(reader, count=5)] == [name]
        assert meant_run.find_run(reader, "1").command == name
    finally:
        reader.close()
    assert user_may(postgres, name, table) == [True, True]
    assert user_may(postgres, name, f"{quoted(f's {name}')}.outflow_core_version") == [True, False]
    assert postgres.superuser_sql("SELECT count(*) FROM victim", f"b {name}") == [(0,)]


def test_a_written_script_says_hostile_names_as_names(settings: Settings, postgres: Postgres, name: str) -> None:
    as_owner(postgres, name, upgrade_sql(settings)[0].script)
    assert status(settings)[0].words == "up to date"
    assert user_may(postgres, name, f"{quoted(f's {name}')}.outflow_run") == [True, True]
    assert user_may(postgres, name, f"{quoted(f's {name}')}.outflow_core_version") == [True, False]
    assert postgres.superuser_sql("SELECT count(*) FROM victim", f"b {name}") == [(0,)]


def test_a_sqlite_file_may_be_called_anything_and_hold_anything(tmp_path: Path, name: str) -> None:
    found = copy_of("killed", tmp_path)
    file = tmp_path / f"{name.replace('/', '?#')}.db"
    (tmp_path / "outflow.db").rename(file)
    with sqlite3.connect(file) as connection:
        connection.execute(f"CREATE TABLE {quoted(name)} (id int, {quoted(name + 'x')} text)")
        connection.execute(f"CREATE INDEX {quoted(name + 'i')} ON {quoted(name)} ({quoted(name + 'x')})")
    connection.close()
    settings = write_config(tmp_path, {"default": {"dialect": "sqlite", "path": file.name.replace("${", "$${")}})
    assert upgrade_sql(settings)[0].script and found
    assert upgrade(settings)[0].words.startswith("adopted")
    assert len(make_indexes(settings).made) == 4
    assert sorted(path.name for path in tmp_path.glob("*.db*")) == [file.name]
