"""What the user role may do after an upgrade, tried by that role on a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from outflow_core.engines import Role, make_engine
from outflow_core.schema.upgrades import status, upgrade
from outflow_core.settings import Settings
from tests.core.conftest import Postgres, quoted, write_config


def run_as(settings: Settings, role: Role, *statements: str) -> None:
    """Run statements as one role of the default database."""
    engine = make_engine(settings.database(), role)
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture
def settings(postgres_database: dict[str, str], tmp_path: Path) -> Settings:
    """The settings of an upgraded database."""
    found = write_config(tmp_path, {"default": postgres_database})
    upgrade(found)
    return found


ROWS = (
    "INSERT INTO outflow_configuration (config, settings, hash) VALUES ('{}', '{}', 'h')",
    "UPDATE outflow_configuration SET hash = 'other'",
    "SELECT config FROM outflow_configuration",
    "DELETE FROM outflow_configuration",
)


def test_the_user_role_can_use_the_tables(settings: Settings) -> None:
    run_as(settings, "user", *ROWS)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE own (id INTEGER)",
        "DROP TABLE outflow_edge",
        "TRUNCATE outflow_edge",
        "ALTER TABLE outflow_edge ADD COLUMN more INTEGER",
        "DELETE FROM outflow_core_version",
        "INSERT INTO alembic_version VALUES ('x')",
    ],
)
def test_the_user_role_cannot_change_the_tables(settings: Settings, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        run_as(settings, "user", statement)


def test_later_tables_of_the_admin_can_be_used_too(settings: Settings) -> None:
    run_as(settings, "admin", "CREATE TABLE later (id SERIAL, name TEXT)")
    run_as(settings, "user", "INSERT INTO later (name) VALUES ('x')", "SELECT * FROM later", "DELETE FROM later")


def test_the_user_role_can_ask_for_the_status(settings: Settings, tmp_path: Path) -> None:
    entry = {"dialect": "postgresql", "address": settings.database().host or "", "user": "pipeuser"}
    as_user = write_config(tmp_path, {"default": {**entry, "database": settings.database().database or ""}})
    assert status(as_user)[0].words == "up to date"


HOSTILE = ['we"ird; drop table outflow_run', "o'brien", "50% %s %(x)s", "Größe 星", "back\\slash"]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_a_role_is_quoted(postgres: Postgres, tmp_path: Path, name: str) -> None:
    entry = postgres.make_database(f"{name} admin", f"{name} user")
    settings = write_config(tmp_path, {"default": entry})
    (report,) = upgrade(settings)
    assert not report.is_trouble, report.words
    run_as(settings, "user", *ROWS)
    postgres.superuser_sql(f"DROP DATABASE {entry['database']}")
    postgres.superuser_sql(f"DROP ROLE {quoted(f'{name} admin')}")
    postgres.superuser_sql(f"DROP ROLE {quoted(f'{name} user')}")


def test_a_user_role_alone_that_may_not_create_is_told_the_way_out(
    postgres_database: dict[str, str], tmp_path: Path
) -> None:
    entry = {key: value for key, value in postgres_database.items() if key != "admin"}
    (report,) = upgrade(write_config(tmp_path, {"default": entry}))
    assert report.is_trouble
    assert "permission denied for schema public (add 'admin: name:password'" in report.words


def test_an_owner_named_as_user_needs_no_admin(postgres_database: dict[str, str], tmp_path: Path) -> None:
    entry = {**postgres_database, "user": postgres_database["admin"]}
    del entry["admin"]
    assert upgrade(write_config(tmp_path, {"default": entry}))[0].words == "tables made"


def test_a_user_role_that_does_not_exist_is_named_and_nothing_made(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path
) -> None:
    (report,) = upgrade(write_config(tmp_path, {"default": {**postgres_database, "user": "nobody:x"}}))
    assert report.is_trouble and 'role "nobody" does not exist; nothing was changed' in report.words
    tables = postgres.superuser_sql(
        "SELECT 1 FROM pg_tables WHERE schemaname = 'public'", postgres_database["database"]
    )
    assert tables == []
