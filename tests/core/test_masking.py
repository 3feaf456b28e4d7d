"""What counts as a secret, and that masking takes out that and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core.configuration_queries import configuration_row
from outflow_core.json_text import as_json
from outflow_core.masking import MASK, is_secret_name, mask_leaves, mask_said, mask_secrets, mask_text, masked_paths
from tests.core.books import patient

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "dbPassword", "DB_PASSWORD", "passwd", "pwd", "secret", "client-secret", "token"]
    + [
        "api_key",
        "apiKey",
        "APIKey",
        "api-key",
        "private_key",
        "credentials",
        "userPasswd",
        "github_token",
        "mypassword",
    ],
)
def test_a_key_of_this_name_holds_a_secret(name: str) -> None:
    assert mask_secrets({name: "s3cret"}) == {name: MASK}


@pytest.mark.parametrize(
    "name", ["key", "keys", "max_tokens", "tokenizer", "passes", "passband", "monkey", "author", "secretary", "", "1"]
)
def test_a_key_of_this_name_holds_none(name: str) -> None:
    assert mask_secrets({name: "value"}) == {name: "value"}


@pytest.mark.parametrize("value", [None, True, False, ""])
def test_nothing_and_yes_and_no_are_no_secrets(value: object) -> None:
    assert mask_secrets({"password": value}) == {"password": value}


def test_a_secret_mapping_keeps_its_keys_and_a_list_counts_as_one_leaf() -> None:
    assert mask_leaves({"a": {"b": 1, "c": [1, 2]}, "d": []}) == {"a": {"b": MASK, "c": MASK}, "d": MASK}


def test_secrets_inside_lists_are_found() -> None:
    assert mask_secrets({"servers": [{"host": "h", "password": "p"}]}) == {"servers": [{"host": "h", "password": MASK}]}


def test_the_masked_paths_are_told() -> None:
    masked = mask_secrets({"servers": [{"password": "p"}], "url": "ftp://me:p@h/"})
    assert list(masked_paths(masked)) == [("servers", 0, "password"), ("url",)]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://me:pa@ss@host/db", f"postgresql://me:{MASK}@host/db"),
        ("http://:pw@host", f"http://:{MASK}@host"),
        ("two: db://u:p@h s3://v:q@i", f"two: db://u:{MASK}@h s3://v:{MASK}@i"),
        ("http://host:8080/a@b", "http://host:8080/a@b"),
        ("http://me@host", "http://me@host"),
        ("mail me: you@host", "mail me: you@host"),
    ],
)
def test_only_the_password_of_a_url_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_a_long_text_is_masked_in_no_time() -> None:
    assert mask_text("a://" * 50_000 + "x:" * 50_000).startswith("a://")


@patient
@given(JSON_VALUES)
def test_masking_twice_is_masking_once(value: Any) -> None:
    once = mask_secrets(value)
    assert mask_secrets(once) == once


@patient
@given(JSON_VALUES, st.text("abcdefgh", min_size=3))
def test_what_stands_under_a_secret_name_is_gone_however_deep(value: Any, secret: str) -> None:
    marked = f"Zq{secret}qZ"
    assert marked not in json.dumps(mask_secrets({"x": [value, {"password": {"deep": [marked, value]}}]}))


@patient
@given(st.dictionaries(st.text().filter(lambda name: not is_secret_name(name)), st.integers() | st.none()))
def test_what_is_no_secret_stays_as_it_is(value: dict[str, Any]) -> None:
    assert mask_secrets(value) == value


NAMES = st.sampled_from(["a", "password", "apiKey", "api", "db_pass", "tokens", "auth-keys", "Zugangspasswort", "", 1])
TEXTS = st.sampled_from(["", "x", "a=b", "password=p", "db://u:p@h/x", f"x://u:{MASK}@h", MASK, "token=1&b=2"])
HIDING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=15,
)


def plainly_masked(value: Any) -> Any:
    """The value masked as the rules say, with nothing left out for speed."""
    if isinstance(value, dict):
        return {key: plainly_masked_under(key, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plainly_masked(item) for item in value]
    return mask_secrets(value)


def plainly_masked_under(key: object, item: Any) -> Any:
    """What stands under a key, masked as the rules say."""
    is_nothing = item is None or isinstance(item, bool) or item == ""
    is_token_list = str(key).lower() == "tokens" and not isinstance(item, (int, float))
    is_secret = not is_nothing and (is_secret_name(key) or is_token_list)
    return mask_leaves(item) if is_secret else plainly_masked(item)


def plainly_found(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of texts with a mask, with nothing left out for speed."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in plainly_found(item, (*path, str(key)))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in plainly_found(item, (*path, index))]
    return [path] if isinstance(value, str) and MASK in value else []


@patient
@given(HIDING)
def test_masking_in_a_hurry_takes_out_the_same_and_leaves_its_argument_alone(value: Any) -> None:
    before = repr(value)
    masked = mask_secrets(value)
    assert masked == plainly_masked(value) and repr(masked) == repr(plainly_masked(value))
    assert list(masked_paths(masked)) == plainly_found(masked)
    assert repr(value) == before


@pytest.mark.parametrize("stars", ["******", r"\u002a*****", r"***\u002A**"])
def test_a_mask_that_was_stored_is_noticed_however_its_stars_are_written(stars: str) -> None:
    row = configuration_row(1, "hash", f'{{"a": 1, "user": "{stars}"}}', "{}")
    assert row.sealed == (("config", "user"),)


def test_the_header_of_a_request_is_masked_where_it_is_told() -> None:
    told = "401 for {'Authorization': 'Bearer s3cret'} and Authorization: Basic s3cret, of s3 authorization: denied"
    assert mask_said(told) == (
        "401 for {'Authorization': 'Bearer ******'} and Authorization: Basic ******, of s3 authorization: denied"
    )


@pytest.mark.parametrize("deep", ["[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "[" * 100_000])
@pytest.mark.parametrize("decoy", ["", "]" * 10_000, "}" * 10_000])
def test_a_value_nested_beyond_reason_stays_text_whatever_brackets_stand_in_its_texts(deep: str, decoy: str) -> None:
    assert as_json(f'["{decoy}", {deep}]') == f'["{decoy}", {deep}]'
