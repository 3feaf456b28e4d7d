"""The SQL of an upgrade: run by hand it gives what the upgrade gives, and writing it down changes nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from outflow_core.db_cli import main
from outflow_core.engines import make_engine
from outflow_core.schema.offline_sql import upgrade_sql
from outflow_core.schema.owner import changing
from outflow_core.schema.upgrades import status, upgrade
from outflow_core.settings import Settings
from tests.core.conftest import ADOPTED, FIXTURES, Postgres, add_revision, content, copy_of, quoted, write_config

SQLITE = {"dialect": "sqlite", "path": "outflow.db"}


def run_by_hand(settings: Settings, script: str, postgres: Postgres | None) -> None:
    """Run a script as the database's keeper would, with the database's own tool."""
    database = settings.database()
    if database.path is not None:
        connection = sqlite3.connect(database.path, isolation_level=None)
        connection.executescript(script)
        connection.close()
        return
    assert postgres is not None and database.admin is not None
    role = f"SET ROLE {quoted(database.admin.name)};"
    postgres.psql(f"\\set ON_ERROR_STOP on\n\\connect {quoted(database.database or '')}\n{role}\n{script}\n")


def everything(settings: Settings) -> tuple[object, ...]:
    """The rows and the indexes of a database."""
    engine = make_engine(settings.database(), "admin")
    seen = inspect(engine)
    indexes = sorted((t, i["name"] or "") for t in seen.get_table_names() for i in seen.get_indexes(t))
    engine.dispose()
    return content(settings), indexes


@pytest.fixture
def server(request: pytest.FixtureRequest, any_database: dict[str, str]) -> Postgres | None:
    """The server, where the database is one of PostgreSQL."""
    if any_database["dialect"] == "sqlite":
        return None
    found: Postgres = request.getfixturevalue("postgres")
    return found


def test_an_empty_database_becomes_what_upgrade_makes(
    any_database: dict[str, str], server: Postgres | None, tmp_path: Path
) -> None:
    settings = write_config(tmp_path, {"default": any_database}, migrations="migrations")
    add_revision(tmp_path, "default", "star", needs="outflow_0001", make="op.execute('CREATE TABLE star (id INTEGER)')")
    (asked,), (blind,) = upgrade_sql(settings), upgrade_sql(settings, from_nothing=True)
    assert asked.script == blind.script != ""
    assert any_database["dialect"] == "postgresql" or not (tmp_path / "outflow.db").exists()
    run_by_hand(settings, asked.script, server)
    assert status(settings)[0].words == "up to date"
    by_hand = everything(settings)
    (after,) = upgrade_sql(settings)
    assert (after.script, after.words) == ("", "up to date")
    assert upgrade(settings)[0].words == "up to date, nothing to do"
    assert everything(settings) == by_hand
    assert "star" in content(settings)


def test_only_what_is_due_is_written(any_database: dict[str, str], server: Postgres | None, tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database}, migrations="migrations")
    add_revision(tmp_path, "default", "star", make="op.execute('CREATE TABLE star (id INTEGER)')")
    upgrade(settings)
    add_revision(tmp_path, "default", "moon", parent="star", make="op.execute('CREATE TABLE moon (id INTEGER)')")
    before = content(settings)
    (found,) = upgrade_sql(settings)
    assert "moon" in found.script and "CREATE TABLE star" not in found.script and "outflow_block" not in found.script
    assert content(settings) == before
    run_by_hand(settings, found.script, server)
    assert status(settings)[0].words == "up to date"


def test_the_user_role_gets_its_rights_by_the_script(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path
) -> None:
    settings = write_config(tmp_path, {"default": postgres_database})
    run_by_hand(settings, upgrade_sql(settings)[0].script, postgres)
    as_user = make_engine(settings.database(), "user")
    with as_user.begin() as connection:
        connection.execute(text("INSERT INTO outflow_configuration (config, settings, hash) VALUES ('{}', '{}', 'h')"))
        for question, may in (("outflow_run', 'DELETE", True), ("outflow_core_version', 'DELETE", False)):
            assert connection.execute(text(f"SELECT has_table_privilege('{question}')")).scalar() is may
    as_user.dispose()


def test_the_sql_for_a_database_of_outflow_adopts_it(tmp_path: Path) -> None:
    settings = copy_of("kinds", tmp_path)
    before, rows = (tmp_path / "outflow.db").read_bytes(), content(settings)
    (found,) = upgrade_sql(settings)
    assert (tmp_path / "outflow.db").read_bytes() == before
    assert "CREATE TABLE outflow_block" not in found.script
    run_by_hand(settings, found.script, None)
    assert content(settings) == {**rows, **ADOPTED}


def test_the_sql_for_a_postgresql_database_of_outflow_adopts_it(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path
) -> None:
    postgres.load(FIXTURES / "pg" / "outflow_par.sql", postgres_database["database"])
    settings = write_config(tmp_path, {"default": postgres_database})
    rows = content(settings)
    (found,) = upgrade_sql(settings)
    run_by_hand(settings, found.script, postgres)
    assert content(settings) == {**rows, **ADOPTED}
    assert upgrade(settings)[0].words == "up to date, nothing to do"


def test_tables_of_an_older_outflow_are_refused(tmp_path: Path) -> None:
    (found,) = upgrade_sql(copy_of("old_0.6.2", tmp_path))
    assert found.is_trouble and "made by Outflow 0.6" in found.words


def test_a_change_by_copying_is_written_with_what_the_table_holds(tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": SQLITE}, migrations="migrations")
    add_revision(tmp_path, "default", "star", make="op.execute('CREATE TABLE star (id INTEGER, a INTEGER, b INTEGER)')")
    upgrade(settings)
    with changing(settings.database()) as connection:
        connection.execute(text("INSERT INTO star VALUES (1, 2, 3)"))
    script = "batch = op.batch_alter_table('star')\n    with batch as table:\n        table.drop_column('a')"
    add_revision(tmp_path, "default", "thin", parent="star", make=script)
    run_by_hand(settings, upgrade_sql(settings)[0].script, None)
    assert content(settings)["star"] == ["(1, 3)"]


def test_a_database_that_cannot_be_reached_is_not_needed_for_an_empty_one(
    postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = {"dialect": "postgresql", "address": str(postgres.socket_dir), "database": "gone"}
    roles = {"user": "o'brien:s3cret", "admin": "boss:t0psecret"}
    path = str(write_config(tmp_path, {"default": {**place, **roles}}).path)
    assert main(["sql", "--config", path]) == 2
    assert "Cannot reach" in capsys.readouterr().err
    assert main(["sql", "--from-nothing", "--config", path]) == 0
    told = capsys.readouterr().out
    assert "CREATE TABLE outflow_block" in told and "'o''brien'" in told and "secret" not in told


def test_the_command_prints_every_bind_and_says_which_has_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = {"dialect": "sqlite", "path": "archive.db"}
    path = str(write_config(tmp_path, {"default": SQLITE, "archive": archive}).path)
    assert main(["sql", "--config", path]) == 0
    told = capsys.readouterr().out
    assert f"-- archive: {tmp_path / 'archive.db'}: no migrations for this bind" in told
    connection = sqlite3.connect(":memory:")
    connection.executescript(told)
    assert connection.execute("SELECT count(*) FROM outflow_block").fetchall() == [(0,)]
    connection.close()
