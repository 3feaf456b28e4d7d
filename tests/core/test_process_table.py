"""Our table of processes: made beside the tables of Outflow, whoever made those, and taken away alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import inspect

from outflow_core import record_run
from outflow_core.engines import make_engine
from outflow_core.schema.upgrades import downgrade, status, upgrade
from outflow_core.settings import Settings
from outflow_core.tables import process
from tests.core.conftest import FIXTURES, Postgres, content, copy_of, write_config


def seen_by(settings: Settings) -> Any:
    """The columns, the foreign keys and the indexes of the table, as the database describes them."""
    engine = make_engine(settings.database(), "admin")
    seen = inspect(engine)
    columns = {(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(process.name)}
    keys = [(key["referred_table"], key["options"]) for key in seen.get_foreign_keys(process.name)]
    indexes = {tuple(index["column_names"]) for index in seen.get_indexes(process.name)}
    engine.dispose()
    return columns, keys, indexes


def test_the_revision_makes_what_the_program_knows(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    made = seen_by(settings)
    engine = make_engine(settings.database(), "admin")
    process.drop(engine)
    process.create(engine)
    engine.dispose()
    columns, keys, _ = seen_by(settings)
    assert (columns, keys, {("run_id",)}) == made


def test_it_goes_alone_and_comes_again(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    with record_run("reduce", config=settings):
        pass
    before = content(settings)
    downgrade(settings, "default", "outflow_0002")
    assert before.keys() - content(settings).keys() == {process.name}
    assert status(settings)[0].words == "needs upgrade"
    assert upgrade(settings)[0].words == "upgraded from outflow_0002"
    assert content(settings) == {**before, process.name: []}


def test_a_run_in_an_adopted_database_has_its_processes(tmp_path: Path) -> None:
    settings = copy_of("kinds", tmp_path)
    upgrade(settings)
    with record_run("reduce", config=settings):
        pass
    assert len(content(settings)[process.name]) == 1


def test_the_user_role_may_write_it_in_an_adopted_database(
    postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path
) -> None:
    postgres.load(FIXTURES / "pg" / "outflow_par.sql", postgres_database["database"])
    settings = write_config(tmp_path, {"default": postgres_database})
    upgrade(settings)
    with record_run("reduce", config=settings):
        pass
    assert len(content(settings)[process.name]) == 1
