"""The two roles and the database of a configuration: as SQL to read, and made on a real PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from outflow_core.db_cli import main
from outflow_core.errors import ConfigError, SourceError
from outflow_core.schema.roles import make_roles, roles_sql
from outflow_core.schema.upgrades import upgrade
from tests.core.conftest import Postgres, quoted, write_config

SQLITE = {"dialect": "sqlite", "path": "outflow.db"}
NAMES = ("plain", 'we"ird; drop', "o'brien %s", "Größe:星")


def entry(postgres: Postgres, name: str) -> dict[str, str]:
    """A database that is not there yet, of two roles that are not there yet."""
    place = {"dialect": "postgresql", "address": str(postgres.socket_dir), "database": f"{name} books"}
    role = name.replace(":", ";")  # a colon ends a role's name in the configuration
    return {**place, "admin": f"{role} admin:adm'i\\n", "user": f"{role} user:us:er %"}


@pytest.fixture
def clean(postgres: Postgres) -> Iterator[None]:
    """A server that holds nothing of these tests, before and after."""
    yield
    for name in NAMES:
        found = entry(postgres, name)
        postgres.superuser_sql(f"DROP DATABASE IF EXISTS {quoted(found['database'])} WITH (FORCE)")
        for role in (found["admin"], found["user"]):
            postgres.superuser_sql(f"DROP ROLE IF EXISTS {quoted(role.partition(':')[0])}")


def test_the_sql_is_printed_without_passwords(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = {"dialect": "postgresql", "address": "localhost:5432"}
    databases = {
        "default": {**place, "admin": "pipeadmin:adminpwd", "user": "pipeuser:userpwd", "database": "outflow_tuto"},
        "other": {**place, "admin": "pipeadmin:adminpwd", "user": "guest", "database": "other"},
        "local": SQLITE,
    }
    settings = write_config(tmp_path, databases)
    assert main(["roles", "--config", str(settings.path)]) == 0
    older = (
        "-- in that database, if the server is older than PostgreSQL 15: REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
    )
    assert capsys.readouterr().out.splitlines() == [
        "-- default: postgresql://localhost:5432/outflow_tuto",
        "CREATE USER \"pipeuser\" PASSWORD '...' NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT;",
        "CREATE USER \"pipeadmin\" PASSWORD '...' NOSUPERUSER CREATEDB NOCREATEROLE INHERIT;",
        'CREATE DATABASE "outflow_tuto" WITH OWNER "pipeadmin";',
        older,
        "-- other: postgresql://localhost:5432/other",
        "-- guest: no password in the configuration",
        'CREATE USER "guest" NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT;',
        'CREATE DATABASE "other" WITH OWNER "pipeadmin";',
        older,
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_printed_sql_makes_roles_that_work(postgres: Postgres, clean: None, tmp_path: Path, name: str) -> None:
    settings = write_config(tmp_path, {"default": entry(postgres, name)})
    for line in roles_sql(settings).splitlines():
        if not line.startswith("--"):
            postgres.superuser_sql(line)
    assert upgrade(settings)[0].words == "tables made"


@pytest.mark.parametrize("name", NAMES)
def test_roles_and_database_are_made_and_left_as_they_are_the_second_time(
    postgres: Postgres, clean: None, tmp_path: Path, name: str
) -> None:
    settings = write_config(tmp_path, {"default": entry(postgres, name)})
    assert [row.words for row in make_roles(settings, None, "postgres")] == ["made"] * 3
    assert upgrade(settings)[0].words == "tables made"
    before = postgres.superuser_sql("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1")
    again = make_roles(settings, None, f"postgresql://postgres@/postgres?host={postgres.socket_dir}")
    assert [row.words.partition(",")[0] for row in again] == ["there already"] * 3
    assert again[2].words == f"there already, owned by {name.replace(':', ';')} admin, left as it is"
    assert postgres.superuser_sql("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1") == before


def test_the_roles_have_the_rights_they_need_and_no_more(postgres: Postgres, clean: None, tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": entry(postgres, "plain")})
    make_roles(settings, "default", "postgres")
    rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin FROM pg_roles WHERE rolname = 'plain"
    assert postgres.superuser_sql(f"{rights} user'") == [(False, False, False, True, True)]
    assert postgres.superuser_sql(f"{rights} admin'") == [(False, True, False, True, True)]
    public = "SELECT has_schema_privilege('plain user', 'public', 'CREATE')"
    assert postgres.superuser_sql(public, "plain books") == [(False,)]


def test_the_passwords_are_those_of_the_configuration_kept_as_the_server_keeps_them(
    postgres: Postgres, clean: None, tmp_path: Path
) -> None:
    settings = write_config(tmp_path, {"default": entry(postgres, "plain")})
    make_roles(settings, None, "postgres")
    ((kept,),) = postgres.superuser_sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'plain user'")
    assert kept.startswith("SCRAM-SHA-256$")
    # the server of the tests asks nobody for a password: what it would compare is compared here
    assert scram_matches(str(kept), "us:er %") and not scram_matches(str(kept), "other")


def scram_matches(kept: str, password: str) -> bool:
    """Whether a SCRAM verifier was made from a password (RFC 5802)."""
    rounds, salt = kept.split("$")[1].split(":")
    stored = kept.split("$")[2].split(":")[0]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    client = hmac.new(salted, b"Client Key", "sha256").digest()
    return base64.b64encode(hashlib.sha256(client).digest()).decode() == stored


def test_one_role_alone_owns_the_database(postgres: Postgres, clean: None, tmp_path: Path) -> None:
    found = entry(postgres, "plain")
    settings = write_config(tmp_path, {"default": {**found, "user": found["admin"]}})
    assert [row.thing for row in make_roles(settings, None, "postgres")] == ["role plain admin", "database plain books"]
    assert upgrade(settings)[0].words == "tables made"


def test_who_may_not_make_roles_is_told_in_words(
    postgres: Postgres, postgres_database: dict[str, str], clean: None, tmp_path: Path
) -> None:
    settings = write_config(tmp_path, {"default": entry(postgres, "plain")})
    with pytest.raises(SourceError, match="permission denied to create role"):
        make_roles(settings, None, "pipeuser:userpwd")
    with pytest.raises(SourceError, match='role "nobody at all" does not exist') as caught:
        make_roles(settings, None, "nobody at all:s3cret")
    assert "s3cret" not in str(caught.value)


def test_what_knows_no_roles_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = {"dialect": "postgresql", "database": "outflow"}
    settings = write_config(tmp_path, {"default": SQLITE})
    for key, words in ((None, "all databases are SQLite files"), ("default", "'default' is a SQLite file")):
        with pytest.raises(ConfigError, match=words):
            roles_sql(settings, key)
    with pytest.raises(ConfigError, match="'default' names no role; add 'admin: name:password'"):
        roles_sql(write_config(tmp_path, {"default": place}))
    path = str(write_config(tmp_path, {"default": {**place, "user": "me"}}).path)
    assert main(["roles", "--apply", "--config", path]) == 2
    assert "--apply needs --as" in capsys.readouterr().err
    assert main(["roles", "--apply", "--as", f"sqlite:///{tmp_path}/x.db", "--config", path]) == 2
    assert "--as names a SQLite file" in capsys.readouterr().err


def test_a_database_that_a_service_names_cannot_be_made_by_it(tmp_path: Path) -> None:
    entry = {"dialect": "postgresql", "service": "books", "user": "me"}
    with pytest.raises(ConfigError, match=r"database 'default' has no name to make it by; add 'database: NAME'"):
        roles_sql(write_config(tmp_path, {"default": entry}), None)
