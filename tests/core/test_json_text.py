"""JSON of others: of a very large text only the first part becomes values, and what is left out is counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core import json_text
from outflow_core.json_text import Most, as_json, first_of, values_in

ANY = 10**9
TEXT = st.text(alphabet='a,:"\\[]{} \n', max_size=6)
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | TEXT,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(TEXT, inside, max_size=4),
    max_leaves=20,
)


def number_of(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(number_of, inside))


def is_beginning(part: Any, whole: Any) -> bool:
    """Whether a value is the other one, but for what lacks behind its last one."""
    if isinstance(part, list) and isinstance(whole, list) and part:
        return part[:-1] == whole[: len(part) - 1] and is_beginning(part[-1], whole[len(part) - 1])
    if isinstance(part, dict) and isinstance(whole, dict) and part:
        *before, last = part
        same = all(part[key] == whole[key] for key in before) and list(part) == list(whole)[: len(part)]
        return same and is_beginning(part[last], whole[last])
    return bool(part == whole)


@given(VALUES, st.booleans(), st.integers(1, 30), st.sampled_from([1, 3, 1 << 18]))
def test_values_are_counted_without_being_made(value: Any, is_wide: bool, most: int, at_once: int) -> None:
    text = json.dumps(value, indent=1 if is_wide else None, ensure_ascii=is_wide)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_COUNTED", at_once)
        assert values_in(text) == number_of(value)
        part, left_out = first_of(text, Most(most, ANY))
    assert isinstance(value, str) or number_of(part) + left_out == number_of(value)
    assert isinstance(value, str) or is_beginning(part, value)


@given(VALUES)
def test_what_is_short_is_read_whole_also_json_in_a_json_string(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(json.dumps(value))):
        assert first_of(text, Most(ANY, ANY)) == (as_json(text), 0)


def test_json_in_a_json_string_is_cut_inside() -> None:
    assert first_of(json.dumps(json.dumps([1, 2, 3, 4])), Most(3, ANY)) == ([1, 2], 2)


def test_a_long_text_is_cut_by_its_characters_too() -> None:
    assert first_of(json.dumps(["x" * 100, {"a": "y" * 100, "b": 1}, 2]), Most(ANY, 150)) == (
        ["x" * 100, {"a": "y" * 100}],
        2,
    )


@pytest.mark.parametrize("text", ['["' + '\\"' * 1000, "[" * 5000 + "1, 2", "}]}" * 50 + ","])
def test_what_is_no_json_stays_text(text: str) -> None:
    assert first_of(text, Most(1, 1)) == (text, 0)
