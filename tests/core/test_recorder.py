"""What a recorded pipeline leaves in the books, read back without the code that reads them for the screens."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, String
from sqlalchemy.exc import IntegrityError

from outflow_core import Model, context, record_run, tables
from outflow_core.engines import make_engine
from outflow_core.errors import ConfigError, RecordError, SourceError
from outflow_core.masking import MASK
from outflow_core.rows import TOP_LEVEL
from outflow_core.settings import Settings
from outflow_core.stored import configuration_hash, kept, storable, stored_config
from tests.core.books import DIALECTS, SQLITE, configure, entry, fresh_books, grant, patient, rows

Row = dict[str, Any]


@pytest.fixture(params=DIALECTS)
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A configuration whose database holds empty tables."""
    return fresh_books(request, tmp_path, request.param, threshold=5)


@pytest.fixture
def file_books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The same, on SQLite: for what does not depend on the database."""
    return fresh_books(request, tmp_path, SQLITE, threshold=5)


def runs(books: Settings) -> list[Row]:
    return rows(books, tables.run)


def blocks(books: Settings) -> list[Row]:
    return rows(books, tables.block)


def block(books: Settings, name: str) -> Row:
    """The one block of this name."""
    (found,) = [row for row in blocks(books) if row["name"] == name]
    return found


def exceptions(books: Settings) -> list[Row]:
    return rows(books, tables.runtime_exception)


def states(books: Settings) -> dict[str, str]:
    """The state of each block by its name."""
    return {row["name"]: row["state"].value for row in blocks(books)}


# runs


def test_a_run_that_ends_well_is_a_success_with_its_times_host_and_command(books: Settings) -> None:
    with record_run("reduce_night", config=books) as run:
        pass
    (row,) = runs(books)
    assert (row["id"], row["uuid"]) == (run.id, run.uuid)
    assert (row["state"].value, row["command_name"], row["hostname"]) == (
        "success",
        "reduce_night",
        socket.gethostname(),
    )
    assert row["start_time"] <= row["end_time"] and row["start_time"].tzinfo is None


def test_everything_is_in_the_books_while_it_happens(books: Settings) -> None:
    with record_run("reduce_night", config=books) as run:
        (row,) = runs(books)
        assert (row["state"].value, row["hostname"], row["end_time"]) == ("running", socket.gethostname(), None)
        with run.task("fit"):
            found = block(books, "fit")
            assert (found["state"].value, found["end_time"]) == ("running", None)
            assert found["start_time"] is not None
        assert states(books) == {"fit": "success"}


def test_the_configuration_is_kept_once_for_runs_that_share_it(books: Settings) -> None:
    for _ in range(2):
        with record_run("a", config=books, settings={"workers": 4}):
            pass
    with record_run("a", config=books, settings={"workers": 5}):
        pass
    stored = rows(books, tables.configuration)
    assert [row["configuration_id"] for row in runs(books)] == [stored[0]["id"], stored[0]["id"], stored[1]["id"]]
    assert stored[0]["config"] == stored_config(books) and stored[0]["settings"] == {"workers": 4}
    assert stored[0]["hash"] == configuration_hash(stored_config(books), {"workers": 4})


def test_the_configuration_is_looked_for_when_none_is_named(
    file_books: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTFLOW_CONFIG_PATH", str(file_books.path))
    with record_run("a"):
        pass
    assert len(runs(file_books)) == 1


def test_the_run_can_be_found_through_the_context(file_books: Settings) -> None:
    with record_run("a", config=file_books) as run:
        assert context.run is run
    assert context.run is None


# tasks and workflows


def test_nested_workflows_know_their_parents(books: Settings) -> None:
    with record_run("a", config=books) as run, run.workflow("outer") as outer:
        with outer.workflow("inner") as inner, inner.task("deep"):
            pass
        with outer.task("flat"):
            pass
    found = {row["name"]: row for row in blocks(books)}
    assert found["outer"]["parent_id"] is None
    assert found["inner"]["parent_id"] == found["flat"]["parent_id"] == found["outer"]["id"]
    assert found["deep"]["parent_id"] == found["inner"]["id"]
    assert {row["type"].value for name, row in found.items() if name in ("outer", "inner")} == {"workflow"}
    assert {row["state"].value for row in found.values()} == {"success"}
    assert {row["run_id"] for row in found.values()} == {run.id}


def test_inputs_and_targets_have_outflows_format(books: Settings) -> None:
    with (
        record_run("a", config=books) as run,
        run.task(
            "fit",
            inputs={"file": "a.fits", "n": 2, "path": Path("x")},
            input_targets={"raw": {"type": "int", "default": "2"}},
            output_targets={"flux": {"type": "float"}},
            plugin="survey",
        ),
    ):
        pass
    row = block(books, "fit")
    assert row["input_values"] == {"file": '"a.fits"', "n": "2", "path": '"x"'}
    assert row["input_targets"] == {"raw": {"type": "int", "default": "2"}}
    assert (row["output_targets"], row["plugin"]) == ({"flux": {"type": "float"}}, "survey")


def test_what_nobody_described_is_an_empty_object(books: Settings) -> None:
    with record_run("a", config=books) as run, run.task("fit"):
        pass
    row = block(books, "fit")
    assert [row[name] for name in ("input_values", "input_targets", "output_targets")] == [{}, {}, {}]


def test_a_map_keeps_the_inputs_of_all_its_items(books: Settings) -> None:
    files = ["a.fits", "b.fits"]
    with record_run("a", config=books) as run:
        with run.workflow("map", inputs=[{"file": name} for name in files]) as frames:
            assert len(frames) == 2
            for item in frames:
                with item.task("calibrate"):
                    pass
    assert block(books, "map")["input_values"] == [{"file": '"a.fits"'}, {"file": '"b.fits"'}]
    calibrated = [row for row in blocks(books) if row["name"] == "calibrate"]
    assert [row["input_values"] for row in calibrated] == [{"file": '"a.fits"'}, {"file": '"b.fits"'}]


def test_announced_items_stand_in_the_books_as_pending_and_become_the_tasks_that_run(books: Settings) -> None:
    inputs = [{"n": n} for n in range(4)]
    with record_run("a", config=books) as run, run.workflow("map", inputs=inputs, tasks=["load", "fit"]) as items:
        waiting = [row for row in blocks(books) if row["type"].value == "task"]
        assert [(row["name"], row["state"].value) for row in waiting] == [("load", "pending"), ("fit", "pending")] * 4
        assert {(row["start_time"], row["hostname"]) for row in waiting} == {(None, None)}
        assert [row["input_values"]["n"] for row in waiting] == ["0", "0", "1", "1", "2", "2", "3", "3"]
        for item in list(items)[:2]:
            with item.task("load"), item.task("fit"):
                pass
    ended = [row for row in blocks(books) if row["type"].value == "task"]
    assert [row["id"] for row in ended] == [row["id"] for row in waiting]
    assert Counter(row["state"].value for row in ended) == {"success": 4, "pending": 4}


def test_an_item_may_run_a_task_that_nobody_announced(books: Settings) -> None:
    with record_run("a", config=books) as run, run.workflow("map", inputs=[{"n": 1}], tasks=["load"]) as items:
        for item in items:
            with item.task("load"), item.task("extra"):
                pass
    assert states(books) == {"map": "success", "load": "success", "extra": "success"}


def test_a_skipped_task_has_an_end_and_no_start(books: Settings) -> None:
    with record_run("a", config=books) as run:
        run.skip("plot")
        with run.workflow("map", inputs=[{}], tasks=["fit"]) as items:
            for item in items:
                item.skip("fit")
    for name in ("plot", "fit"):
        row = block(books, name)
        assert row["state"].value == "skipped"
        assert row["start_time"] is None and row["end_time"] is not None
    assert block(books, "fit")["parent_id"] == block(books, "map")["id"]


def test_edges_lead_from_what_gives_to_what_needs(books: Settings) -> None:
    with record_run("a", config=books) as run:
        with run.task("load") as load:
            pass
        with run.task("dark") as dark:
            pass
        with run.task("fit", upstream=[load, dark]) as fit:
            pass
        with run.workflow("map", inputs=[{}], tasks=["item"], upstream=[fit]) as items:
            for item in items:
                with item.task("item", upstream=[dark]):
                    pass
        run.skip("plot", upstream=[items])
    names = {row["id"]: row["name"] for row in blocks(books)}
    edges = [(names[row["upstream_block_id"]], names[row["downstream_block_id"]]) for row in rows(books, tables.edge)]
    wanted = [("load", "fit"), ("dark", "fit"), ("fit", "map"), ("dark", "item"), ("map", "plot")]
    assert sorted(edges) == sorted(wanted)


def test_what_has_not_started_can_be_upstream_of_nothing(file_books: Settings) -> None:
    with record_run("a", config=file_books) as run:
        with pytest.raises(RecordError, match="'fit' cannot come after 'load', which has not started"):
            run.task("fit", upstream=[run.task("load")])
        with pytest.raises(RecordError, match="'map' has not started; enter it"):
            run.workflow("map").task("fit")


# failures


def test_an_exception_is_recorded_with_its_traceback_and_goes_on(books: Settings) -> None:
    error = ValueError("no flux")
    with pytest.raises(ValueError, match="no flux") as caught, record_run("a", config=books) as run, run.task("fit"):
        raise error
    assert caught.value is error
    (row,) = exceptions(books)
    assert row["block_id"] == block(books, "fit")["id"]
    assert (row["exception_type"], row["exception_msg"]) == ("ValueError", "ValueError: no flux")
    assert row["traceback"].startswith("Traceback (most recent call last):\n")
    assert f'File "{__file__}"' in row["traceback"] and "    raise error\n" in row["traceback"]
    assert states(books) == {"fit": "failed"} and runs(books)[0]["state"].value == "failed"
    assert block(books, "fit")["end_time"] is not None and runs(books)[0]["end_time"] is not None


def test_a_failure_three_deep_is_one_row_for_the_task_and_one_for_each_workflow(books: Settings) -> None:
    with pytest.raises(ZeroDivisionError), record_run("a", config=books) as run:
        with run.workflow("w1") as first, first.workflow("w2") as second, second.workflow("w3") as third:
            with third.task("fit"):
                _ = 1 / 0
    names = {row["id"]: row["name"] for row in blocks(books)}
    assert [names[row["block_id"]] for row in exceptions(books)] == ["fit", "w3", "w2", "w1"]
    assert set(states(books).values()) == {"failed"} and TOP_LEVEL not in names.values()


def test_a_cause_and_a_group_stay_in_the_traceback(books: Settings) -> None:
    with pytest.raises(KeyError), record_run("a", config=books) as run, run.task("fit"):
        try:
            raise OSError("disk")
        except OSError as error:
            raise KeyError("frame") from error
    (row,) = exceptions(books)
    assert "OSError: disk" in row["traceback"] and "direct cause" in row["traceback"]
    assert (row["exception_type"], row["exception_msg"]) == ("KeyError", "KeyError: 'frame'")


def test_a_failure_that_the_pipeline_survives_leaves_a_successful_run(books: Settings) -> None:
    with record_run("a", config=books) as run, run.workflow("map", inputs=[{}, {}]) as items:
        for number, item in enumerate(items):
            try:
                with item.task(f"fit{number}"):
                    if number:
                        raise ValueError("bad frame")
            except ValueError:
                pass
    assert states(books) == {"map": "success", "fit0": "success", "fit1": "failed"}
    assert runs(books)[0]["state"].value == "success" and len(exceptions(books)) == 1


def test_an_exception_outside_of_any_task_is_kept(books: Settings) -> None:
    with pytest.raises(KeyError), record_run("a", config=books):
        raise KeyError("before any task")
    (row,) = exceptions(books)
    around = block(books, TOP_LEVEL)
    assert (row["block_id"], row["exception_msg"]) == (around["id"], "KeyError: 'before any task'")
    assert (around["type"].value, around["state"].value) == ("workflow", "failed")


def test_an_exception_is_not_taken_for_an_earlier_one_that_is_forgotten(file_books: Settings) -> None:
    for _ in range(5):  # a new exception often gets the address of the one before
        with pytest.raises(ValueError, match="outside"), record_run("a", config=file_books) as run:
            try:
                with run.task("fit"):
                    raise ValueError("inside")
            except ValueError:
                pass
            raise ValueError("outside")
    messages = [row["exception_msg"] for row in exceptions(file_books)]
    assert messages == ["ValueError: inside", "ValueError: outside"] * 5


def test_the_same_exception_is_recorded_in_each_run_that_it_ends(file_books: Settings) -> None:
    error = ValueError("shared")
    for _ in range(2):
        with pytest.raises(ValueError, match="shared"), record_run("a", config=file_books):
            raise error
    assert len(exceptions(file_books)) == 2


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (KeyboardInterrupt(), "failed"),
        (SystemExit(1), "failed"),
        (SystemExit("out of disk"), "failed"),
        (SystemExit(0), "success"),
        (SystemExit(), "success"),
        (GeneratorExit(), "success"),
    ],
    ids=repr,
)
def test_leaving_by_interrupt_or_exit_is_recorded_too(books: Settings, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)), record_run("a", config=books) as run, run.task("fit"):
        raise error
    assert (runs(books)[0]["state"].value, states(books)["fit"]) == (state, state)
    assert len(exceptions(books)) == (state == "failed")


def test_an_exception_that_cannot_be_printed_is_recorded(books: Settings) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    with pytest.raises(Odd), record_run("a", config=books) as run, run.task("fit"):
        raise Odd
    (row,) = exceptions(books)
    assert row["exception_type"] == "Odd" and "str() failed" in row["exception_msg"]


def test_a_generator_that_is_left_early_has_not_failed(file_books: Settings) -> None:
    with record_run("a", config=file_books) as run:

        def frames() -> Iterator[int]:
            with run.task("read"):
                yield from range(5)

        for _ in frames():
            break
    assert states(file_books) == {"read": "success"} and exceptions(file_books) == []


class NoAttributes(Exception):
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no attributes")


class Copies(Exception):
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return {}


@pytest.mark.parametrize("kind", [NoAttributes, Copies])
def test_an_exception_with_odd_attributes_is_recorded_once_and_goes_on(file_books: Settings, kind: Any) -> None:
    with pytest.raises(kind, match="bad frame"), record_run("a", config=file_books) as run, run.task("fit"):
        raise kind("bad frame")
    assert [row["exception_msg"].rpartition(": ")[2] for row in exceptions(file_books)] == ["bad frame"]


def test_of_an_endless_traceback_the_books_keep_both_ends(file_books: Settings) -> None:
    with pytest.raises(ValueError), record_run("a", config=file_books) as run, run.task("fit"):
        raise ValueError("first" + "x" * 300_000 + "last")
    (row,) = exceptions(file_books)
    assert row["traceback"].startswith("Traceback") and row["traceback"].endswith("xlast\n")
    assert "\n... 200," in row["traceback"] and " characters are left out ...\n" in row["traceback"]
    assert row["exception_msg"].startswith("ValueError: firstx")
    assert len(row["traceback"]) < 101_000 and len(row["exception_msg"]) < 11_000


def test_an_exception_that_cannot_be_formatted_is_recorded_by_its_type(file_books: Settings) -> None:
    class Odd(SyntaxError):
        def __getattribute__(self, name: str) -> Any:
            if name == "filename":
                raise RuntimeError("no words")
            return super().__getattribute__(name)

    with pytest.raises(Odd), record_run("a", config=file_books) as run, run.task("fit"):
        raise Odd("bad")
    assert [row["exception_type"] for row in exceptions(file_books)] == ["Odd"]


def test_passwords_in_the_words_of_an_exception_are_masked(file_books: Settings) -> None:
    words = "host=x password=s3cret db_password='s3 s3cret' {'token': 's3cret'} sslmode=on 'password': must be text"
    with pytest.raises(RuntimeError), record_run("a", config=file_books) as run, run.task("fit"):
        raise RuntimeError(words)
    (row,) = exceptions(file_books)
    assert "s3cret" not in row["exception_msg"] + row["traceback"]
    assert "host=x" in row["exception_msg"] and row["exception_msg"].endswith("sslmode=on 'password': must be text")


def test_targets_that_cannot_be_kept_are_told_by_their_type(file_books: Settings) -> None:
    around: dict[str, Any] = {}
    around["self"] = around
    with record_run("a", config=file_books) as run:
        with run.task("fit", input_targets={"a": around, "b": "x"}, output_targets={"c": 10**5000}):
            pass
    row = block(file_books, "fit")
    assert row["input_targets"] == {"a": "<dict of 1>", "b": "x"} and row["output_targets"] == {"c": "<int>"}


def test_names_that_are_too_long_are_cut_not_refused(books: Settings) -> None:
    long = type("E" * 200, (Exception,), {})
    with pytest.raises(long), record_run("c" * 500, config=books) as run:
        with run.task("\0" * 300, plugin="p" * 300), run.task("n" * 300):
            raise long
    found = blocks(books)
    assert sorted(len(row["name"]) for row in found) == [256, 256]
    assert {row["exception_type"] for row in exceptions(books)} == {"E" * 64}
    assert runs(books)[0]["command_name"] == "c" * 500


# foreign text

ODD = [
    "a\0b",
    "half \ud800 pair",
    "\x1b]8;;http://x\x1b\\link",
    "[b]bold[/b]",
    "مرحبا\u202e",
    "",
    "\U0001f52d",
    "x" * 100_000,
]


@pytest.mark.parametrize("odd", ODD, ids=[f"{text[:8]!a}" for text in ODD])
def test_any_text_can_be_recorded_wherever_a_pipeline_may_put_it(books: Settings, odd: str) -> None:
    with pytest.raises(ValueError), record_run(odd, config=books, settings={odd: [odd]}) as run:
        with run.workflow(odd, inputs=[{odd: odd}], tasks=[odd], plugin=odd) as items:
            for item in items:
                with item.task(odd, input_targets={odd: {"default": odd}}):
                    raise ValueError(odd)
    assert [row["state"].value for row in blocks(books)] == ["failed", "failed"]
    assert len(exceptions(books)) == 2
    value = json.loads(next(iter(blocks(books)[1]["input_values"].values())))
    assert value == odd or "\\" in value


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**40])
def test_a_number_that_json_has_not_is_no_reason_to_fail(books: Settings, number: float) -> None:
    with record_run("a", config=books, settings={"limit": number}) as run, run.task("fit", inputs={"limit": number}):
        pass
    assert json.loads(block(books, "fit")["input_values"]["limit"]) == pytest.approx(number, nan_ok=True)
    assert len(rows(books, tables.configuration)) == 1


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def test_any_value_can_be_an_input_or_a_setting(books: Settings) -> None:
    @options(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(st.dictionaries(st.text(st.characters()), VALUES, max_size=4))
    def records(values: dict[str, Any]) -> None:
        with record_run("a", config=books, settings=values) as run, run.task("fit", inputs=values):
            pass

    records()
    assert {row["state"].value for row in blocks(books)} == {"success"}


@patient
@given(VALUES)
def test_what_is_small_is_kept_as_it_is(value: Any) -> None:
    assert repr(kept(value)) == repr(storable(value))


def test_secrets_are_in_no_table(books: Settings, tmp_path: Path) -> None:
    content = {"api": {"token": "s3cret"}, "secrets": {"a": ["s3cret"]}, "url": "ftp://me:s3cret@h"}
    read = configure(tmp_path, json.loads(books.path.read_text())["databases"] if books.path else {}, **content)
    with pytest.raises(ValueError), record_run("a", config=read, settings={"db_password": "s3cret"}) as run:
        with run.workflow("map", inputs=[{"password": "s3cret", "file": "a"}], tasks=["fit"]) as items:
            for item in items:
                with item.task("fit"):
                    raise ValueError("cannot reach ftp://me:s3cret@h")
    everything = [rows(read, table) for table in tables.OUTFLOW_TABLES]
    assert "s3cret" not in repr(everything)
    assert block(read, "fit")["input_values"] == {"password": f'"{MASK}"', "file": '"a"'}


# beside the pipeline


def test_threads_record_side_by_side(books: Settings) -> None:
    with record_run("a", config=books) as run, run.workflow("map", inputs=[{"n": n} for n in range(8)]) as items:

        def work(item: Any) -> None:
            for number in range(5):
                try:
                    with item.task(f"t{number}"):
                        if number == 4:
                            raise ValueError("last")
                except ValueError:
                    pass

        threads = [threading.Thread(target=work, args=(item,)) for item in items]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    tasks = [row for row in blocks(books) if row["type"].value == "task"]
    assert Counter(row["state"].value for row in tasks) == {"success": 32, "failed": 8}
    assert len(exceptions(books)) == 8
    assert Counter(row["input_values"]["n"] for row in tasks) == {str(n): 5 for n in range(8)}


def test_processes_that_are_forked_off_record_into_the_same_run(books: Settings) -> None:
    with record_run("a", config=books) as run:
        with run.task("before"):
            children = [fork(lambda number=number: record_some(run, number)) for number in range(3)]  # type: ignore[misc]
            record_some(run, 3)
            assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
        with run.task("after"):
            pass
    found = Counter((row["name"], row["state"].value) for row in blocks(books))
    assert found == {("before", "success"): 1, ("after", "success"): 1} | {(f"w{n}", "success"): 10 for n in range(4)}


def record_some(run: Any, number: int) -> None:
    for _ in range(10):
        with run.task(f"w{number}"):
            pass


def fork(work: Callable[[], None]) -> int:
    """A child process that does some work and nothing else; its id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


@pytest.fixture
def product(books: Settings) -> Iterator[Any]:
    """A model of the pipeline's own, in the database of the books."""

    class Product(Model):
        id = Column(Integer, primary_key=True)
        name = Column(String(10), unique=True)

    engine = make_engine(books.database(), "admin")
    Model.metadata.create_all(engine, tables=[Model.metadata.tables["product"]])
    grant(engine, books.database())
    engine.dispose()
    context.open(books)
    yield Product
    context.close()
    Model.metadata.remove(Model.metadata.tables["product"])


@pytest.mark.filterwarnings("ignore:This declarative base already contains a class")
def test_a_failed_flush_of_the_pipeline_is_recorded_like_any_other_error(books: Settings, product: Any) -> None:
    with record_run("a", config=books) as run:
        with run.task("good"):
            context.session.add(product(name="one"))
            context.session.commit()
        try:
            with run.task("bad"):
                context.session.add(product(name="one"))
                context.session.commit()
        except IntegrityError:
            pass  # and nobody rolls back
        with run.task("later"):
            pass
    assert states(books) == {"good": "success", "bad": "failed", "later": "success"}
    assert [row["exception_type"] for row in exceptions(books)] == ["IntegrityError"]
    assert runs(books)[0]["state"].value == "success"


# what is refused


def test_a_missing_configuration_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"), record_run("a", config=tmp_path / "gone.yml"):
        pytest.fail("it started")


def test_a_missing_database_is_told_and_not_made(tmp_path: Path) -> None:
    settings = configure(tmp_path, {"default": {"dialect": SQLITE, "path": "gone.db"}})
    with pytest.raises(SourceError, match=r"gone\.db: no such database; run 'outflow-db upgrade'"):
        with record_run("a", config=settings):
            pytest.fail("it started")
    assert not (tmp_path / "gone.db").exists()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_database_without_tables_is_told_with_the_way_out(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str
) -> None:
    (tmp_path / "books.db").touch()
    settings = configure(tmp_path, {"default": entry(request, dialect)})
    with pytest.raises(RecordError, match="run 'outflow-db upgrade'"), record_run("a", config=settings):
        pytest.fail("it started")
