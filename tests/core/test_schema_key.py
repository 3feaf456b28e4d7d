"""A PostgreSQL database whose tables live in a schema that the configuration names by the key `schema`."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from outflow_core.engines import make_engine
from outflow_core.reader import Reader
from outflow_core.run_queries import runs
from outflow_core.schema.autogenerate import write_revisions
from outflow_core.schema.grants import quoted_name
from outflow_core.schema.indexes import make_indexes
from outflow_core.schema.model_check import check
from outflow_core.schema.offline_sql import upgrade_sql
from outflow_core.schema.upgrades import downgrade, status, upgrade
from outflow_core.settings import Settings
from tests.core.conftest import Postgres, quoted, write_config
from tests.core.model_modules import Pipeline, pipeline

__all__ = ["pipeline"]

NAMES = ("books", 'we"ird, schema %s', "Größe 星")


def tables_by_schema(postgres: Postgres, database: str) -> dict[str, set[str]]:
    """Which tables stand in which schema."""
    found: dict[str, set[str]] = {}
    query = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
    for schema, table in postgres.superuser_sql(query, database):
        found.setdefault(schema, set()).add(table)
    return found


@pytest.fixture(params=NAMES)
def settings(request: pytest.FixtureRequest, postgres_database: dict[str, str], tmp_path: Path) -> Settings:
    """A database whose tables are to live in a schema that is not there yet, of ever stranger names."""
    return write_config(tmp_path, {"default": {**postgres_database, "schema": request.param}})


def test_the_tables_are_made_in_the_schema_and_nowhere_else(
    postgres: Postgres, settings: Settings, postgres_database: dict[str, str]
) -> None:
    assert status(settings)[0].words == "no tables yet"
    (report,) = upgrade(settings)
    assert report.words == "tables made"
    (schema,) = tables_by_schema(postgres, postgres_database["database"])
    assert schema == settings.database().schema
    assert status(settings)[0].words == "up to date"
    assert make_indexes(settings).words == "all indexes are there"
    downgrade(settings, "default", "base")
    assert tables_by_schema(postgres, postgres_database["database"]) == {}


def test_the_user_role_has_data_rights_there_and_no_others(settings: Settings) -> None:
    upgrade(settings)
    engine = make_engine(settings.database(), "user")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO outflow_configuration (config, settings, hash) VALUES ('{}', '{}', 'h')"))
        connection.execute(text("DELETE FROM outflow_configuration"))
    for statement in ("CREATE TABLE own (id INTEGER)", "TRUNCATE outflow_edge", "DROP TABLE outflow_edge"):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    admin = make_engine(settings.database(), "admin")
    with admin.begin() as connection:
        connection.execute(text("CREATE TABLE later (id SERIAL)"))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO later DEFAULT VALUES"))
    admin.dispose()
    engine.dispose()


def test_the_monitor_reads_there(settings: Settings) -> None:
    upgrade(settings)
    reader = Reader(settings.database())
    assert runs(reader, count=5) == ()
    reader.close()


def test_two_binds_share_a_database_in_two_schemas(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path, pipeline: Pipeline
) -> None:
    databases = {"default": postgres_database, "archive": {**postgres_database, "schema": "archive"}}
    settings = write_config(tmp_path, databases, migrations="own")
    body = 'class Planet(Model):\n    __bind_key__ = "archive"\n    id = Column(Integer, primary_key=True)\n'
    models = pipeline.has_models(body)
    name = postgres_database["database"]
    postgres.superuser_sql(f"CREATE SCHEMA archive AUTHORIZATION {quoted('pipeadmin')}", name)
    reports = write_revisions(settings, "planets", None, models)
    assert [report.is_trouble for report in reports] == [False, False], reports
    assert [report.words for report in upgrade(settings)] == ["tables made", "tables made"]
    found = tables_by_schema(postgres, name)
    assert found["archive"] == {"planet", "outflow_core_version"}
    assert "outflow_run" in found["public"] and "planet" not in found["public"]
    assert [bind.differences for bind in check(settings, models=models)] == [(), ()]


def test_the_script_of_an_upgrade_makes_the_schema_too(
    postgres: Postgres, settings: Settings, postgres_database: dict[str, str]
) -> None:
    script = upgrade_sql(settings)[0].script
    name = postgres_database["database"]
    postgres.superuser_sql(f"GRANT CREATE ON DATABASE {name} TO pipeadmin")
    postgres.psql(f"\\set ON_ERROR_STOP on\n\\connect {name}\nSET ROLE pipeadmin;\n{script}\n")
    assert upgrade(settings)[0].words == "up to date, nothing to do"
    schema = settings.database().schema
    assert set(tables_by_schema(postgres, name)) == {schema}
    assert quoted_name(schema or "") in script
