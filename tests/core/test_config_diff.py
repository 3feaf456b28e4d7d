"""Configurations compared by path and with their types."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core.config_diff import Change, apart, changes, diff
from outflow_core.config_table import table
from outflow_core.json_text import Most, first_of
from outflow_core.rows import ConfigurationRow
from tests.core.books import patient

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=15,
)


def row(number: int = 1, settings: dict[str, Any] | None = None, **config: Any) -> ConfigurationRow:
    """A stored configuration."""
    return ConfigurationRow(number, f"hash{number}", config, settings or {})


@pytest.mark.parametrize(("old", "new"), [(1.5, "1.5"), (1, 1.0), (1, True), (0, False), (None, "null"), ([], {})])
def test_values_of_different_types_differ(old: Any, new: Any) -> None:
    assert diff(row(1, x=old), row(2, x=new)) == (Change("config", ("x",), "changed", old, new),)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("nan")], {"a": [{"b": float("nan")}]}])
def test_what_is_no_number_is_the_same_as_itself(value: Any) -> None:
    assert diff(row(1, x=value), row(2, x=deepcopy(value))) == ()


def test_the_order_of_keys_is_no_difference() -> None:
    assert diff(row(1, a=1, b={"c": 1, "d": 2}), row(2, b={"d": 2, "c": 1}, a=1)) == ()


def test_the_order_of_keys_inside_lists_is_no_difference() -> None:
    assert list(changes([{"a": 1, "b": 2}, 3], [{"b": 2, "a": 1}, 3])) == []


def test_one_inserted_element_is_one_change() -> None:
    assert list(changes(list("abcd"), list("abXcd"))) == [((2,), "added", None, "X")]


def test_one_removed_element_is_one_change() -> None:
    assert list(changes(list("abcd"), list("acd"))) == [((1,), "removed", "b", None)]


def test_a_change_inside_an_element_of_a_list_is_told_by_its_path() -> None:
    old, new = [{"n": 1, "x": 1}, {"n": 2, "x": 2}], [{"n": 1, "x": 1}, {"n": 2, "x": 3}]
    assert list(changes(old, new)) == [((1, "x"), "changed", 2, 3)]


def test_an_added_null_is_an_added_key() -> None:
    assert diff(row(1), row(2, x=None)) == (Change("config", ("x",), "added", None, None),)


def test_settings_are_compared_too() -> None:
    assert diff(row(1, {"a": 1}), row(2, {"a": 2})) == (Change("settings", ("a",), "changed", 1, 2),)


def test_where_a_configuration_came_from_is_told_apart() -> None:
    old, new = row(1, name="a", _CONFIG_FILEPATH="/x", k=1), row(2, name="b", _CONFIG_FILEPATH="/y", k=1)
    assert diff(old, new) == ()
    assert [change.path for change in apart(old, new)] == [("_CONFIG_FILEPATH",), ("name",)]


def test_the_same_row_has_no_difference() -> None:
    assert diff(row(1, a=[1]), row(1, a=[1])) == ()


@pytest.mark.parametrize("kinds", [1, 2, 50, 10_000])
def test_long_lists_are_compared_in_bearable_time(kinds: int) -> None:
    random = Random(kinds)
    old, new = ([random.randrange(kinds) for _ in range(5_000)] for _ in range(2))
    started = time.process_time()
    for length in (2_000, 5_000):
        list(changes(old[:length], new[:length]))
    assert time.process_time() - started < 20


@patient
@given(JSON_VALUES)
def test_a_value_does_not_differ_from_its_copy(value: Any) -> None:
    assert list(changes(value, deepcopy(value))) == []


@patient
@given(JSON_VALUES, JSON_VALUES)
def test_each_difference_is_seen_from_both_sides(old: Any, new: Any) -> None:
    forth, back = list(changes(old, new)), list(changes(new, old))
    assert bool(forth) == bool(back)


@patient
@given(JSON_VALUES, JSON_VALUES)
def test_a_path_leads_to_what_was_found(old: Any, new: Any) -> None:
    for path, kind, before, after in changes(old, new):
        if kind != "removed":
            assert at(new, path) is after
        elif len(path) == 1:
            assert at(old, path) is before


@patient
@given(JSON_VALUES, JSON_VALUES)
def test_showing_what_is_equal_takes_no_difference_away(old: Any, new: Any) -> None:
    everything = list(changes(old, new, equal=True))
    assert [change for change in everything if change[1] != "equal"] == list(changes(old, new))
    assert all(at(new, path) is after for path, kind, _, after in everything if kind == "equal" and path)


@patient
@given(JSON_VALUES)
def test_of_equal_values_every_leaf_is_shown(value: Any) -> None:
    shown = [path for path, kind, _, _ in changes(value, deepcopy(value), equal=True)]
    assert shown == ([] if value in ({}, []) else leaves(value))


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of everything that holds nothing else."""
    if isinstance(value, dict) and value:
        return [found for key, item in value.items() for found in leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        return [found for place, item in enumerate(value) for found in leaves(item, (*path, place))]
    return [path]


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


NESTED = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4), max_leaves=15
)
MAPPINGS = st.dictionaries(st.sampled_from("abcd"), NESTED, max_size=4)
TREES = st.dictionaries(st.sampled_from("abcd"), JSON_VALUES, max_size=4)


def cut(number: int, tree: dict[str, Any], most: int = 10**9) -> ConfigurationRow:
    """A stored configuration of which no more than the first values were read."""
    config, left_out = first_of(json.dumps(tree), Most(most, 10**9))
    return ConfigurationRow(number, f"hash{number}", config, {}, left_out=(left_out, 0))


@given(MAPPINGS, MAPPINGS, st.integers(1, 12), st.integers(1, 12))
def test_what_was_not_read_is_never_told_as_a_difference(
    old: dict[str, Any], new: dict[str, Any], old_most: int, new_most: int
) -> None:
    told = {(change.path, change.kind) for change in diff(cut(1, old, old_most), cut(2, new, new_most))}
    assert told <= {(change.path, change.kind) for change in diff(cut(1, old), cut(2, new))}


@given(TREES, st.integers(1, 12))
def test_a_part_of_a_configuration_does_not_differ_from_the_whole(tree: dict[str, Any], most: int) -> None:
    assert not diff(cut(1, tree, most), cut(2, tree)) and not diff(cut(1, tree), cut(2, tree, most))
    assert not table([cut(1, tree, most), cut(2, tree), cut(3, tree, most + 2)])
