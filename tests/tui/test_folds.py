"""Folding nested lines: nothing is lost, nothing is seen twice."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from outflow_tui.folds import Folds
from outflow_tui.format import ASCII
from outflow_tui.lines import Line, plain

depths = st.lists(st.integers(0, 3), max_size=12)


def numbers(keys: Sequence[Hashable]) -> list[int]:
    return [key for key in keys if isinstance(key, int)]


def nested(depths: list[int]) -> tuple[Line, ...]:
    return tuple(Line(n, ((f"{'  ' * depth}line {n}", ""),), depth) for n, depth in enumerate(depths))


@given(depths, st.sets(st.integers(0, 11)))
def test_what_is_not_seen_is_inside_something_folded(depths: list[int], folded: set[int]) -> None:
    folds = Folds(nested(depths), ASCII)
    seen = numbers([line.key for line in folds.shown(folded)])
    for line in folds.source:
        assert (line.key in seen) != bool(folded.intersection(folds.around(line.key)))
    assert seen == sorted(seen)


@given(depths)
def test_what_is_around_a_line_is_less_deep_and_above(depths: list[int]) -> None:
    folds = Folds(nested(depths), ASCII)
    for place, depth in enumerate(depths):
        above = numbers(folds.around(place))
        assert [depths[outer] for outer in above] == sorted({depths[outer] for outer in above}, reverse=True)
        assert all(outer < place and depths[outer] < depth for outer in above)


@given(depths)
def test_a_line_stands_where_it_stood_whether_folded_or_not(depths: list[int]) -> None:
    folds = Folds(nested(depths), ASCII)
    unfolded = {line.key: line for line in folds.lines}
    for line in folds.shown(folds.heads()):
        before = plain(unfolded[line.key].pieces)
        assert plain(line.pieces).startswith(before.replace(" v ", " > ").replace("v ", "> ", 1))
