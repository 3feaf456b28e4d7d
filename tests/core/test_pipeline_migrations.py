"""A pipeline's own migrations beside ours: each for its bind, all of an upgrade or nothing of it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from outflow_core.schema.upgrades import downgrade, plan_downgrade, status, upgrade
from tests.core.conftest import add_revision, content, write_config

SQLITE = {"dialect": "sqlite", "path": "outflow.db"}


def made(table: str) -> str:
    """What an upgrade does that makes a table with a row."""
    return f"op.execute('CREATE TABLE {table} (id INTEGER)'); op.execute('INSERT INTO {table} VALUES (1)')"


def test_own_migrations_take_part_for_their_bind(any_database: dict[str, str], tmp_path: Path) -> None:
    add_revision(tmp_path, "default", "star", make=made("star"))
    add_revision(tmp_path, "archive", "planet", make=made("planet"))
    archive = {"dialect": "sqlite", "path": "archive.db"}
    settings = write_config(tmp_path, {"default": any_database, "archive": archive}, migrations="migrations")
    assert [set(report.after) for report in upgrade(settings)] == [{"outflow_0003", "star"}, {"planet"}]
    assert content(settings)["star"] == ["(1,)"]
    assert content(settings, "archive") == {"planet": ["(1,)"], "outflow_core_version": ["('planet',)"]}


def test_a_bind_without_migrations_is_left_alone(tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": SQLITE, "archive": {"dialect": "sqlite", "path": "archive.db"}})
    assert [report.words for report in upgrade(settings)] == ["tables made", "no migrations for this bind"]
    assert status(settings, "archive")[0].words == "no migrations for this bind"
    assert not (tmp_path / "archive.db").exists()


def test_a_migration_may_build_on_the_books(any_database: dict[str, str], tmp_path: Path) -> None:
    make = "op.execute('CREATE TABLE star (id INTEGER, run_id INTEGER REFERENCES outflow_run (id))')"
    add_revision(tmp_path, "default", "star", needs="outflow_0001", make=make)
    settings = write_config(tmp_path, {"default": any_database}, migrations="migrations")
    assert upgrade(settings)[0].words == "tables made"
    assert status(settings)[0].words == "up to date"
    assert upgrade(settings)[0].words == "up to date, nothing to do"
    assert downgrade(settings, "default", "base").after == ()
    assert content(settings) == {}


def test_a_new_revision_is_seen_and_applied(any_database: dict[str, str], tmp_path: Path) -> None:
    add_revision(tmp_path, "default", "star", make=made("star"))
    settings = write_config(tmp_path, {"default": any_database}, migrations="migrations")
    upgrade(settings)
    add_revision(tmp_path, "default", "planet", parent="star", make=made("planet"))
    assert status(settings)[0].words == "needs upgrade"
    assert upgrade(settings)[0].words == "upgraded from outflow_0003, star"
    assert status(settings)[0].words == "up to date"


@pytest.mark.parametrize("failing", ["raise KeyError('colour')", "op.execute('INSERT INTO nowhere VALUES (1)')"])
def test_an_upgrade_that_fails_halfway_changes_nothing(
    any_database: dict[str, str], tmp_path: Path, failing: str
) -> None:
    settings = write_config(tmp_path, {"default": any_database}, migrations="migrations")
    add_revision(tmp_path, "default", "star", make=made("star"))
    upgrade(settings)
    before = content(settings)
    add_revision(tmp_path, "default", "planet", parent="star", make=f"{made('planet')}; {made('moon')}; {failing}")
    (report,) = upgrade(settings)
    assert report.is_trouble and report.words.endswith("nothing was changed.")
    assert content(settings) == before


def test_a_first_upgrade_that_fails_leaves_no_table_and_no_file(any_database: dict[str, str], tmp_path: Path) -> None:
    add_revision(tmp_path, "default", "star", make=f"{made('star')}; raise KeyError('colour')")
    settings = write_config(tmp_path, {"default": any_database}, migrations="migrations")
    assert "a migration failed with KeyError: 'colour'" in upgrade(settings)[0].words
    path = settings.database().path
    assert content(settings) == {} if path is None else not path.exists()


def test_a_script_that_cannot_be_read_is_told_before_a_file_is_made(tmp_path: Path) -> None:
    add_revision(tmp_path, "default", "star", make="this is no Python")
    settings = write_config(tmp_path, {"default": SQLITE}, migrations="migrations")
    assert "SyntaxError" in upgrade(settings)[0].words
    assert "SyntaxError" in status(settings)[0].words
    assert not (tmp_path / "outflow.db").exists()


def test_downgrading_one_step_undoes_one_revision(any_database: dict[str, str], tmp_path: Path) -> None:
    add_revision(tmp_path, "default", "star", make=made("star"))
    add_revision(tmp_path, "default", "planet", parent="star", make=made("planet"))
    settings = write_config(tmp_path, {"default": any_database}, migrations="migrations")
    upgrade(settings)
    assert plan_downgrade(settings, "default", "star").losses == "what the revision planet made"
    assert set(downgrade(settings, "default", "star").after) == {"outflow_0003", "star"}
    assert "planet" not in content(settings) and "star" in content(settings)


def test_threads_that_upgrade_several_databases_do_not_mix_them_up(tmp_path: Path) -> None:
    databases = {f"bind{number}": {"dialect": "sqlite", "path": f"{number}.db"} for number in range(4)}
    for key in databases:
        add_revision(tmp_path, key, key, make=made(key))
    settings = write_config(tmp_path, databases, migrations="migrations")
    threads = [threading.Thread(target=upgrade, args=(settings, key)) for key in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in databases:
        assert content(settings, key) == {key: ["(1,)"], "outflow_core_version": [f"('{key}',)"]}
