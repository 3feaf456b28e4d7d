"""The indexes that the monitor reads by: where they are made, where they are only offered, and that they are used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from outflow_core.db_cli import main
from outflow_core.errors import SchemaError
from outflow_core.schema.grants import run_plain
from outflow_core.schema.indexes import INDEXES, make_indexes, missing_indexes
from outflow_core.schema.owner import changing, looking
from outflow_core.schema.upgrades import downgrade, upgrade
from outflow_core.settings import Settings
from tests.core.conftest import ADOPTED, FIXTURES, Postgres, content, copy_of, write_config

BLOCKS = 100_000
WINDOW = "SELECT id, name FROM outflow_block WHERE run_id = 1 ORDER BY id LIMIT 50"
COUNTS = "SELECT state, count(*) FROM outflow_block WHERE run_id IN (1, 7) AND type = 'task' GROUP BY run_id, state"
STATE = "SELECT count(*) FROM outflow_block WHERE run_id = 1 AND state = 'failed'"
CAUSES = "SELECT traceback FROM outflow_runtime_exception WHERE block_id IN (10, 20) ORDER BY id"
EDGES = (
    "SELECT upstream_block_id, downstream_block_id FROM outflow_edge "
    "WHERE upstream_block_id IN (1, 2) OR downstream_block_id IN (1, 2)"
)


def missing(settings: Settings) -> set[str]:
    """Which of the indexes the default database lacks."""
    with looking(settings.database()) as connection:
        return set(missing_indexes(connection))


@pytest.fixture(params=["sqlite", "postgresql"])
def adopted(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A database that Outflow made, of each dialect in turn, upgraded by us."""
    if request.param == "sqlite":
        settings = copy_of("kinds", tmp_path)
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        entry: dict[str, str] = request.getfixturevalue("postgres_database")
        postgres.load(FIXTURES / "pg" / "outflow_par.sql", entry["database"])
        settings = write_config(tmp_path, {"default": entry})
    (report,) = upgrade(settings)
    assert report.words == "adopted the tables that Outflow made"
    assert "'outflow-db indexes'" in report.offer
    return settings


def test_a_database_of_ours_has_them_until_it_is_taken_back(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    (report,) = upgrade(settings)
    assert not report.offer and missing(settings) == set()
    assert downgrade(settings, "default", "outflow_0001").after == ("outflow_0001",)
    assert missing(settings) == set(INDEXES)
    assert upgrade(settings)[0].words == "upgraded from outflow_0001"
    assert missing(settings) == set()


def test_an_adopted_database_has_them_only_on_request(adopted: Settings) -> None:
    assert missing(adopted) == set(INDEXES)
    before = content(adopted)
    report = make_indexes(adopted)
    assert (set(report.made), report.words) == (set(INDEXES), "made 4 indexes")
    assert missing(adopted) == set()
    assert make_indexes(adopted).words == "all indexes are there"
    assert upgrade(adopted)[0].words == "up to date, nothing to do"
    assert content(adopted) == before


def test_a_downgrade_takes_those_made_on_request_away_and_keeps_the_tables(adopted: Settings) -> None:
    before = content(adopted)
    make_indexes(adopted)
    downgrade(adopted, "default", "base")
    assert missing(adopted) == set(INDEXES)
    assert content(adopted) == {name: rows for name, rows in before.items() if name not in ADOPTED}


def test_the_request_makes_what_the_revision_makes(any_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    upgrade(settings)
    downgrade(settings, "default", "outflow_0002")
    before = definitions(settings)
    downgrade(settings, "default", "outflow_0001")
    make_indexes(settings)
    assert definitions(settings) == before != []


def definitions(settings: Settings) -> list[str]:
    """The SQL of the indexes, as the database keeps it."""
    query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    if settings.database().path is None:
        query = "SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'outflow_core_%'"
    with looking(settings.database()) as connection:
        return sorted(connection.execute(text(query)).scalars())


def test_indexes_for_tables_that_are_not_there_are_refused(any_database: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="outflow-db upgrade"):
        make_indexes(write_config(tmp_path, {"default": any_database}))


def test_the_command_offers_them_once_and_makes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(copy_of("kinds", tmp_path).path)
    assert main(["upgrade", "--config", path]) == 0
    assert "'outflow-db indexes' makes indexes" in capsys.readouterr().err
    assert main(["upgrade", "--config", path, "--indexes"]) == 0
    told = capsys.readouterr()
    assert "made 4 indexes" in told.out and told.err == ""
    assert main(["indexes", "--config", path]) == 0
    assert "all indexes are there" in capsys.readouterr().out


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A database of ours with 100,000 blocks, half of them in one run."""
    folder = tmp_path_factory.mktemp("large")
    upgrade(write_config(folder, {"default": {"dialect": "sqlite", "path": "outflow.db"}}))
    connection = sqlite3.connect(folder / "outflow.db")
    connection.execute("INSERT INTO outflow_configuration VALUES (1, '{}', '{}', 'h')")
    connection.executemany(
        "INSERT INTO outflow_run (id, uuid, state, configuration_id) VALUES (?, ?, 'success', 1)",
        ((run, f"run {run}") for run in range(1, 503)),
    )
    connection.executemany(
        "INSERT INTO outflow_block (id, uuid, state, type, name, run_id) VALUES (?, ?, ?, ?, 'fit', ?)",
        (
            (
                i,
                f"block {i}",
                "success" if i % 10 else "failed",
                "task" if i % 50 else "workflow",
                1 + i % 2 * (i // 200),
            )
            for i in range(1, BLOCKS + 1)
        ),
    )
    connection.executemany(
        "INSERT INTO outflow_runtime_exception VALUES (?, ?, 'E', 'm', 't', '2026-01-01')",
        ((i, i * 10) for i in range(1, BLOCKS // 10)),
    )
    connection.executemany("INSERT INTO outflow_edge VALUES (?, ?)", ((i, i + 1) for i in range(1, BLOCKS)))
    connection.commit()
    yield connection
    connection.close()


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize(
    ("query", "plan"),
    [
        (WINDOW, "SEARCH outflow_block USING INDEX outflow_core_block_run (run_id=?)"),
        (COUNTS, "SEARCH outflow_block USING COVERING INDEX outflow_core_block_state (run_id=?)"),
        (STATE, "SEARCH outflow_block USING COVERING INDEX outflow_core_block_state (run_id=? AND state=?)"),
        (CAUSES, "SEARCH outflow_runtime_exception USING INDEX outflow_core_exception_block (block_id=?)"),
        (EDGES, "outflow_core_edge_downstream"),
    ],
)
def test_sqlite_reads_by_them(large: sqlite3.Connection, query: str, plan: str, analyzed: bool) -> None:
    if analyzed:
        large.execute("ANALYZE")
    else:
        large.execute("DROP TABLE IF EXISTS sqlite_stat1") if has_statistics(large) else None
    steps = [str(row[3]) for row in large.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert any(plan in step for step in steps), steps
    assert not any(step.startswith("SCAN") for step in steps), steps


def has_statistics(connection: sqlite3.Connection) -> bool:
    """Whether the database was analysed."""
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchall())


def test_the_first_window_of_a_run_needs_no_sorting(large: sqlite3.Connection) -> None:
    steps = [str(row[3]) for row in large.execute(f"EXPLAIN QUERY PLAN {WINDOW}")]
    assert len(steps) == 1
    visited = 0

    def count() -> int:
        nonlocal visited
        visited += 1
        return 0

    large.set_progress_handler(count, 100)
    assert len(large.execute(WINDOW).fetchall()) == 50
    large.set_progress_handler(None, 0)
    assert visited < 20  # hundreds of the machine's instructions: some for each row that is shown, none for the rest


def test_postgresql_reads_by_them(postgres_database: dict[str, str], tmp_path: Path) -> None:
    settings = write_config(tmp_path, {"default": postgres_database})
    upgrade(settings)
    with changing(settings.database()) as connection:
        for statement in FILL_POSTGRESQL:
            run_plain(connection, statement)
    with looking(settings.database()) as connection:
        late_run = WINDOW.replace("run_id = 1", "run_id = 401")
        window = "\n".join(connection.execute(text(f"EXPLAIN {late_run}")).scalars())
        assert "outflow_core_block_run" in window and "Sort" not in window
        state = "\n".join(connection.execute(text(f"EXPLAIN {STATE}")).scalars())
        assert "outflow_core_block_state" in state


FILL_POSTGRESQL = (
    "INSERT INTO outflow_configuration VALUES (1, '{}', '{}', 'h')",
    "INSERT INTO outflow_run (id, uuid, state, configuration_id) "
    "SELECT i, i::text, 'success', 1 FROM generate_series(1, 502) AS i",
    "INSERT INTO outflow_block (uuid, state, type, name, run_id) SELECT i::text, "
    "(CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'success' END)::stateenum, 'task', 'fit', 1 + i % 2 * (i / 200) "
    f"FROM generate_series(1, {BLOCKS}) AS i",
    "ANALYZE outflow_block",
)
