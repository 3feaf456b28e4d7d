"""The way back: what we made goes, what Outflow made stays, and a loss of data is foretold."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from outflow_core.schema.owner import changing
from outflow_core.schema.upgrades import downgrade, plan_downgrade, upgrade
from tests.core.conftest import content, copy_of, write_config


def test_downgrading_takes_away_what_upgrading_made(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    assert plan_downgrade(settings, "default", "base").losses == ""
    assert downgrade(settings, "default", "base").after == ()
    assert content(settings) == {}
    assert upgrade(settings)[0].words == "tables made"


def test_downgrading_an_adopted_database_keeps_the_tables_of_outflow(tmp_path: Path) -> None:
    settings = copy_of("kinds", tmp_path)
    before = content(settings)
    upgrade(settings)
    assert plan_downgrade(settings, "default", "base").losses == ""
    assert "the tables that Outflow made stay" in downgrade(settings, "default", "base").words
    assert content(settings) == before


def test_the_loss_of_runs_is_foretold(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    with changing(settings.database()) as connection:
        connection.execute(text("INSERT INTO outflow_configuration VALUES (1, '{}', '{}', 'h')"))
        connection.execute(
            text("INSERT INTO outflow_run (id, uuid, state, configuration_id) VALUES (1, 'u', 'success', 1)")
        )
    assert plan_downgrade(settings, "default", "outflow_0001").losses == ""
    assert plan_downgrade(settings, "default", "base").losses == "all that is recorded of 1 run"
