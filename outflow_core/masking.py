"""Which parts of a value are secret, and the value without them; pure.

What is taken out here can still be told apart: a `Masked` text knows whether another one hid the
same secret, by a digest under a key that lives as long as the process. What was masked before it
was stored is plain text, of which nobody knows.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import is_
from typing import Any

from outflow_core.json_text import parsed

MASK = "******"
Path = tuple[str | int, ...]

_KEY = os.urandom(16)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    {"pwd", "passphrase", "secrets", "passwords", "credential", "credentials", "authorization", "bearer", "cookie"}
)
_SECRET_PAIRS = frozenset(
    {(first, second) for first in ("api", "access", "private", "secret", "auth") for second in ("key", "keys")}
    | {("pass", "phrase"), ("db", "pass"), ("user", "pass")}
)
_HINT = re.compile("pw|pass|secret|token|key|cred|auth|bearer|cookie")
"""What stands in every name that tells of a secret, and in some that do not."""
_SECRET_ENDINGS = ("password", "passwd", "secret", "token", "apikey", "apikeys", "secretkey", "privatekey")
_SIMPLE = frozenset({int, float, bool, type(None)})
_URL_CREDENTIALS = re.compile(r"(?P<front>\b[a-zA-Z][a-zA-Z0-9+.-]{1,30}://[^\s:/?#@'\"]{0,256}:)[^\s/'\"]{1,256}(?=@)")
_ASSIGNED = re.compile(
    r"(?P<front>(?:^|[?&;\s])(?:password|passwd|pwd|token|access_token|api_?key|secret)=)[^\s&;'\"]+", re.IGNORECASE
)

_SAID = re.compile(
    r"(?P<front>\b\w{0,40}(?:password|passwd|pwd|passphrase|token|(?:api|access|private|secret)_?key|secret)"
    r"(?:=(?!=)|['\"]:\s?(?=['\"])))(?:\\?'[^'\n]*'|\\?\"[^\"\n]*\"|['\"]?[^\s&;'\"]+)",
    re.IGNORECASE,
)
"""What people and programs write of a secret: `password=x`, `db_password='x'`, `{'password': 'x'}`."""
_SAID_NAMES = ("passw", "pwd", "passphrase", "token", "key", "secret", "authorization")
"""One of them stands in front of each secret that is said; inside URLs there are others."""
_HEADER = re.compile(r"(?P<front>\bauthorization['\"]?\s?[:=]\s?['\"]?\w{1,20}\s)[^\s'\",;]+", re.IGNORECASE)
"""The header of a request, as clients tell it: `Authorization: Bearer x`."""


class Masked(str):
    """The text that stands in a secret's place; two of them are equal when their secrets were."""

    digest: bytes

    def __new__(cls, shown: str, secret: Any) -> Masked:
        """`shown` in place of `secret`."""
        made = super().__new__(cls, shown)
        made.digest = hashlib.blake2b(json.dumps(secret, default=repr).encode(), key=_KEY, digest_size=16).digest()
        return made

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Masked) else str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def is_secret_name(name: object) -> bool:
    """Whether a key of this name holds a secret.

    >>> [is_secret_name(n) for n in ("db_password", "apiKey", "API_KEY", "max_tokens", "token", "keys")]
    [True, True, True, False, True, False]
    """
    words = [word.lower() for word in _WORD.findall(str(name))]
    if any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in words):
        return True
    return not _SECRET_PAIRS.isdisjoint(zip(words, words[1:], strict=False))


@lru_cache(maxsize=10_000)
def _may_hide(name: object) -> bool:
    """Whether a key of this name has to be looked at closely; cheap, for few have."""
    return _HINT.search(str(name).lower()) is not None


def _hides(name: object, value: Any) -> bool:
    """Whether what stands under this name is a secret."""
    if value is None or isinstance(value, bool) or value == "":
        return False
    return is_secret_name(name) or (str(name).lower() == "tokens" and not isinstance(value, (int, float)))


def mask_text(text: str) -> str:
    """The text, with passwords inside URLs masked.

    >>> mask_text("see postgresql://me:s3cret@host/db")
    'see postgresql://me:******@host/db'
    """
    return _URL_CREDENTIALS.sub(rf"\g<front>{MASK}", text) if "://" in text else text


def mask_said(text: str) -> str:
    """The text of an exception, say, with passwords inside URLs and what is assigned to secret names masked.

    >>> mask_said("cannot log in: host=x password=s3cret port=1, {'db_password': 's3cret'}")
    "cannot log in: host=x password=****** port=1, {'db_password': ******}"
    """
    masked = mask_text(text)
    if not names_secrets(masked):
        return masked
    return _SAID.sub(rf"\g<front>{MASK}", _HEADER.sub(rf"\g<front>{MASK}", masked))


def names_secrets(text: str) -> bool:
    """Whether anything may be said to be a secret in a text; soon known, also of megabytes."""
    folded = text.casefold()
    return any(name in folded for name in _SAID_NAMES)


def mask_leaves(value: Any) -> Any:
    """The value with every leaf replaced, a list counting as one: so Outflow does under `secrets`."""
    if isinstance(value, Mapping):
        return {key: mask_leaves(item) for key, item in value.items()}
    return MASK if value == MASK else Masked(MASK, value)


def mask_secrets(value: Any) -> Any:
    """The value with secrets masked, found by the names of their keys, inside URLs and after `password=`.

    Mappings and lists in which nothing is masked are the very same ones.
    """
    if type(value) is dict:
        return _mask_mapping(value)
    if isinstance(value, str):
        return value if isinstance(value, Masked) else _mask_assigned(value)
    if isinstance(value, Mapping):
        return _mask_mapping(dict(value))
    return _mask_items(value) if isinstance(value, (list, tuple)) else value


def _mask_mapping(values: dict[Any, Any]) -> dict[Any, Any]:
    masked = values
    for name, item in values.items():
        kind = type(item)
        if _may_hide(name) and _hides(name, item):
            found = mask_leaves(item)
        elif kind in _SIMPLE or (kind is str and "=" not in item and "://" not in item):
            continue
        else:
            found = mask_secrets(item)
        if found is not item:
            masked = values.copy() if masked is values else masked
            masked[name] = found
    return masked


def _mask_items(items: list[Any] | tuple[Any, ...]) -> list[Any]:
    masked = [item if type(item) in _SIMPLE else mask_secrets(item) for item in items]
    is_same = type(items) is list and all(map(is_, masked, items))
    return items if is_same else masked  # type: ignore[return-value]


def _mask_assigned(value: str) -> str:
    masked = _ASSIGNED.sub(rf"\g<front>{MASK}", mask_text(value)) if "=" in value else mask_text(value)
    return value if masked == value else Masked(masked, value)


def mask_inputs(values: Any) -> Any:
    """Input values with secrets masked, also inside the JSON texts in which Outflow keeps them."""
    if isinstance(values, Mapping):
        return {key: mask_leaves(item) if _hides(key, item) else _mask_json(item) for key, item in values.items()}
    return [mask_inputs(item) for item in values] if isinstance(values, (list, tuple)) else _mask_json(values)


def _mask_json(text: Any) -> Any:
    if not isinstance(text, str) or text[:1] not in ("{", "["):
        return mask_secrets(text)
    masked = mask_secrets(parsed(text))
    if isinstance(masked, str):
        return masked
    return text if not masked_paths(masked) else Masked(json.dumps(masked), text)


def may_be_masked(text: str | None) -> bool:
    """Whether anything in a JSON text may have been masked before it was stored; a star can be written as an escape."""
    return text is not None and (MASK in text or "\\u002" in text)


def masked_paths(value: Any) -> tuple[Path, ...]:
    """The paths of a masked value at which something was taken out, here or before it was stored."""
    return masked_and_sealed(value)[0]


def masked_and_sealed(value: Any) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The masked paths, and those of them at which something was taken out before it was stored.

    Of the latter nothing can be compared.
    """
    found: list[tuple[Path, str]] = []
    _find_masks(value, (), found)
    sealed = (path for path, text in found if not isinstance(text, Masked))
    return tuple(path for path, _ in found), tuple(sealed)


def _find_masks(value: Any, path: Path, found: list[tuple[Path, str]]) -> None:
    if isinstance(value, str):
        if MASK in value:
            found.append((path, value))
    elif isinstance(value, (dict, list, tuple)):
        is_mapping = isinstance(value, dict)
        pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        for step, item in pairs:
            kind = type(item)
            if kind not in _SIMPLE and (kind is not str or MASK in item):
                _find_masks(item, (*path, str(step) if is_mapping else step), found)
