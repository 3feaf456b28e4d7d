"""Several configurations side by side, against every pair of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from outflow_core.config_diff import diff
from outflow_core.config_table import ABSENT, goes_with, table
from outflow_core.masking import mask_secrets
from outflow_core.rows import ConfigurationRow
from tests.core.books import patient

LEAF = st.none() | st.booleans() | st.integers(0, 2) | st.just(1.0) | st.sampled_from(["", "1"])
CONFIG = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        LEAF | st.lists(LEAF, max_size=2), lambda inner: st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
    ),
    max_size=3,
)


def row(config: dict[str, Any], number: int = 1) -> ConfigurationRow:
    return ConfigurationRow(number, f"{number}", config, {})


@patient
@given(st.lists(CONFIG, min_size=2, max_size=4))
def test_a_table_has_rows_just_when_some_two_differ(configs: list[dict[str, Any]]) -> None:
    rows = [row(config, number) for number, config in enumerate(configs)]
    assert bool(table(rows)) == any(diff(first, second) for first in rows for second in rows)


@patient
@given(CONFIG, CONFIG)
def test_of_two_each_row_stands_where_the_diff_has_a_change(first: dict[str, Any], second: dict[str, Any]) -> None:
    old, new = row(first, 1), row(second, 2)
    changed = [change.path for change in diff(old, new)]
    for found in table([old, new]):
        assert any(found.path[: len(path)] == path or path[: len(found.path)] == found.path for path in changed)


def test_values_are_told_apart_with_their_types_and_equal_ones_grouped() -> None:
    (found,) = table([row({"a": value}) for value in (1, 1.0, "1", True, 1)])
    assert found.groups == (0, 1, 2, 3, 0)


def test_where_a_configuration_has_nothing_it_is_absent() -> None:
    (found,) = table([row({"a": {"b": 1}}), row({"a": {"b": 1, "c": None}})])
    assert (found.path, found.values) == (("a", "c"), (ABSENT, None))


def test_secrets_that_differ_are_told_apart_and_not_shown() -> None:
    secrets = [row(mask_secrets({"password": word})) for word in ("one", "two", "one")]
    (found,) = table(secrets)
    assert found.groups == (0, 1, 0) and set(map(str, found.values)) == {"******"}


def test_where_it_came_from_is_no_difference() -> None:
    assert table([row({"name": "x", "_CONFIG_FILEPATH": "/a"}), row({"name": "y"})]) == ()


def test_a_run_that_is_not_over_decides_nothing() -> None:
    (found,) = table([row({"a": value}) for value in (1, 1, 2, 2)])
    assert goes_with(found, [True, None, False, False])
    assert not goes_with(found, [None, None, False, False])


def test_what_is_different_in_every_run_goes_with_nothing() -> None:
    (found,) = table([row({"seed": seed}) for seed in (1, 2, 3)])
    assert not goes_with(found, [True, True, False])
