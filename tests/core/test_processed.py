"""Has this input been processed with this configuration? On books that our recorder writes, in both databases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text, update

from outflow_core import processed, record_run, tables
from outflow_core.engines import make_engine
from outflow_core.errors import ConfigError, SourceError
from outflow_core.processings import processings
from outflow_core.reader import Reader
from outflow_core.rows import ProcessingRow
from outflow_core.settings import Settings, read_settings
from outflow_core.states import State
from outflow_core.wanted_inputs import WantedItem, WantedValue, decoded, holder_of
from tests.core.books import DIALECTS, SQLITE, fresh_books, patient


@pytest.fixture(params=DIALECTS)
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return fresh_books(request, tmp_path, request.param, fit={"tolerance": 1e-4, "steps": [1, 2]})


@pytest.fixture
def file_books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return fresh_books(request, tmp_path, SQLITE)


def work(
    books: Settings, *inputs: Mapping[str, Any], fail: tuple[Any, ...] = (), command: str = "reduce", **given: Any
) -> None:
    """A run with a task for each of these inputs, of which some fail."""
    with record_run(command, config=books, **given) as run:
        for item in inputs:
            attempt(run, "fit", item, fails=item in fail)


def attempt(scope: Any, name: str, inputs: Mapping[str, Any], *, fails: bool = False) -> None:
    try:
        with scope.task(name, inputs=inputs):
            if fails:
                raise ValueError(f"{name} of {inputs}")
    except ValueError:
        pass


def changed(books: Settings, **content: Any) -> Settings:
    """The configuration with other content, in the same databases."""
    assert books.path is not None
    path = books.path.with_name("other.json")
    kept = {**json.loads(books.path.read_text()), **content}
    path.write_text(json.dumps({key: value for key, value in kept.items() if value is not None}))
    return read_settings(path)


def all_of(books: Settings, value: str) -> list[tuple[State, bool | None]]:
    """What became of a value, newest first, as (state, of the map as a whole)."""
    return [(row.state, row.is_whole_map) for row in rows_of(books, value)]


def rows_of(books: Settings, value: str) -> tuple[ProcessingRow, ...]:
    reader = Reader(books.database())
    try:
        return processings(reader, WantedValue.of(value))
    finally:
        reader.close()


N1, N2 = {"file": "n1.fits"}, {"file": "n2.fits"}

# once and never


def test_an_input_that_was_never_given_is_not_processed(books: Settings) -> None:
    assert processed(N1, config=books) == ()
    work(books, N1)
    assert processed(N2, config=books) == ()
    assert processed({"path": "n1.fits"}, config=books) == ()


def test_a_processing_tells_its_run_its_tasks_and_its_inputs(books: Settings) -> None:
    work(books, {**N1, "password": "hunter2"})
    (row,) = processed(N1, config=books)
    assert (row.run.command, row.state, row.tasks, row.workflow) == ("reduce", State.SUCCESS, ("fit",), None)
    assert (row.inputs, row.same_configuration) == ({"file": "n1.fits", "password": "******"}, True)
    assert row.start_time is not None and row.end_time is not None and row.start_time <= row.end_time


def test_the_newest_processing_comes_first(books: Settings) -> None:
    work(books, N1)
    work(books, N2)
    work(books, N1)
    assert [row.run.id for row in processed(N1, config=books)] == [3, 1]


def test_a_failed_processing_is_none_and_a_later_success_is_one(books: Settings) -> None:
    work(books, N1, N2, fail=(N1,))
    assert processed(N1, config=books) == () and len(processed(N2, config=books)) == 1
    work(books, N1)
    assert [row.run.id for row in processed(N1, config=books)] == [2]
    assert [state for state, _ in all_of(books, "n1.fits")] == [State.SUCCESS, State.FAILED]


def test_a_success_in_a_run_that_failed_elsewhere_counts(books: Settings) -> None:
    with pytest.raises(RuntimeError), record_run("reduce", config=books) as run:
        attempt(run, "fit", N1)
        raise RuntimeError("the night is over")
    assert len(processed(N1, config=books)) == 1


def test_an_attempt_that_succeeds_after_another_failed_counts(books: Settings) -> None:
    with record_run("reduce", config=books) as run:
        attempt(run, "fetch", N1, fails=True)
        attempt(run, "fetch", N1)
    assert len(processed(N1, config=books)) == 1


def test_all_that_a_run_did_with_an_input_must_be_well(books: Settings) -> None:
    with record_run("reduce", config=books) as run:
        attempt(run, "fit", N1)
        attempt(run, "stack", {**N1, "scale": 2}, fails=True)
    assert processed(N1, config=books) == ()
    assert [state for state, _ in all_of(books, "n1.fits")] == [State.FAILED, State.SUCCESS]


def test_what_is_not_over_is_not_processed(books: Settings) -> None:
    with record_run("reduce", config=books) as run:
        with run.task("fit", inputs=N1):
            assert processed(N1, config=books) == ()
            assert all_of(books, "n1.fits") == [(State.RUNNING, False)]
        assert len(processed(N1, config=books)) == 1


def test_skipped_beside_a_success_is_a_success_and_alone_it_is_not(books: Settings) -> None:
    with record_run("reduce", config=books) as run:
        with run.workflow("frames", inputs=[N1, N2], tasks=["fit", "plot"]) as frames:
            first, second = frames
            attempt(first, "fit", N1)
            for item, name in ((first, "plot"), (second, "fit"), (second, "plot")):
                item.skip(name)
    assert len(processed(N1, config=books)) == 1
    assert processed(N2, config=books) == ()
    assert all_of(books, "n2.fits") == [(State.SKIPPED, False)]


def test_what_another_command_did_counts_unless_one_is_named(books: Settings) -> None:
    work(books, N1, command="fetch")
    assert len(processed(N1, config=books)) == len(processed(N1, config=books, command="fetch")) == 1
    assert processed(N1, config=books, command="reduce") == ()
    work(books, N1, command="reduce", fail=(N1,))
    assert processed(N1, config=books, command="reduce") == ()


def test_an_input_that_another_part_of_the_run_skipped_is_processed(books: Settings) -> None:
    with record_run("reduce", config=books) as run:
        attempt(run, "fit", N1)
        with run.workflow("plots", inputs=[N1], tasks=["plot"]) as plots:
            next(iter(plots)).skip("plot")
    assert len(processed(N1, config=books)) == 1


def test_outflows_placeholders_are_no_runs(books: Settings) -> None:
    work(books, N1)
    engine = make_engine(books.database())
    with engine.begin() as connection:
        row = {"id": -1, "uuid": "", "state": "skipped", "configuration_id": 1}
        connection.execute(insert(tables.run).values(row))
        connection.execute(update(tables.block).values(run_id=-1))
    engine.dispose()
    assert all_of(books, "n1.fits") == []


# configurations


def test_equal_content_is_the_same_configuration_whatever_its_file_name_and_order(books: Settings) -> None:
    work(books, N1)
    other = changed(books, name="another", fit=None)
    assert processed(N1, config=other) == ()
    assert books.path is not None
    content = dict(reversed(json.loads(books.path.read_text()).items()))
    other_path = books.path.with_name("elsewhere.json")
    other_path.write_text(json.dumps({**content, "name": "another", "fit": {"steps": [1, 2], "tolerance": 1e-4}}))
    assert len(processed(N1, config=other_path)) == 1


@pytest.mark.parametrize("fit", [{"tolerance": 1e-3, "steps": [1, 2]}, {"tolerance": 1e-4, "steps": [2, 1]}, {}, None])
def test_another_value_is_another_configuration(books: Settings, fit: Any) -> None:
    work(books, N1)
    assert processed(N1, config=changed(books, fit=fit)) == ()


@pytest.mark.parametrize("number", [1e16, 1e22, 100.0, 1e-7, -0.0, 1.5e300, float("nan"), float("-inf"), 10**20])
def test_a_number_is_known_again_whatever_a_database_makes_of_it(books: Settings, number: float) -> None:
    odd = changed(books, numbers=[number])
    work(odd, N1)
    assert len(processed(N1, config=odd)) == 1
    assert processed(N1, config=changed(books, numbers=[7.5])) == ()


def test_secrets_outside_of_secrets_are_compared_where_the_books_hold_them_in_clear(books: Settings) -> None:
    mine = changed(books, ftp={"password": "hunter2"})
    work(mine, N1)
    (row,) = processed(N1, config=mine)
    assert row.uncompared == 1
    overwrite(books, tables.configuration, config={**json.loads(stored(mine)), "ftp": {"password": "hunter2"}})
    assert processed(N1, config=mine)[0].uncompared == 0
    assert processed(N1, config=changed(books, ftp={"password": "hunter3"})) == ()


def stored(books: Settings) -> str:
    engine = make_engine(books.database())
    with engine.connect() as connection:
        found = connection.execute(text("SELECT CAST(config AS TEXT) FROM outflow_configuration")).scalar_one()
    engine.dispose()
    return str(found)


def overwrite(books: Settings, table: Any, **values: Any) -> None:
    engine = make_engine(books.database())
    with engine.begin() as connection:
        connection.execute(update(table).values(values))
    engine.dispose()


def test_settings_matter_when_they_are_given(books: Settings) -> None:
    work(books, N1, settings={"night": "2024-05-01", "token": "t"})
    assert len(processed(N1, config=books)) == 1
    assert len(processed(N1, config=books, settings={"token": "u", "night": date(2024, 5, 1)})) == 1
    assert processed(N1, config=books, settings={"night": "2024-05-02", "token": "t"}) == ()
    assert processed(N1, config=books, settings={}) == ()
    given = {"night": "2024-05-01", "token": "t"}
    assert [row.uncompared for row in processed(N1, config=books, settings=given)] == [1]
    assert [row.uncompared for row in processed(N1, config=books)] == [0]


@pytest.mark.parametrize("number", [1e16, 1e300, 1e-7, float("inf")])
def test_a_number_of_the_settings_is_known_again_too(books: Settings, number: float) -> None:
    work(books, N1, settings={"number": number})
    assert len(processed(N1, config=books, settings={"number": number})) == 1


def test_without_a_configuration_the_one_that_a_run_would_take_is_meant(
    books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(books, N1)
    monkeypatch.setenv("OUTFLOW_CONFIG_PATH", str(books.path))
    assert len(processed(N1)) == 1


# values


@pytest.mark.parametrize(
    "value",
    [
        "n1.fits",
        "",
        'a "quoted" \\ name',
        "naïve 🔭",
        "é",
        "50%_off",
        "[b]\x1b[31m",
        1,
        -2.5,
        1e300,
        True,
        None,
        float("nan"),
        Path("/data/n1.fits"),
        date(2024, 5, 1),
        datetime(2024, 5, 1, 12, 30),
        {"a": [1, {"b": "c"}], "ü": None},
        [],
        ("a", 2),
        {3, 1},
        set(),
        "ftp://me:s3cret@host/x",
        "x" * 60_000,
    ],
)
def test_a_value_of_any_kind_is_found_again(books: Settings, value: Any) -> None:
    work(books, {"value": value, "other": 7})
    assert len(processed({"value": value}, config=books)) == 1
    assert len(processed({"other": 7, "value": value}, config=books)) == 1
    assert processed({"value": value, "other": 8}, config=books) == ()
    assert processed({"value": "another"}, config=books) == ()


@pytest.mark.parametrize(("given", "other"), [(1, "1"), (1, True), (1, 1.0), (None, "null"), ("a", ["a"]), (1, 11)])
def test_values_are_told_apart_with_their_types(books: Settings, given: Any, other: Any) -> None:
    work(books, {"value": given})
    assert processed({"value": other}, config=books) == ()


@pytest.mark.parametrize("value", [Path("/data/n1.fits"), datetime(2024, 5, 1, 12, 30), date(2024, 5, 1)])
def test_a_value_is_known_as_outflow_keeps_it_too(value: Any) -> None:
    assert WantedItem.of({"value": value}).fits(decoded({"value": str(value)}) or {})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@patient
@given(st.dictionaries(st.text(min_size=1), json_values, min_size=1, max_size=3))
def test_what_the_database_leaves_out_would_not_have_fitted(inputs: dict[str, Any]) -> None:
    wanted = WantedItem.of(inputs)
    kept = {key: json.dumps(value) for key, value in inputs.items()}
    found = holder_of(1, 1, kept, wanted)
    assert found is not None
    for text_ in (json.dumps(kept), json.dumps([kept]), json.dumps(kept, ensure_ascii=False)):
        assert all(not some or any(needle in text_ for needle in some) for some in wanted.needles)


def test_nothing_is_no_input(books: Settings) -> None:
    with pytest.raises(ValueError, match="no inputs"):
        processed({}, config=books)


# maps


def night(books: Settings, files: list[str], *, fail: str = "", stop: str = "", tasks: tuple[str, ...] = ()) -> None:
    with record_run("night", config=books) as run:
        with run.workflow("frames", inputs=[{"file": name} for name in files], tasks=tasks) as frames:
            for item in frames:
                if item.inputs["file"] == stop:
                    return
                for task in tasks or ("fit",):
                    attempt(item, task, item.inputs, fails=f"{task} {item.inputs['file']}" == fail)


def test_an_item_of_a_map_is_one_processing_though_list_and_tasks_hold_its_inputs(books: Settings) -> None:
    night(books, ["n1.fits", "n2.fits"], tasks=("fit", "plot"))
    (row,) = processed(N1, config=books)
    assert (row.workflow, row.tasks, len(row.blocks)) == ("frames", ("fit", "plot"), 2)
    assert len(rows_of(books, "n1.fits")) == 1


def test_an_item_counts_when_all_its_tasks_are_well(books: Settings) -> None:
    night(books, ["n1.fits", "n2.fits"], fail="plot n1.fits", tasks=("fit", "plot"))
    assert processed(N1, config=books) == () and len(processed(N2, config=books)) == 1


def test_an_item_that_waits_is_not_processed(books: Settings) -> None:
    night(books, ["n1.fits", "n2.fits"], stop="n2.fits", tasks=("fit",))
    assert len(processed(N1, config=books)) == 1 and processed(N2, config=books) == ()
    assert all_of(books, "n2.fits") == [(State.PENDING, False)]


def test_an_item_of_which_no_task_stands_in_the_books_is_not_processed(books: Settings) -> None:
    with pytest.raises(RuntimeError), record_run("night", config=books) as run:
        with run.workflow("frames", inputs=[N1, N2]) as frames:
            attempt(next(iter(frames)), "fit", N1)
            raise RuntimeError("clouds")
    assert len(processed(N1, config=books)) == 1 and processed(N2, config=books) == ()
    assert all_of(books, "n2.fits") == [(State.PENDING, False)]


def test_items_that_an_executor_ran_are_told_apart(books: Settings) -> None:
    def calibrate(file: str) -> str:
        return file if file != "n1.fits" else str(1 / 0)

    with record_run("night", config=books) as run:
        with run.workflow("frames", inputs=[N1, N2]) as frames, ThreadPoolExecutor(2) as threads:
            frames.map("calibrate", calibrate, threads)
    assert processed(N1, config=books) == () and len(processed(N2, config=books)) == 1


def nested(books: Settings, *, fail: bool) -> None:
    with record_run("night", config=books) as run, run.workflow("frames", inputs=[N1, N2]) as frames:
        for item in frames:
            with item.workflow("frame") as frame:
                attempt(frame, "fit", {}, fails=fail and item.inputs == N1)


def test_items_made_of_workflows_are_processed_when_all_of_the_map_is_well(books: Settings) -> None:
    nested(books, fail=False)
    assert len(processed(N1, config=books)) == len(processed(N2, config=books)) == 1


def test_items_made_of_workflows_cannot_be_told_when_something_failed(books: Settings) -> None:
    nested(books, fail=True)
    assert processed(N1, config=books) == processed(N2, config=books) == ()
    assert all_of(books, "n2.fits") == [(State.SUCCESS, True)]


@pytest.mark.parametrize(("fail", "wanted"), [(False, (State.SUCCESS, False)), (True, (State.SUCCESS, True))])
def test_an_item_of_tasks_and_workflows_counts_when_no_workflow_of_the_map_failed(
    books: Settings, fail: bool, wanted: tuple[State, bool]
) -> None:
    with record_run("night", config=books) as run, run.workflow("frames", inputs=[N1, N2]) as frames:
        for item in frames:
            attempt(item, "fetch", item.inputs)
            with item.workflow("frame") as frame:
                attempt(frame, "fit", {}, fails=fail and item.inputs == N1)
    assert all_of(books, "n1.fits") == all_of(books, "n2.fits") == [wanted]
    assert bool(processed(N2, config=books)) is not fail


def test_a_map_is_read_in_slices_to_its_end(books: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    nested(books, fail=True)
    nested(books, fail=False)
    monkeypatch.setattr("outflow_core.slices.SLICE", 2)
    assert [row.run.id for row in processed(N2, config=books)] == [2]
    assert all_of(books, "n1.fits") == [(State.SUCCESS, False), (State.SUCCESS, True)]


# as people type values


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("n1.fits", "n1.fits"),
        ("n1.fits", "/data/n1.fits"),
        ("/data/n1.fits", "/data/n1.fits"),
        ("n1.fits", {"frame": {"file": "s3://u:pw@host/n1.fits"}, "gain": 1.5}),
        ("n1.fits", ["n0.fits", "n1.fits"]),
        ("file=n1.fits", {"file": "n1.fits"}),
        ("value=n1.fits", "n1.fits"),
        ("a=n1.fits", "a=n1.fits"),
        ("3", 3),
        ("3", "3"),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("50%", "50%"),
        ("n\x1b", "n\x1b"),
        ("été", "été"),
    ],
)
def test_a_value_is_found_as_people_type_it(books: Settings, typed: str, value: Any) -> None:
    work(books, {"value": value})
    assert all_of(books, typed) == [(State.SUCCESS, False)]


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("n1", "n1.fits"),
        ("n1.fits", "xn1.fits"),
        ("N1.fits", "n1.fits"),
        ("data/n1.fits", "/data/n1.fits"),
        ("n_.fits", "n1.fits"),
        ("%", "n1.fits"),
        ("path=n1.fits", "n1.fits"),
        ("1", 11),
        ("True", True),
        ("******", "******"),
    ],
)
def test_what_only_looks_alike_is_not_found(books: Settings, typed: str, value: Any) -> None:
    work(books, {"value": value})
    assert all_of(books, typed) == []


# books as nobody foresaw them


@pytest.mark.parametrize(
    "odd", ["{", "null", "5", '"text"', "[1, null, []]", '{"file": {"a": NaN}}', "[" * 900 + "]" * 900, '[{"file": 5}]']
)
def test_odd_inputs_do_not_hide_the_others(file_books: Settings, odd: str) -> None:
    work(file_books, N1)
    engine = make_engine(file_books.database())
    with engine.begin() as connection:
        row = {"uuid": odd[:36], "type": "task", "name": "odd", "run_id": 1, "state": "success"}
        connection.execute(insert(tables.block).values(row))
        connection.execute(text("UPDATE outflow_block SET input_values = :odd WHERE id = 2").bindparams(odd=odd))
    engine.dispose()
    assert len(processed(N1, config=file_books)) == 1
    assert all_of(file_books, "n3.fits") == []


def test_no_books_are_trouble_and_not_an_input_that_was_never_processed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        processed(N1, config=tmp_path / "config.yml")
    path = tmp_path / "config.json"
    path.write_text("{}")
    with pytest.raises(SourceError):
        processed(N1, config=path)


def test_asking_writes_nothing(file_books: Settings) -> None:
    work(file_books, N1)
    folder = file_books.root
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(processed(N1, config=file_books)) == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
