"""The run that is looked at against the truth: whatever a pipeline does, its shape and rows are those of the books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import delete, insert, text, update

from outflow_core import block_queries, tables
from outflow_core.errors import SchemaError
from outflow_core.reader import Reader
from outflow_core.rows import BlockRow
from outflow_core.run_page import Shape
from outflow_core.states import BlockType, State
from outflow_core.tries import Try, signs_of, tries_of, undecided
from outflow_tui import run_in_focus, run_rows
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.source import BooksSource
from tests.core.books import DIALECTS, fresh_books
from tests.core.test_changes import NOON, Pipeline, Writer, look_in_short_slices


class Watched:
    """A writer, and somebody who looks at one run after the other."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.reader = Reader(writer.database)
        self.source = BooksSource(writer.database)

    def close(self) -> None:
        self.source.close()
        self.reader.close()
        self.writer.close()

    def look(self, focus: Focus) -> Snapshot:
        """Look until everything is read."""
        seen = self.source.look(focus)
        while not seen.is_complete or seen.is_reading:
            seen = self.source.look(focus)
        return seen

    def shapes(self, run_id: int) -> list[Shape]:
        run = self.look(Focus(run_id)).run
        assert run is not None and run.is_whole
        return list(run.shape.shapes())

    def tries(self, run_id: int) -> Mapping[int, Try]:
        run = self.look(Focus(run_id)).run
        assert run is not None
        return run.tries

    def true_tries(self, run_id: int) -> Mapping[int, Try]:
        blocks = block_queries.blocks_of(self.reader, run_id)
        return tries_of(
            blocks,
            {number: signs_of(given) for number, given in block_queries.inputs_of(self.reader, undecided(blocks))},
        )

    def truth(self, run_id: int) -> list[Shape]:
        return [_shape(row) for row in block_queries.blocks_of(self.reader, run_id)]


def _shape(row: BlockRow) -> Shape:
    seconds = (row.end_time - row.start_time).total_seconds() if row.start_time and row.end_time else None
    return Shape(row.id, row.parent_id, row.type, row.state, row.name, row.hostname, seconds)


@pytest.fixture(params=DIALECTS)
def watched(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Fresh books, whose blocks are read in pages so small that there are many."""
    look_in_short_slices(monkeypatch)
    monkeypatch.setattr(run_in_focus, "FEW", 2)
    monkeypatch.setattr(run_in_focus, "FIRST", 3)
    monkeypatch.setattr(run_rows, "FEW", 2)
    writer = Writer(fresh_books(request, tmp_path, request.param).database())
    writer.touch()
    made = Watched(writer)
    yield made
    made.close()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_pipeline_does_the_run_that_is_looked_at_is_that_of_the_books(watched: Watched, seed: int) -> None:
    watched.writer.random.seed(seed)
    pipeline = Pipeline(watched.writer)
    pipeline.begin_run()
    for number in range(40):
        for _ in range(watched.writer.random.randint(1, 4)):
            pipeline.step()
        if number % 15 == 10:  # somebody else opens the books that have grown meanwhile
            watched.source.close()
            watched.source = BooksSource(watched.writer.database)
        run_id = 1 if number < 20 else watched.writer.random.choice(list(watched.writer.runs()))
        assert watched.shapes(run_id) == watched.truth(run_id)
        assert watched.look(Focus(run_id, timeline=True)).timeline is not None
        rows = watched.source._rows
        blocks = block_queries.blocks_of(watched.reader, run_id)
        assert rows is not None and rows.rows == blocks


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_tried_again_the_tries_are_those_of_the_books(watched: Watched, seed: int) -> None:
    writer, chance, found = watched.writer, Random(seed), 0
    writer.add_run(1)
    writer.add_blocks({**writer.block(1, 1), "type": BlockType.WORKFLOW, "input_values": [{"of": "a"}, {"of": "b"}]})
    running: list[int] = []
    for minute in range(2, 60):
        at = NOON + timedelta(minutes=minute)
        given = {"parent_id": chance.choice([1, 1, 1, None]), "input_values": {"of": chance.choice("aabc")}}
        running.append(minute)
        writer.add_blocks(writer.block(minute, 1, State.RUNNING, start_time=at, **given))
        for number in [number for number in running if chance.random() < 0.7]:
            running.remove(number)
            state = chance.choice([State.FAILED, State.FAILED, State.SUCCESS])
            ended = update(tables.block).where(tables.block.c.id == number)
            writer.commit(ended.values(state=state, end_time=at + timedelta(seconds=chance.choice([30, 90]))))
        assert watched.tries(1) == watched.true_tries(1)
        found += len(watched.tries(1))
    assert found > 20


def test_what_changed_while_the_history_was_counted_is_not_missed(watched: Watched) -> None:
    for run_id in (1, 2):
        watched.writer.add_run(run_id)
        watched.writer.add_blocks(*(watched.writer.block(100 * run_id + place, run_id) for place in range(80)))
    seen = watched.source.look(Focus(1))
    while not seen.is_complete:
        number = watched.writer.random.randrange(100, 180)
        watched.writer.commit(watched.writer.set_states([number], State.FAILED))
        seen = watched.source.look(Focus(1))
    assert watched.shapes(1) == watched.truth(1)


def test_blocks_that_are_deleted_or_run_again_are_seen_as_they_are(watched: Watched) -> None:
    watched.writer.add_run(1)
    times = {"start_time": NOON, "end_time": NOON + timedelta(seconds=1.25), "hostname": "n1"}
    watched.writer.add_blocks(*(watched.writer.block(place, 1, State.SUCCESS, **times) for place in range(1, 40)))
    watched.shapes(1)
    block = tables.block
    again = {"state": State.PENDING, "start_time": None, "end_time": None}
    watched.writer.commit(delete(block).where(block.c.id == 7), update(block).where(block.c.id == 9).values(again))
    for _ in range(80):  # the past is gone over in portions, at every change
        watched.writer.touch()
        watched.look(Focus(1))
    assert watched.shapes(1) == watched.truth(1)
    assert (len(watched.shapes(1)), watched.shapes(1)[7].seconds) == (38, None)


def test_edges_and_exceptions_that_come_while_a_block_is_looked_at_are_seen(watched: Watched) -> None:
    watched.writer.add_run(1)
    watched.writer.add_blocks(*(watched.writer.block(place, 1) for place in range(1, 40)))
    seen = watched.look(Focus(1, 30)).detail
    assert seen is not None and (seen.upstream, seen.exceptions) == ((), ())
    begun = update(tables.block).where(tables.block.c.id == 30).values(state=State.RUNNING, start_time=NOON)
    watched.writer.commit(
        begun, insert(tables.edge).values([{"upstream_block_id": n, "downstream_block_id": 30} for n in (2, 39)])
    )
    seen = watched.look(Focus(1, 30)).detail
    assert seen is not None and (seen.upstream, seen.block.state) == ((2, 39), State.RUNNING)
    watched.writer.commit(watched.writer.set_states([30], State.FAILED))
    watched.look(Focus(1, 30))
    words = {"exception_type": "OSError", "exception_msg": "late", "traceback": "", "time": NOON}
    watched.writer.commit(
        insert(tables.runtime_exception).values(block_id=30, **words),
        delete(tables.edge).where(tables.edge.c.upstream_block_id == 2),
    )
    seen = watched.look(Focus(1, 30)).detail
    assert seen is not None and [one.message for one in seen.exceptions] == ["late"]
    assert seen.upstream == (39,)


def test_nothing_is_taken_over_from_the_block_of_another_database(watched: Watched) -> None:
    watched.writer.add_run(1)
    watched.writer.add_blocks(*(watched.writer.block(place, 1, State.SUCCESS) for place in range(1, 4)))
    edge = insert(tables.edge).values(upstream_block_id=1, downstream_block_id=3)
    watched.writer.commit(edge)
    watched.look(Focus(1, 3))
    watched.source._ledger.identity = "another"
    watched.writer.commit(insert(tables.edge).values(upstream_block_id=2, downstream_block_id=3))
    seen = watched.look(Focus(1, 3)).detail
    assert seen is not None and seen.upstream == (1, 2)


def test_the_first_rows_of_a_large_run_come_before_the_rest(watched: Watched) -> None:
    watched.writer.add_run(1)
    watched.writer.add_blocks(*(watched.writer.block(place, 1) for place in range(1, 200)))
    watched.look(Focus())
    first = watched.source.look(Focus(1)).run
    assert first is not None and not first.is_whole
    assert [shape.id for shape in first.shape.shapes()] == [1, 2, 3]
    assert len(watched.shapes(1)) == 199


def test_pages_without_a_change_are_taken_over(watched: Watched) -> None:
    watched.writer.add_run(1)
    watched.writer.add_blocks(*(watched.writer.block(place, 1) for place in range(1, 200)))
    before = watched.look(Focus(1)).run
    watched.writer.commit(watched.writer.set_states([20], State.RUNNING))
    after = watched.look(Focus(1)).run
    assert before is not None and after is not None
    pairs = zip(before.shape.pages, after.shape.pages, strict=True)
    assert [old.first for old, new in pairs if old is not new] == [16]


def test_of_a_very_large_run_the_newest_rows_are_read(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_rows, "MOST", 30)
    watched.writer.add_run(1)
    watched.writer.add_blocks(*(watched.writer.block(place, 1) for place in range(1, 100)))
    timeline = watched.look(Focus(1, timeline=True)).timeline
    assert timeline is not None and (timeline.pending, timeline.left_out) == (36, 63)


@pytest.mark.parametrize("end", ["infinity", "-infinity"])
def test_a_time_that_is_none_takes_no_seconds(watched: Watched, end: str) -> None:
    watched.writer.add_run(1)
    watched.writer.add_blocks(watched.writer.block(1, 1, State.SUCCESS, start_time=NOON))
    watched.writer.commit(text(f"UPDATE outflow_block SET end_time = '{end}'"))
    assert [shape.seconds for shape in watched.shapes(1)] == [None]


def test_a_state_of_the_future_is_named(watched: Watched) -> None:
    watched.writer.add_run(1)
    watched.writer.add_blocks(watched.writer.block(1, 1))
    with pytest.raises(SchemaError, match="outflow_block 1: unknown state 'paused'"):
        block_queries.page_of(_Told([(1, None, "task", "paused", "fit", None, None)]), 1, 0, 4_096)


class _Told:
    def __init__(self, rows: list[tuple[object, ...]]) -> None:
        self._rows = rows

    def rows(self, statement: object, values: object = None) -> list[tuple[object, ...]]:
        return self._rows
