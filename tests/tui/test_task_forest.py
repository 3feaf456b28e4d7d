"""The tree of a run, whose lines are made when they are drawn, is the one that is made of all blocks at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from outflow_core.rows import TOP_LEVEL, BlockRow, TaskCounts
from outflow_core.run_shape import RunShape, patched, shape_of
from outflow_core.states import BlockType, State
from outflow_core.tries import Try, tries_of, undecided, undecided_in
from outflow_tui.snapshot import RunView
from outflow_tui.task_forest import HEAP, TaskForest, TaskKey
from outflow_tui.task_lines import TaskLine, TaskLines
from tests.tui.story import NOW, shape_row

Rows = dict[int, BlockRow]
SIZE = 4
NAMES = st.sampled_from(["fit", "plot", "map", TOP_LEVEL])


def uncircled(rows: Rows) -> Rows:
    """The blocks with the first of those that are inside each other, in a circle, inside nothing."""
    shown = {number: row for number, row in rows.items() if not row.is_top_level or row.state is State.FAILED}
    found = dict(rows)
    for number in sorted(shown):
        around, parent = set[int](), found[number].parent_id
        while parent in shown and parent not in around and parent != number:
            around.add(parent)
            parent = found[parent].parent_id
        if parent == number:
            found[number] = found[number]._replace(parent_id=None)
    return found


class Eager:
    """The tree as it is told: everything at once, from all blocks."""

    def __init__(self, rows: Rows, tries: Mapping[int, Try]) -> None:
        rows = uncircled(rows)
        self.rows, self.tries = rows, tries
        self.inside: dict[TaskKey | None, list[TaskKey]] = defaultdict(list)
        self.parents: dict[TaskKey, TaskKey | None] = {}
        hidden = {row.id for row in rows.values() if row.is_top_level and row.state is not State.FAILED}
        waiting: dict[str, list[int]] = defaultdict(list)
        first = {number: tries[number].blocks[0] if number in tries else number for number in rows}
        for row in sorted(rows.values(), key=lambda row: (first[row.id], row.id)):
            if row.id in hidden:
                continue
            if row.parent_id is None and row.state is State.PENDING and row.type is BlockType.TASK:
                waiting[row.name].append(row.id)
            else:
                self.place(row.id, row.parent_id if row.parent_id in rows.keys() - hidden else None)
        for name, ids in waiting.items():
            heap = f"waiting {name}" if len(ids) >= HEAP else None
            if heap:
                self.place(heap, None)
            for number in ids:
                self.place(number, heap)
        self.around_failed = {
            outer for row in rows.values() if row.state is State.FAILED for outer in self.around(row.id)
        }
        self.mended = {number for number, one in tries.items() if one.is_mended}

    def place(self, key: TaskKey, parent: TaskKey | None) -> None:
        self.inside[parent].append(key)
        self.parents[key] = parent

    def around(self, key: TaskKey) -> list[TaskKey]:
        found: list[TaskKey] = []
        parent = self.parents.get(key)
        while parent is not None and parent not in found:
            found.append(parent)
            parent = self.parents.get(parent)
        return found

    def below(self, key: TaskKey | None) -> list[TaskKey]:
        return [one for child in self.inside.get(key, ()) for one in (child, *self.below(child))]

    def failures(self) -> list[TaskKey]:
        return [
            key
            for key in self.below(None)
            if isinstance(key, int) and self.rows[key].state is State.FAILED and key not in self.around_failed
        ]

    def lines(self, chosen: Mapping[TaskKey, bool]) -> list[TaskLine]:
        found: list[TaskLine] = []

        def add(around: TaskKey | None, depth: int) -> None:
            for key in self.inside.get(around, ()):
                is_open = chosen.get(key, key in self.around_failed) if key in self.inside else None
                found.append(self.line(key, depth, is_open))
                if is_open:
                    add(key, depth + 1)

        add(None, 0)
        return found

    def line(self, key: TaskKey, depth: int, is_open: bool | None) -> TaskLine:
        counts = self.counts(key) if is_open is not None else None
        if isinstance(key, str):
            return TaskLine(key, depth, key, State.PENDING, is_open=is_open, counts=counts)
        row, number = self.rows[key], self.ordinal(key)
        return TaskLine(
            key,
            depth,
            f"{row.name} {number}" if number else row.name,
            row.state,
            shape_row(row)[6],
            row.hostname,
            is_open,
            counts,
            tried=self.tries.get(key),
            mended=len(self.mended.intersection(self.below(key))),
        )

    def counts(self, key: TaskKey) -> TaskCounts:
        rows = [self.rows[one] for one in self.below(key) if isinstance(one, int)]
        return TaskCounts(**Counter(row.state.value for row in rows if row.type is BlockType.TASK))

    def ordinal(self, key: int) -> int:
        parent = self.parents[key]
        if not isinstance(parent, int):
            return 0
        same = [
            one for one in self.inside[parent] if isinstance(one, int) and self.rows[one].name == self.rows[key].name
        ]
        firsts = [one for one in same if one not in self.tries or self.tries[one].number == 1]
        return firsts.index(self.tries[key].blocks[0] if key in self.tries else key) + 1 if len(firsts) > 1 else 0


@st.composite
def blocks(draw: st.DrawFn, number: int) -> BlockRow:
    kind = draw(st.sampled_from([BlockType.TASK, BlockType.TASK, BlockType.WORKFLOW]))
    state = draw(st.sampled_from(State))
    start = None if state in (State.PENDING, State.SKIPPED) else NOW + timedelta(seconds=number)
    end = start + timedelta(seconds=0.5) if start and state.is_final else None
    parent = draw(st.one_of(st.none(), st.integers(1, max(number - 1, 1)), st.integers(1, 30)))
    return BlockRow(number, kind, draw(NAMES), state, start, end, draw(st.sampled_from([None, "n1", "n2"])), parent)


@st.composite
def runs(draw: st.DrawFn) -> Rows:
    ids = draw(st.sets(st.integers(1, 30), max_size=24))
    return {number: draw(blocks(number)) for number in sorted(ids)}


@st.composite
def maps(draw: st.DrawFn) -> Rows:
    """A map like those of Outflow: a workflow, its items of few names, and some that wait."""
    around = BlockRow(2, BlockType.WORKFLOW, "map", State.RUNNING, NOW, None, "n1", 1)
    count = draw(st.integers(0, 24))
    items = [draw(blocks(number))._replace(parent_id=2, type=BlockType.TASK) for number in range(3, 3 + count)]
    waiting = [item._replace(parent_id=None) if item.state is State.PENDING else item for item in items]
    top = BlockRow(1, BlockType.WORKFLOW, TOP_LEVEL, State.PENDING, None, None, None, None)
    return {row.id: row for row in [top, around, *waiting]}


@st.composite
def tried(draw: st.DrawFn) -> Rows:
    """A map whose items were tried more than once, one among the others."""
    around = BlockRow(1, BlockType.WORKFLOW, "map", State.FAILED, NOW, None, "n1", None)
    states = draw(st.lists(st.sampled_from([State.FAILED, State.SUCCESS]), max_size=12))
    items = [draw(blocks(2 + place))._replace(state=state) for place, state in enumerate(states)]
    times = [NOW + timedelta(seconds=item.id) for item in items]
    done = [
        item._replace(parent_id=1, type=BlockType.TASK, name="fit", start_time=time, end_time=time)
        for item, time in zip(items, times, strict=True)
    ]
    return {row.id: row for row in [around, *done]}


def view_of(rows: Rows, shape: RunShape, inputs: Sequence[bytes] = ()) -> RunView:
    signs = {number: (sign,) for number, sign in enumerate(inputs)}
    return RunView(1, shape, tries=tries_of([rows[number] for number in sorted(rows)], signs))


def seen_whole(rows: Rows, view: RunView, chosen: Mapping[TaskKey, bool]) -> None:
    told, forest = Eager(rows, view.tries), TaskForest(view)
    lines, expected = TaskLines(forest, chosen), told.lines(chosen)
    assert list(lines) == expected
    assert [lines.place_of(line.key) for line in expected] == list(range(len(expected)))
    shown = {line.key for line in expected}
    assert all(lines.place_of(key) is None for key in [*rows, "waiting fit", "waiting", 99] if key not in shown)
    failures = told.failures()
    assert list(forest.failures) == failures
    order = told.below(None)
    for place, key in enumerate(order):
        after = [one for one in failures if order.index(one) > place]
        before = [one for one in failures if order.index(one) < place]
        assert forest.failure_beyond(key, 1) == next(iter(after or failures), None)
        assert forest.failure_beyond(key, -1) == next(iter((before or failures)[::-1]), None)


CHOICES = st.dictionaries(st.one_of(st.integers(1, 30), st.just("waiting fit")), st.booleans(), max_size=12)
INPUTS = st.lists(st.sampled_from([b"a", b"b", b""]), min_size=31, max_size=31)


@settings(max_examples=300, deadline=None)
@given(st.one_of(runs(), maps(), tried()), CHOICES, INPUTS)
def test_the_lines_are_those_of_the_tree_that_is_made_of_all_blocks(
    rows: Rows, chosen: dict[TaskKey, bool], inputs: list[bytes]
) -> None:
    seen_whole(rows, view_of(rows, shape_of(map(shape_row, rows.values()), SIZE), inputs), chosen)


@settings(max_examples=200, deadline=None)
@given(st.one_of(runs(), maps()), st.data(), CHOICES)
def test_a_run_that_goes_on_is_the_run_as_it_is_then(
    rows: Rows, data: st.DataObject, chosen: dict[TaskKey, bool]
) -> None:
    shape = shape_of(map(shape_row, rows.values()), SIZE)
    for number in data.draw(st.lists(st.integers(1, 30), max_size=6)):
        row = data.draw(st.one_of(st.none(), blocks(number)))
        rows = {key: one for key, one in rows.items() if key != number} | ({number: row} if row else {})
        changed, page = shape_row(row) if row else None, shape.page(number)
        if page is not None:
            shape = shape.with_pages({number // SIZE: patched(page, {number: changed})})
        elif changed:
            shape = shape.with_pages({number // SIZE: shape_of([changed], SIZE).pages[0]})
        seen_whole(rows, view_of(rows, shape), chosen)
    assert list(shape.shapes()) == list(shape_of(map(shape_row, rows.values()), SIZE).shapes())


@settings(max_examples=200, deadline=None)
@given(st.one_of(runs(), maps()))
def test_the_shape_names_all_blocks_whose_inputs_decide_about_tries(rows: Rows) -> None:
    shape = shape_of(map(shape_row, rows.values()), SIZE)
    assert undecided(rows.values()) <= undecided_in(shape, 100, {})


@given(runs())
def test_a_page_with_nothing_new_stays_the_very_same(rows: Rows) -> None:
    shape = shape_of(map(shape_row, rows.values()), SIZE)
    for page in shape.pages:
        assert patched(page, {page.id(index): page.row(index) for index in range(len(page))}) is page


def test_of_a_very_large_run_the_newest_places_are_asked_about_tries() -> None:
    rows = [
        (number, number // 10 + 1000, "task", "failed" if number % 10 == 0 else "success", "reduce", None, 1.0)
        for number in range(10, 60)
    ]
    found = undecided_in(shape_of(rows), 100, {}, in_all=25)
    assert found == {*range(40, 60), 1004, 1005}
    assert undecided_in(shape_of(rows), 100, {}, in_all=50) == {*range(10, 60), *range(1001, 1006)}
