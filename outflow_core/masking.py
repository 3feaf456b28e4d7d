"""Which parts of a value are secret, and the value without them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "******"
Path = tuple[str | int, ...]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    {"pwd", "passwd", "passphrase", "password", "passwords", "secret", "secrets", "token", "credential", "credentials"}
)
_SECRET_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("auth", "key"), ("pass", "phrase")})
_SECRET_ENDINGS = ("password", "passwd", "secret", "apikey")
_URL_CREDENTIALS = re.compile(r"(?P<front>\b[a-zA-Z][a-zA-Z0-9+.-]{1,30}://[^\s:/?#@'\"]{0,256}:)[^\s/'\"]{1,256}(?=@)")


def is_secret_name(name: object) -> bool:
    """Whether a key of this name holds a secret.

    >>> [is_secret_name(n) for n in ("db_password", "apiKey", "API_KEY", "max_tokens", "token", "keys")]
    [True, True, True, False, True, False]
    """
    words = [word.lower() for word in _WORD.findall(str(name))]
    return any(
        word in _SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in words
    ) or not _SECRET_PAIRS.isdisjoint(zip(words, words[1:], strict=False))


def mask_text(text: str) -> str:
    """The text, with passwords inside URLs masked.

    >>> mask_text("see postgresql://me:s3cret@host/db")
    'see postgresql://me:******@host/db'
    """
    return _URL_CREDENTIALS.sub(rf"\g<front>{MASK}", text) if "://" in text else text


def mask_leaves(value: Any) -> Any:
    """The value with every leaf replaced, a list counting as one: so Outflow does under `secrets`."""
    if isinstance(value, Mapping):
        return {key: mask_leaves(item) for key, item in value.items()}
    return MASK


def mask_secrets(value: Any) -> Any:
    """The value with secrets masked, found by the names of their keys and inside URLs."""
    if isinstance(value, Mapping):
        return {key: _mask_named(item) if is_secret_name(key) else mask_secrets(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_secrets(item) for item in value]
    return mask_text(value) if isinstance(value, str) else value


def _mask_named(value: Any) -> Any:
    """Mask what stands under a secret's name; nothing, yes and no are no secrets."""
    return value if value is None or isinstance(value, bool) or value == "" else mask_leaves(value)


def masked_paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of a masked value at which something was taken out."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from masked_paths(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from masked_paths(item, (*path, index))
    elif isinstance(value, str) and MASK in value:
        yield path
