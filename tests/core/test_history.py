"""What `outflow-db history` tells: every revision, newest first, and which are applied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outflow_core.db_cli import main
from outflow_core.schema.upgrades import history, upgrade
from tests.core.conftest import Postgres, add_revision, write_config

SQLITE = {"dialect": "sqlite", "path": "outflow.db"}


def test_what_is_applied_is_marked(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database}, migrations="migrations")
    add_revision(tmp_path, "default", "star")
    add_revision(tmp_path, "default", "planet", parent="star")
    (before,) = history(settings)
    assert [row.is_applied for row in before.revisions] == [False] * 5
    upgrade(settings)
    assert all(row.is_applied for row in history(settings)[0].revisions)
    add_revision(tmp_path, "default", "moon", parent="planet")
    names = [row.revision for row in history(settings)[0].revisions]
    assert names.index("moon") < names.index("planet") < names.index("star")
    assert names.index("outflow_0003") < names.index("outflow_0001")
    assert {row.revision: row.is_applied for row in history(settings)[0].revisions}["moon"] is False


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": SQLITE})
    history(settings)
    assert [path.name for path in tmp_path.iterdir()] == ["config.yml"]


def test_the_revisions_of_a_database_that_cannot_be_reached_are_listed(
    postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = {"dialect": "postgresql", "address": str(postgres.socket_dir), "database": "gone", "user": "me:s3cret"}
    settings = write_config(tmp_path, {"default": gone, "archive": SQLITE})
    assert main(["history", "--config", str(settings.path)]) == 2
    told = capsys.readouterr()
    assert [line.split()[:3] for line in told.out.splitlines()] == [
        ["default", "unknown", "outflow_0003"],
        ["default", "unknown", "outflow_0002"],
        ["default", "unknown", "outflow_0001"],
        ["archive", "no", "migrations"],
    ]
    assert "Cannot reach" in told.err and "s3cret" not in told.out + told.err


def test_history_is_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = write_config(tmp_path, {"default": SQLITE})
    upgrade(settings)
    assert main(["history", "--json", "--bind", "default", "--config", str(settings.path)]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert [(row["revision"], row["is_applied"]) for row in told["revisions"]] == [
        ("outflow_0003", True),
        ("outflow_0002", True),
        ("outflow_0001", True),
    ]
