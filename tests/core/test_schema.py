"""Upgrade, downgrade and status on real SQLite files and a real PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from outflow_core.engines import make_engine
from outflow_core.errors import ConfigError, SchemaError, SourceError
from outflow_core.schema.owner import changing
from outflow_core.schema.upgrades import downgrade, status, upgrade
from outflow_core.settings import Settings
from outflow_core.tables import OUTFLOW_TABLES
from tests.core.conftest import ADOPTED, FIXTURES, Postgres, add_revision, content, copy_of, write_config

OURS = ("outflow_0003",)
SQLITE = {"dialect": "sqlite", "path": "outflow.db"}


def shape(settings: Settings) -> dict[str, Any]:
    """The five tables as the database describes them: all but indexes, order of columns and names of constraints."""
    engine = make_engine(settings.database(), "admin")
    seen = inspect(engine)
    found: dict[str, Any] = {}
    for table in OUTFLOW_TABLES:
        found[table.name] = {
            "columns": {
                column["name"]: (repr(column["type"]), column["nullable"], column["default"])
                for column in seen.get_columns(table.name)
            },
            "key": sorted(seen.get_pk_constraint(table.name)["constrained_columns"]),
            "uniques": sorted(unique["column_names"] for unique in seen.get_unique_constraints(table.name)),
            "foreign": sorted(
                (k["constrained_columns"], k["referred_table"]) for k in seen.get_foreign_keys(table.name)
            ),
            "checks": seen.get_check_constraints(table.name),
        }
    engine.dispose()
    return found


def outflows_own(postgres: Postgres, entry: dict[str, str], folder: Path) -> Settings:
    """The settings of a PostgreSQL database that Outflow made."""
    postgres.load(FIXTURES / "pg" / "outflow_par.sql", entry["database"])
    return write_config(folder, {"default": entry})


def test_the_tables_on_sqlite_are_those_of_outflow(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    ours = write_config(tmp_path, {"default": SQLITE})
    upgrade(ours)
    assert shape(ours) == shape(copy_of("kinds", tmp_path / "theirs"))


def test_the_tables_on_postgresql_are_those_of_outflow(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir()
    ours = write_config(tmp_path, {"default": postgres.make_database("pipeadmin", "pipeuser")})
    upgrade(ours)
    assert shape(ours) == shape(outflows_own(postgres, postgres_database, tmp_path / "theirs"))


def test_a_sqlite_database_of_outflow_is_adopted_with_all_its_rows(tmp_path: Path) -> None:
    settings = copy_of("kinds", tmp_path)
    before = content(settings)
    assert status(settings)[0].words == "made by Outflow, not adopted yet"
    assert upgrade(settings)[0].words == "adopted the tables that Outflow made"
    assert content(settings) == {**before, **ADOPTED}


def test_a_postgresql_database_of_outflow_is_adopted_with_all_its_rows(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path
) -> None:
    settings = outflows_own(postgres, postgres_database, tmp_path)
    before = content(settings)
    upgrade(settings)
    assert content(settings) == {**before, **ADOPTED}


def test_tables_of_an_older_outflow_are_refused_and_left_alone(tmp_path: Path) -> None:
    settings = copy_of("old_0.6.2", tmp_path)
    before = (tmp_path / "outflow.db").read_bytes()
    (report,) = upgrade(settings)
    assert report.is_trouble and "made by Outflow 0.6" in report.words
    assert "made by Outflow 0.6" in status(settings)[0].words
    assert (tmp_path / "outflow.db").read_bytes() == before


def test_an_empty_file_gets_the_tables(tmp_path: Path) -> None:
    settings = copy_of("not_migrated", tmp_path)
    assert status(settings)[0].words == "no tables yet"
    assert upgrade(settings)[0].after == OURS


def test_upgrading_twice_is_upgrading_once(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    assert upgrade(settings)[0].words == "tables made"
    before = content(settings)
    assert upgrade(settings)[0].words == "up to date, nothing to do"
    assert content(settings) == before
    assert status(settings)[0].words == "up to date"


def test_outflow_is_told_that_its_own_migrations_are_done(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    assert content(settings)["alembic_version"] == ["('6739ea807c29',)"]


def test_somebody_elses_alembic_version_stays_as_it_is(tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": SQLITE})
    with sqlite3.connect(tmp_path / "outflow.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('abc')")
    connection.close()
    upgrade(settings)
    downgrade(settings, "default", "base")
    assert content(settings) == {"alembic_version": ["('abc',)"]}


def test_a_second_upgrade_waits_for_the_first(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    words: list[str] = []
    second = threading.Thread(target=lambda: words.append(upgrade(settings)[0].words))
    with changing(settings.database(), create=True) as connection:
        connection.execute(text("CREATE TABLE other (id INTEGER)"))
        second.start()
        second.join(0.5)
        assert second.is_alive() and not words
    second.join(30)
    assert words == ["tables made"]


def test_an_unreachable_database_does_not_stop_the_others(postgres: Postgres, tmp_path: Path) -> None:
    gone = {"dialect": "postgresql", "address": str(postgres.socket_dir), "database": "gone", "user": "pipeuser:secret"}
    settings = write_config(tmp_path, {"default": SQLITE, "archive": gone}, migrations="migrations")
    add_revision(tmp_path, "archive", "a1")
    reports = {report.key: report for report in upgrade(settings)}
    assert reports["default"].after == OURS
    assert reports["archive"].is_trouble and "Cannot reach postgresql://" in reports["archive"].words
    assert "secret" not in repr(reports) + repr(status(settings))


def test_status_makes_no_file_and_changes_none(tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": SQLITE})
    assert status(settings)[0].words == "no file yet"
    assert not (tmp_path / "outflow.db").exists()
    copy_of("kinds", tmp_path)
    before = (tmp_path / "outflow.db").read_bytes()
    status(settings)
    assert (tmp_path / "outflow.db").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yml", "outflow.db"]


def test_status_on_postgresql_makes_no_table(postgres_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": postgres_database})
    assert status(settings)[0].words == "no tables yet"
    assert content(settings) == {}


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": {"dialect": "sqlite", "path": "books/outflow.db"}})
    (report,) = upgrade(settings)
    assert report.is_trouble and f"{tmp_path / 'books'}: no such directory" in report.words


def test_tables_that_were_lost_are_missed(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    with changing(settings.database()) as connection:
        connection.execute(text("DROP TABLE outflow_edge"))
    assert "outflow_edge.upstream_block_id" in status(settings)[0].words
    assert upgrade(settings)[0].is_trouble


def test_a_revision_without_a_script_is_named(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    with changing(settings.database()) as connection:
        connection.execute(text("UPDATE outflow_core_version SET version_num = 'later'"))
    assert "'later'" in upgrade(settings)[0].words
    assert "'later'" in status(settings)[0].words
    with pytest.raises(SchemaError, match="later"):
        downgrade(settings, "default", "base")


def test_a_mistyped_key_or_file_is_refused_in_words(tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": SQLITE}, migrations="nowhere")
    with pytest.raises(ConfigError, match="unknown bind key 'archiv'"):
        upgrade(settings, "archiv")
    assert "'migrations' names" in upgrade(settings)[0].words
    with pytest.raises(SourceError, match="outflow-db upgrade"):
        downgrade(write_config(tmp_path, {"default": SQLITE}), "default", "base")
