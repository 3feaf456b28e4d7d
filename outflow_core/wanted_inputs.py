"""Which inputs a person or a pipeline asks for, and whether those of a block hold them; pure.

The books keep each input value as a JSON text of its own; what JSON does not know Outflow keeps as
`str()` gives it. Values are told apart with their types, as between configurations: 1 is not "1".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from outflow_core.config_diff import changes
from outflow_core.json_text import parsed
from outflow_core.masking import MASK, mask_secrets
from outflow_core.stored import storable

NEEDLE_LENGTH = 100
_SAME_IN_ANY_JSON = re.compile(r"[A-Za-z0-9 /.:=+~,;@#()-]+")
"""No character that is ever escaped, nor `%` and `_`, which LIKE understands otherwise."""


class Wanted(Protocol):
    """What is asked for: texts by which a database can leave out most blocks, and the exact answer."""

    @property
    def needles(self) -> tuple[tuple[str, ...], ...]:
        """Of each of these at least one stands in the text of inputs that fit; of an empty one nothing is known."""

    def fits(self, inputs: Mapping[str, Any]) -> bool:
        """Whether decoded inputs, secrets masked, are among what is asked for."""


def decoded(inputs: Any) -> dict[str, Any] | None:
    """The inputs of one block or item as values, secrets masked; None for what holds no inputs.

    >>> decoded({"file": '"n1.fits"', "number": "1", "path": "/data/n1.fits"})
    {'file': 'n1.fits', 'number': 1, 'path': '/data/n1.fits'}
    """
    if not isinstance(inputs, Mapping) or not inputs:
        return None
    values = {str(key): parsed(value) if isinstance(value, str) else value for key, value in inputs.items()}
    masked: dict[str, Any] = mask_secrets(values)
    return masked


@dataclass(frozen=True, slots=True)
class Holder:
    """A block whose inputs fit: one with inputs of its own, or a map of `size` items, with those of them that do."""

    block_id: int
    run_id: int
    fitting: tuple[tuple[int, Mapping[str, Any]], ...]
    size: int | None


def holder_of(block_id: int, run_id: int, inputs: Any, wanted: Wanted) -> Holder | None:
    """The block with what fits of its inputs, a mapping or the list of a map; None when nothing does."""
    items = inputs if isinstance(inputs, list) else [inputs]
    needles = wanted.needles
    likely = ((k, decoded(item)) for k, item in enumerate(items) if _may_fit(item, needles))
    fitting = tuple((k, values) for k, values in likely if values is not None and wanted.fits(values))
    size = len(items) if isinstance(inputs, list) else None
    return Holder(block_id, run_id, fitting, size) if fitting else None


def _may_fit(item: Any, needles: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a look at the texts of an item leaves a chance: decoding thousands takes long."""
    if not isinstance(item, Mapping) or not all(isinstance(value, str) for value in item.values()):
        return True
    return all(not some or any(needle in value for value in item.values() for needle in some) for some in needles)


@dataclass(frozen=True, slots=True)
class WantedItem:
    """All of these keys with these values: a pipeline's own inputs. Each value in every form that is kept of it."""

    forms: Mapping[str, tuple[Any, ...]]

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> WantedItem:
        """The inputs as the recorder takes them; ValueError without any."""
        if not inputs:
            raise ValueError("processed() was asked for no inputs at all; name at least one, {'file': ...}.")
        ours = mask_secrets(storable(inputs))
        theirs = mask_secrets({str(key): _as_outflow_keeps(value) for key, value in inputs.items()})
        return cls({key: (ours[key], theirs[key]) for key in ours})

    @property
    def needles(self) -> tuple[tuple[str, ...], ...]:
        """A needle for each value."""
        return tuple(_needles(forms) for forms in self.forms.values())

    def fits(self, inputs: Mapping[str, Any]) -> bool:
        """Whether every key is there with its value; other inputs beside them do not matter."""
        return all(
            key in inputs and any(next(changes(form, inputs[key]), None) is None for form in forms)
            for key, forms in self.forms.items()
        )


def _as_outflow_keeps(value: Any) -> Any:
    try:
        return parsed(json.dumps(value))
    except (TypeError, ValueError):
        return parsed(str(value))


@dataclass(frozen=True, slots=True)
class WantedValue:
    """A value as a person types it, under one key or any, in whatever depth."""

    key: str | None
    value: str
    typed: str

    @classmethod
    def of(cls, typed: str) -> WantedValue:
        """VALUE or KEY=VALUE.

        >>> [(w.key, w.value) for w in map(WantedValue.of, ("n1.fits", "file=n1.fits", "=x"))]
        [(None, 'n1.fits'), ('file', 'n1.fits'), (None, '=x')]
        """
        key, sign, value = typed.partition("=")
        return cls(key, value, typed) if key and sign and value else cls(None, typed, typed)

    @property
    def needles(self) -> tuple[tuple[str, ...], ...]:
        """One needle: that of the value, which stands in KEY=VALUE too."""
        return (_needles((mask_secrets(self.value),)),)

    def fits(self, inputs: Mapping[str, Any]) -> bool:
        """Whether a value under the key is the one typed; what was typed with a `=` may be a value as a whole."""
        return any(
            ((self.key is None or self.key in keys) and _is_typed(leaf, self.value)) or _is_typed(leaf, self.typed)
            for keys, leaf in _leaves(inputs, ())
        )


def _is_typed(leaf: Any, typed: str) -> bool:
    """Whether somebody who types this means this value: its text, its JSON, or the end of its path."""
    if not isinstance(leaf, str):
        return bool(json.dumps(leaf) == typed)
    if leaf == MASK:
        return False
    return bool(leaf == mask_secrets(typed)) or leaf.rpartition("/")[2] == typed


def _leaves(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is neither mapping nor list, with the keys on the way to it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*keys, str(key)))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item, keys)
    else:
        yield keys, value


def _needles(forms: tuple[Any, ...]) -> tuple[str, ...]:
    """A text for each form; none at all when there is a form without one."""
    found = tuple(dict.fromkeys(_needle(form) for form in forms))
    return found if all(found) else ()


def _needle(form: Any) -> str:
    """The longest text that JSON writes in one way only, whoever writes it; it may be empty.

    >>> _needle("/data/n\\u00e9w/n1.fits"), _needle({"a": [True, "x"]}), _needle(1e300), _needle("******")
    ('w/n1.fits', 'true', '', '')
    """
    runs = (run for _, leaf in _leaves(form, ()) for run in _SAME_IN_ANY_JSON.findall(_written(leaf)))
    return max(runs, key=len, default="")[:NEEDLE_LENGTH]


def _written(leaf: Any) -> str:
    if isinstance(leaf, float):
        return repr(leaf) if re.fullmatch(r"-?[0-9]+\.[0-9]+", repr(leaf)) else ""
    return leaf if isinstance(leaf, str) else json.dumps(leaf)
