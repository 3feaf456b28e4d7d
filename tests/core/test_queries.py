"""What the books are asked: on both databases, with rows as they really look."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, Executable, insert, text

from outflow_core import (
    block_queries,
    configuration_queries,
    context,
    detail_queries,
    exception_queries,
    meant_run,
    run_counts,
    run_queries,
    tables,
)
from outflow_core.engines import make_engine
from outflow_core.errors import NotFoundError, SchemaError
from outflow_core.json_text import as_json
from outflow_core.masking import MASK
from outflow_core.read_values import as_time, state_of
from outflow_core.reader import Reader
from outflow_core.rows import TaskCounts
from outflow_core.run_causes import causes_of_run
from outflow_core.settings import Settings
from outflow_core.states import BlockType, State
from tests.core.books import DIALECTS, POSTGRESQL, SQLITE, fresh_books, patient

NOON = datetime(2024, 5, 1, 12, 0, 0, 250_000)


class Books:
    """Books with a writer that puts in whatever a test says, and a reader."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine: Engine = make_engine(settings.database())
        self.reader = Reader(settings.database())
        self.is_sqlite = settings.database().dialect == SQLITE
        self._configuration = self.configuration()

    def close(self) -> None:
        self.reader.close()
        self.engine.dispose()

    def execute(self, *statements: Any) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement) if isinstance(statement, str) else statement)

    def add(self, table: Any, **values: Any) -> int:
        with self.engine.begin() as connection:
            return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())

    def configuration(self, config: Any = None, settings: Any = None) -> int:
        return self.add(tables.configuration, config=config or {}, settings=settings or {}, hash=uuid4().hex)

    def run(self, state: State = State.SUCCESS, **values: Any) -> int:
        row = {"uuid": str(uuid4()), "state": state, "configuration_id": self._configuration, "command_name": "a"}
        return self.add(tables.run, **row | values)

    def block(self, run: int, state: State = State.SUCCESS, **values: Any) -> int:
        row = {"uuid": str(uuid4()), "type": BlockType.TASK, "name": "fit", "run_id": run, "state": state}
        return self.add(tables.block, **row | values)

    def exception(self, block: int | None, message: str = "ValueError: no", **values: Any) -> int:
        row = {"block_id": block, "exception_type": "ValueError", "exception_msg": message, "time": NOON}
        return self.add(tables.runtime_exception, **row | {"traceback": f"{message}\n"} | values)


@pytest.fixture(params=DIALECTS)
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    made = Books(fresh_books(request, tmp_path, request.param))
    yield made
    made.close()


@pytest.fixture
def file_books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """Books in a SQLite file, which lets anything in."""
    made = Books(fresh_books(request, tmp_path, SQLITE))
    yield made
    made.close()


def ids(rows: Sequence[Any]) -> list[int]:
    return [row.id for row in rows]


# runs


def test_runs_come_newest_first_and_placeholders_are_left_out(books: Books) -> None:
    for number in (-1, 0, 1, 2):
        books.run(id=number)
    assert ids(run_queries.runs(books.reader, count=0)) == [2, 1, 0]
    assert ids(run_queries.runs(books.reader, count=2)) == [2, 1]
    assert ids(run_queries.runs(books.reader, count=2, below=2)) == [1, 0]
    assert [values[0] for values in run_queries.run_values_from(books.reader, -5)] == [0, 1, 2]
    assert [values[0] for values in run_queries.run_values_between(books.reader, -5, 1)] == [0, 1]
    assert [values[0] for values in run_queries.run_values_below(books.reader, None, 5)] == [2, 1, 0]
    assert sorted({values[0] for values in run_queries.run_values_by_id(books.reader, [0, 2, 9])}) == [0, 2]


def test_a_run_has_all_that_the_books_say_of_it(books: Books) -> None:
    uuid = str(uuid4())
    number = books.run(State.FAILED, uuid=uuid, start_time=NOON, end_time=None, hostname="n1", command_name=None)
    (row,) = run_queries.runs(books.reader, count=0)
    assert (row.id, row.uuid, row.state, row.start_time, row.end_time) == (number, uuid, State.FAILED, NOON, None)
    assert (row.hostname, row.command) == ("n1", None)


def test_runs_are_found_by_state_and_by_command(books: Books) -> None:
    failed, reduced = books.run(State.FAILED), books.run(command_name="reduce")
    assert ids(run_queries.runs(books.reader, count=0, state=State.FAILED)) == [failed]
    assert ids(run_queries.runs(books.reader, count=0, command="reduce")) == [reduced]
    assert run_queries.runs(books.reader, count=0, state=State.FAILED, command="reduce") == ()


def test_thousands_of_ids_can_be_asked_for_at_once(books: Books) -> None:
    runs = [books.run() for _ in range(5)]
    wanted = range(-10, 5_000)
    assert sorted(ids(run_queries.runs_by_id(books.reader, wanted))) == runs
    assert run_counts.task_counts(books.reader, wanted) == {}
    assert configuration_queries.hashes(books.reader, wanted).keys() == {1}
    assert exception_queries.exceptions_of(books.reader, wanted) == {}


def test_a_person_finds_a_run_by_id_uuid_state_or_command(books: Books) -> None:
    first = books.run(State.FAILED, uuid="12ab0000-0000-4000-8000-000000000000", command_name="reduce")
    second = books.run(uuid="99999999-0000-4000-8000-000000000000", command_name="map")
    find = meant_run.find_run
    assert find(books.reader, f" {first} ").id == first
    assert find(books.reader, "last").id == second
    assert find(books.reader, "last:failed").id == first
    assert find(books.reader, "last:reduce").id == first
    assert find(books.reader, "12AB").id == first
    assert find(books.reader, "99999999").id == second


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("7", r"no run '7'; the newest is 2"),
        ("", r"no run ''"),
        ("-1", r"no run '-1'"),
        ("zz", r"no run 'zz'"),
        ("%", r"no run '%'"),
        ("_", r"no run '_'"),
        ("last:", r"'last:' names no state and no command; write last, last:failed or last:COMMAND"),
        ("last:running", r"no run is in state or has command 'running'"),
        ("last:nothing", r"no run is in state or has command 'nothing'"),
        ("ab", r"several runs have a uuid that begins with 'ab': \[2, 1\]"),
        ("9" * 30, r"no run '9+'"),
        ("²", r"no run"),
    ],
)
def test_a_run_that_is_not_there_is_told_with_what_there_is(books: Books, wanted: str, words: str) -> None:
    for number in (-1, 1, 2):
        books.run(id=number, uuid=f"ab{number:+06}-0000-4000-8000-000000000000")
    with pytest.raises(NotFoundError, match=words):
        meant_run.find_run(books.reader, wanted)


def test_the_greatest_ids_are_found(file_books: Books) -> None:
    for number in (2**63 - 1, 2**63 - 2, 10**18):
        file_books.run(id=number)
        assert meant_run.find_run(file_books.reader, f"{number}").id == number
    with pytest.raises(NotFoundError, match=f"no run '{2**63}'; the newest is {2**63 - 1}"):
        meant_run.find_run(file_books.reader, f"{2**63}")


@pytest.mark.parametrize("value", [None, "SUCCESS", "success ", "x" * 5_000])
def test_of_a_state_that_is_no_newer_versions_it_is_told_what_stands_where(
    file_books: Books, value: str | None
) -> None:
    with pytest.raises(SchemaError, match="outflow_run 7: .* or the row is damaged") as raised:
        state_of(value, "outflow_run 7")
    said = str(raised.value)
    assert ("no state (NULL)" if value is None else f"unknown state {value!r}"[:900]) in said and len(said) < 1_200


@pytest.mark.parametrize(
    "text", ["0044-03-15 12:00:00 BC", "0044-03-15 12:00:00.123 BC", "0044-03-15 12:00:00.123456 BC"]
)
def test_a_time_before_our_era_is_no_time_of_ours(text: str) -> None:
    assert as_time(text) is None and as_time(text.removesuffix(" BC")) is not None


def test_in_empty_books_no_run_is_found(books: Books) -> None:
    for wanted in ("last", "1", "ab"):
        with pytest.raises(NotFoundError, match="there are (no runs|none) yet"):
            meant_run.find_run(books.reader, wanted)


# counts


def test_tasks_are_counted_by_state_and_workflows_are_not(books: Books) -> None:
    first, second, third = books.run(), books.run(), books.run()
    for state in (State.PENDING, State.FAILED, State.FAILED, State.SKIPPED, State.RUNNING, State.SUCCESS):
        books.block(first, state)
    books.block(second, State.PENDING)
    books.block(second, State.FAILED, type=BlockType.WORKFLOW)
    books.block(third, State.FAILED, type=BlockType.WORKFLOW)
    wanted = {
        first: TaskCounts(pending=1, running=1, failed=2, success=1, skipped=1),
        second: TaskCounts(pending=1),
    }
    assert run_counts.task_counts(books.reader, None) == wanted
    assert run_counts.task_counts(books.reader, [second, third]) == {second: wanted[second]}


def test_exceptions_are_counted_for_all_blocks_of_a_run_and_no_others(books: Books) -> None:
    run = books.run()
    task, workflow = books.block(run, State.FAILED), books.block(run, State.FAILED, type=BlockType.WORKFLOW)
    for block in (task, task, workflow, None):
        books.exception(block)
    assert run_counts.exception_counts(books.reader, None) == {run: 3}
    assert run_counts.exception_counts(books.reader, [run]) == {run: 3}


# blocks


def test_blocks_are_read_in_portions_between_ids_and_by_id(books: Books) -> None:
    run, other = books.run(), books.run()
    blocks = [books.block(run) for _ in range(4)]
    books.block(other)
    assert ids(block_queries.blocks_of(books.reader, run)) == blocks
    assert ids(block_queries.blocks_of(books.reader, run, after=blocks[0], count=2)) == blocks[1:3]
    assert ids(block_queries.blocks_between(books.reader, run, blocks[1], 100)) == blocks[1:]
    assert sorted(ids(block_queries.blocks_by_id(books.reader, run, range(100)))) == blocks


def test_a_block_has_all_that_the_books_say_of_it(books: Books) -> None:
    run = books.run()
    above, below = books.block(run), books.block(run)
    number = books.block(
        run,
        State.FAILED,
        name="calibrate",
        plugin="survey",
        start_time=NOON,
        hostname="n1",
        parent_id=above,
        input_targets={"raw": {"type": "int"}},
        output_targets={"flux": {}},
        input_values={"file": '"a.fits"', "password": '"p"'},
    )
    for pair in ((above, number), (below, number), (number, below)):
        books.execute(insert(tables.edge).values(upstream_block_id=pair[0], downstream_block_id=pair[1]))
    books.exception(number, "ValueError: first")
    books.exception(number, "ValueError: second", time=NOON.replace(hour=11))
    detail = detail_queries.block_detail(books.reader, run, number)
    row = detail.block
    assert (row.id, row.type, row.name, row.state) == (number, BlockType.TASK, "calibrate", State.FAILED)
    assert (row.start_time, row.end_time, row.hostname, row.parent_id) == (NOON, None, "n1", above)
    assert (detail.run_id, detail.plugin, detail.input_targets) == (run, "survey", {"raw": {"type": "int"}})
    assert detail.input_values == {"file": '"a.fits"', "password": MASK}
    assert (detail.upstream, detail.downstream) == ((above, below), (below,))
    assert [exception.message for exception in detail.exceptions] == ["ValueError: first", "ValueError: second"]
    assert detail.exception is not None and detail.exception.message == "ValueError: second"


def test_a_block_that_is_not_there_or_in_another_run_is_told(books: Books) -> None:
    run, other = books.run(), books.run()
    block = books.block(other)
    for number in (block, 99):
        with pytest.raises(NotFoundError, match=f"block {number} is not in the books any more"):
            detail_queries.block_detail(books.reader, run, number)


def test_the_edges_of_a_large_map_are_all_found(books: Books) -> None:
    run = books.run()
    source = books.block(run)
    items = [books.block(run) for _ in range(3)]
    extra = [source * 1_000 + n for n in range(1_200)]
    with books.engine.begin() as connection:
        rows = [
            {"id": n, "uuid": str(uuid4()), "type": "task", "name": "i", "run_id": run, "state": "pending"}
            for n in extra
        ]
        connection.execute(insert(tables.block), rows)
        connection.execute(
            insert(tables.edge), [{"upstream_block_id": source, "downstream_block_id": n} for n in [*items, *extra]]
        )
    details = detail_queries.block_details(books.reader, block_queries.blocks_of(books.reader, run), run)
    assert details[0].downstream == (*items, *extra)
    assert {detail.upstream for detail in details[1:]} == {(source,)}


def test_the_size_of_a_map_is_the_length_of_its_inputs(books: Books) -> None:
    run = books.run()
    over = books.block(run, type=BlockType.WORKFLOW, input_values=[{"file": '"a"'}, {"file": '"b"'}])
    plain = books.block(run, type=BlockType.WORKFLOW, input_values={})
    assert block_queries.map_sizes(books.reader, [over, plain, 99]) == {over: 2}


def test_the_size_of_a_large_map_is_counted_by_the_database(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_queries, "LONG_INPUTS", 10)
    run = books.run()
    over = books.block(run, type=BlockType.WORKFLOW, input_values=[{"file": '"a"'}, {"file": '"b"'}])
    plain = books.block(run, type=BlockType.WORKFLOW, input_values={"file": '"a"'})
    assert block_queries.map_sizes(books.reader, [over, plain]) == {over: 2}


# failures


def test_only_failed_tasks_count_as_failures_each_with_its_latest_exception(books: Books) -> None:
    run = books.run(State.FAILED)
    task, workflow = books.block(run, State.FAILED), books.block(run, State.FAILED, type=BlockType.WORKFLOW)
    silent = books.block(run, State.FAILED)
    books.block(run, State.SUCCESS)
    for block, message in ((task, "old"), (task, "new"), (workflow, "seen from outside")):
        books.exception(block, message)
    (row,), blocks = run_queries.runs_by_id(books.reader, [run]), block_queries.blocks_of(books.reader, run)
    assert [(cause.type, cause.message, cause.tasks) for cause in causes_of_run(books.reader, row, blocks)] == [
        ("ValueError", "new", (task,)),
        (None, "", (silent,)),
    ]


def test_credentials_in_an_exception_are_masked(books: Books) -> None:
    block = books.block(books.run(), State.FAILED)
    books.exception(block, "OSError: ftp://me:s3cret@host is gone")
    (exception,) = exception_queries.exceptions_of(books.reader, [block])[block]
    assert exception.message == f"OSError: ftp://me:{MASK}@host is gone"
    assert "s3cret" not in exception.traceback


# configurations


def test_a_configuration_is_shown_masked_with_the_paths_that_were(books: Books) -> None:
    config = {"db": {"password": "p"}, "secrets": {"a": ["b"]}, "list": [{"token": "t"}], "n": 1}
    number = books.configuration(config, {"url": "ftp://me:p@h"})
    row = configuration_queries.configurations(books.reader, [number, 99])[number]
    assert row.config == {"db": {"password": MASK}, "secrets": {"a": MASK}, "list": [{"token": MASK}], "n": 1}
    assert row.settings == {"url": f"ftp://me:{MASK}@h"}
    wanted = {
        ("config", "db", "password"),
        ("config", "secrets", "a"),
        ("config", "list", 0, "token"),
        ("settings", "url"),
    }
    assert set(row.masked) == wanted


def stored(books: Books, config: str) -> Any:
    """A configuration whose column holds this very text."""
    number = books.configuration()
    books.execute(
        text("UPDATE outflow_configuration SET config = :text WHERE id = :id").bindparams(text=config, id=number)
    )
    return configuration_queries.configurations(books.reader, [number])[number].config


def test_numbers_that_json_has_not_are_read(file_books: Books) -> None:
    found = stored(file_books, '{"a": NaN, "b": [Infinity, -Infinity]}')
    assert found["a"] != found["a"] and found["b"] == [float("inf"), -float("inf")]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_json_inside_a_json_string_is_read_as_old_versions_wrote_it(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str
) -> None:
    books = Books(fresh_books(request, tmp_path, dialect))
    assert stored(books, json.dumps(json.dumps({"a": 1}))) == {"a": 1}
    books.close()


@pytest.mark.parametrize("value", ["{", "", "null", "[1]", "5", '"text"', "{'a': 1}", "[" * 10_000])
def test_what_is_no_mapping_is_shown_as_it_is(file_books: Books, value: str) -> None:
    assert list(stored(file_books, value)) == [""]


@patient
@given(st.text())
def test_any_text_is_read_as_json_or_as_text(value: str) -> None:
    as_json(value)
    assert as_json(json.dumps({"a": value})) == {"a": value}


# rows as nobody foresaw them


def test_a_time_that_is_none_is_no_reason_to_fail(file_books: Books) -> None:
    run = file_books.run(start_time=NOON)
    for odd in ("yesterday", "", "0000-00-00 00:00:00", "2024-05-01 12:00:00.5"):
        file_books.execute(f"UPDATE outflow_run SET start_time = '{odd}', end_time = 5 WHERE id = {run}")
        assert len(run_queries.runs(file_books.reader, count=0)) == 1


def test_a_time_without_fractions_is_a_time(file_books: Books) -> None:
    run = file_books.run()
    file_books.execute(f"UPDATE outflow_run SET start_time = '2024-05-01 12:00:00' WHERE id = {run}")
    assert run_queries.runs(file_books.reader, count=0)[0].start_time == NOON.replace(microsecond=0)


def test_a_state_or_type_of_a_newer_version_is_named(file_books: Books) -> None:
    run = file_books.run()
    block = file_books.block(run)
    file_books.execute("UPDATE outflow_block SET type = 'loop'")
    with pytest.raises(SchemaError, match=f"outflow_block {block}: unknown type 'loop'"):
        block_queries.blocks_of(file_books.reader, run)
    file_books.execute("UPDATE outflow_block SET type = 'task', state = 'paused'")
    with pytest.raises(SchemaError, match="unknown state 'paused'"):
        block_queries.blocks_of(file_books.reader, run)
    assert run_counts.task_counts(file_books.reader, None) == {run: TaskCounts(unknown=1)}
    file_books.execute("UPDATE outflow_run SET state = 'paused'")
    with pytest.raises(SchemaError, match=f"outflow_run {run}: unknown state 'paused'"):
        run_queries.runs(file_books.reader, count=0)


@pytest.mark.parametrize("odd", ["\x1b]0;x\x07", "مرحبا\u202e", "[b]", "x" * 100_000, "a\nb", "\U0001f52d"])
def test_any_text_comes_back_as_it_was_stored(books: Books, odd: str) -> None:
    run = books.run(command_name=odd)
    block = books.block(run, State.FAILED, name=odd[:256], input_values={"k": odd})
    books.exception(block, odd)
    assert run_queries.runs(books.reader, count=1)[0].command == odd
    detail = detail_queries.block_detail(books.reader, run, block)
    assert (detail.block.name, detail.input_values) == (odd[:256], {"k": odd})
    assert detail.exception is not None and detail.exception.message == odd


def test_a_nul_in_a_text_of_sqlite_comes_back(file_books: Books) -> None:
    block = file_books.block(file_books.run(), State.FAILED)
    file_books.exception(block, "ValueError: a\0b")
    assert exception_queries.exceptions_of(file_books.reader, [block])[block][0].message == "ValueError: a\0b"


# who asks


def test_a_pipeline_asks_the_same_questions_through_its_own_session(books: Books) -> None:
    run = books.run()
    books.block(run)
    context.open(books.settings)
    try:
        assert run_queries.runs(context.session, count=0) == run_queries.runs(books.reader, count=0)
        assert run_counts.task_counts(context.session, None) == {run: TaskCounts(success=1)}
    finally:
        context.close()


class Counted:
    """A reader that counts the statements."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.asked = 0

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        self.asked += 1
        return self.reader.rows(statement, values)


def test_the_details_of_many_blocks_cost_a_handful_of_statements(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    books = Books(fresh_books(request, tmp_path, POSTGRESQL))
    run = books.run()
    for _ in range(30):
        books.block(run)
    counted = Counted(books.reader)
    detail_queries.block_details(counted, block_queries.blocks_of(counted, run), run)
    assert counted.asked <= 5
    books.close()
