"""A search over everything in the books: what is found, what is never found, and what became of inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from outflow_core import block_queries, detail_queries, record_run, run_queries, table_walk, tables
from outflow_core.book_search import Search
from outflow_core.engines import make_engine
from outflow_core.findings import Finding, Found, Kind
from outflow_core.in_force import in_force
from outflow_core.reader import Reader
from outflow_core.settings import Settings
from outflow_core.states import BlockType, State
from tests.core.books import DIALECTS, fresh_books
from tests.core.test_processed import N1, N2, attempt, changed, work


@pytest.fixture(params=DIALECTS)
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    content = {"fit": {"tolerance": 1e-6, "steps": [1, 2]}, "db_password": "hunter2", "star": 'Müller\'s "α"'}
    return fresh_books(request, tmp_path, request.param, **content)


def search(books: Settings, words: str, **given: Any) -> Found:
    reader = Reader(books.database())
    try:
        wanted = Search(reader, words, **given)
        while not wanted.is_over:
            wanted.go_on(0)
        return wanted.found()
    finally:
        reader.close()


def found(books: Settings, words: str, **given: Any) -> list[tuple[Kind, str]]:
    return [(one.kind, one.text) for one in search(books, words, **given).findings]


def marked(one: Finding) -> str:
    return one.text[one.start : one.end]


def test_inputs_are_found_by_a_part_of_their_value_or_with_their_name(books: Settings) -> None:
    work(books, {"file": "/data/night/n1.fits"}, N2)
    assert found(books, "n1.fits") == [(Kind.INPUT, "file=/data/night/n1.fits")]
    assert found(books, "file=n2") == [(Kind.INPUT, "file=n2.fits")]
    assert marked(search(books, "night/n1").findings[0]) == "night/n1"
    assert found(books, "n3.fits") == []


def test_small_letters_find_capitals_and_capitals_only_themselves(books: Settings) -> None:
    work(books, {"file": "ÄPFEL.fits"})
    assert [text for _, text in found(books, "äpfel")] == ["file=ÄPFEL.fits"]
    assert [text for _, text in found(books, "ÄPFEL.fits")] == ["file=ÄPFEL.fits"]
    assert found(books, "Äpfel") == [] == found(books, "FIT")


@pytest.mark.parametrize("words", ["müller", "Müller's", '"α"', "α", "'s \""])
def test_letters_that_json_writes_as_escapes_are_found(books: Settings, words: str) -> None:
    work(books, {"star": 'Müller\'s "α"'})
    assert {kind for kind, _ in found(books, words)} == {Kind.INPUT, Kind.CONFIGURATION}


@pytest.mark.parametrize("words", ["100%", "a_b", "c\\d", "%", "_b"])
def test_what_like_takes_for_wildcards_is_meant_as_it_is_typed(books: Settings, words: str) -> None:
    work(books, {"file": "100% a_b c\\d"}, {"file": "1000 aXb cd"})
    assert [one for one in found(books, words) if one[0] is Kind.INPUT] == [(Kind.INPUT, "file=100% a_b c\\d")]


def test_a_secret_is_not_found_wherever_it_stands(books: Settings) -> None:
    inputs = {"token": "hunter2", "nested": {"db_password": "hunter2"}, "url": "http://me:hunter2@host/x"}
    with record_run("reduce", config=books) as run, pytest.raises(ValueError), run.task("fit", inputs=inputs):
        raise ValueError("cannot log in: password=hunter2, {'db_password': 'hunter2'}, http://me:hunter2@host/")
    for words in ("hunter2", "hunt", "password=hunter2", "me:hunter2"):
        assert found(books, words) == []
    assert {kind for kind, _ in found(books, "host/")} == {Kind.INPUT, Kind.EXCEPTION}
    assert not any("hunter2" in text for _, text in found(books, "password"))


def test_a_password_in_a_name_is_neither_found_nor_shown(books: Settings) -> None:
    name = "load http://me:hunter2@host/x"
    with record_run(name, config=books) as run, run.workflow(name, plugin=name) as outer:
        attempt(outer, name, {})
    assert found(books, "hunter2") == found(books, "me:hunter2") == []
    told = search(books, "host/x").findings
    assert {one.kind for one in told} == {Kind.COMMAND, Kind.WORKFLOW, Kind.TASK, Kind.PLUGIN}
    reader = Reader(books.database())
    (row,) = run_queries.runs(reader, count=1)
    blocks = block_queries.blocks_of(reader, row.id)
    shape = block_queries.page_of(reader, row.id, 0, 4096)
    assert shape is not None
    shapes = [shape.shape(index) for index in range(len(shape))]
    everything = repr((told, row, blocks, detail_queries.block_details(reader, blocks, row.id), shapes))
    assert "hunter2" not in everything and everything.count("me:******@") > 5
    reader.close()


def test_names_hosts_and_uuids_are_found(books: Settings) -> None:
    with record_run("reduce_night", config=books) as run, run.workflow("outer", plugin="spectra"):
        attempt(run, "calibrate", {})
    (one,) = search(books, "reduce_n").findings
    assert one.kind is Kind.COMMAND and one.block_id is None
    assert {kind for kind, _ in found(books, "calib")} == {Kind.TASK}
    assert {kind for kind, _ in found(books, "outer")} == {Kind.WORKFLOW}
    assert found(books, run.uuid[:13]) == [(Kind.UUID, run.uuid)]
    assert found(books, run.uuid[2:20]) == [], "in the middle everything short stands"


def test_an_exception_is_found_by_type_message_or_a_line_of_its_traceback(books: Settings) -> None:
    work(books, N1, fail=(N1,))
    kinds = {words: {kind for kind, _ in found(books, words)} for words in ("ValueError", "fit of", "in attempt")}
    assert kinds == {"ValueError": {Kind.EXCEPTION}, "fit of": {Kind.EXCEPTION}, "in attempt": {Kind.TRACEBACK}}


@pytest.mark.parametrize("words", ["tolerance", "fit.tolerance", "fit.tolerance=1e-06", "1e-06", "TOLERANCE"])
def test_a_configuration_is_found_by_path_and_value(books: Settings, words: str) -> None:
    work(books, N1)
    work(books, N1)
    assert found(books, words) == ([] if words.isupper() else [(Kind.CONFIGURATION, "fit.tolerance=1e-06")])
    if not words.isupper():
        (one,) = search(books, words).findings
        assert (one.run_id, one.count, one.where) == (2, 2, "fit.tolerance")


def test_equal_findings_of_one_run_are_one_with_the_failed_task_to_go_to(books: Settings) -> None:
    with record_run("reduce", config=books) as run:
        for number in range(5):
            attempt(run, "fit", N1, fails=number == 2)
    work(books, N1)
    newest, older = search(books, "n1.fits").findings[:2]
    assert (newest.run_id, newest.count, older.run_id, older.count) == (2, 1, 1, 5)
    assert older.state is State.FAILED


def test_an_item_of_a_map_is_found(books: Settings) -> None:
    engine = make_engine(books.database(), "admin")
    work(books, N2)
    items = [{"file": f'"m{number}.fits"'} for number in range(3_000)]
    row = {"uuid": "u" * 36, "state": State.SUCCESS, "type": BlockType.WORKFLOW, "name": "map", "run_id": 1}
    with engine.begin() as connection:
        connection.execute(insert(tables.block).values(**row, input_values=items))
    engine.dispose()
    (one,) = search(books, "m2999").findings
    assert (one.kind, one.text, one.block_name) == (Kind.INPUT, "file=m2999.fits", "map")


def test_only_runs_of_a_command_are_searched_when_it_is_named(books: Settings) -> None:
    work(books, N1, command="reduce")
    work(books, N1, command="calibrate")
    assert [one.run_id for one in search(books, "n1.fits", command="reduce").findings] == [1]


def test_the_search_ends_when_so_much_is_found_that_nobody_reads_it(books: Settings) -> None:
    work(books, *({"file": f"n{number}.fits"} for number in range(8)))
    cut = search(books, ".fits", limit=5)
    assert (len(cut.findings), cut.is_cut) == (5, True)
    assert not search(books, ".fits").is_cut


def test_slices_of_every_size_find_the_same_newest_first(books: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        work(books, N1, N2, fail=(N1,))
    whole = search(books, "n1.fits")
    assert [one.run_id for one in whole.findings if one.kind is Kind.INPUT] == [3, 2, 1]
    for size in (1, 2, 3):
        slices = dict.fromkeys(table_walk.SLICES, size)
        monkeypatch.setattr(table_walk, "SLICES", slices)
        assert search(books, "n1.fits").findings == whole.findings


@pytest.mark.parametrize("patience", [0.0, 60.0])
def test_slices_that_shrink_and_grow_find_the_same(
    books: Settings, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    for _ in range(9):
        work(books, N1, N2, fail=(N1,))
    whole = search(books, "n1.fits")
    monkeypatch.setattr(table_walk, "SLICES", dict.fromkeys(table_walk.SLICES, 16))
    monkeypatch.setattr(table_walk, "SLICE_SECONDS", patience)
    assert search(books, "n1.fits").findings == whole.findings


def test_nothing_typed_finds_nothing(books: Settings) -> None:
    work(books, N1)
    assert search(books, "  ") == Found("", is_over=True)


# what became of the inputs that were found


def test_an_input_was_processed_with_the_configuration_in_force(books: Settings) -> None:
    work(books, N1)
    answer = search(books, "n1.fits", in_force=lambda: in_force(books)).answer
    assert answer is not None and answer.is_known
    (one,) = answer.inputs
    assert one.value == "n1.fits" and one.done is not None and one.done.run.id == 1


def test_a_failure_or_another_configuration_is_no_processing(books: Settings) -> None:
    work(books, N1)
    other = changed(books, fit={"tolerance": 2})
    work(other, N1, fail=(N1,))
    answer = search(books, "n1.fits", in_force=lambda: in_force(other)).answer
    assert answer is not None
    assert (answer.inputs[0].done, answer.inputs[0].newest.state) == (None, State.FAILED)


def test_without_a_configuration_in_force_any_counts(books: Settings) -> None:
    work(books, N1)
    answer = search(books, "n1.fits").answer
    assert answer is not None and not answer.is_known and answer.inputs[0].done is not None


def test_the_input_that_is_called_so_is_meant_before_those_that_hold_the_words(books: Settings) -> None:
    work(books, {"file": "/data/n1.fits"}, {"file": "/data/run1.fits"}, {"file": "n1.fits.bak"})
    answer = search(books, "n1.fits").answer
    assert answer is not None and [one.value for one in answer.inputs] == ["/data/n1.fits"]


def test_the_name_of_an_input_alone_is_no_question_about_it(books: Settings) -> None:
    work(books, N1)
    assert search(books, "file").answer is None
