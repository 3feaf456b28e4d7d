"""The inputs and targets of a block as people read them: out of their quotes, a line for each; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from outflow_core.json_text import parsed
from outflow_tui import format as words


def plain_inputs(values: Any) -> Any:
    """Input values are kept as JSON texts inside JSON: take them out of their quotes. Of a map: how many."""
    if isinstance(values, list):
        return {"a map over": Plain(f"{len(values)} items")} if values else {}
    if not isinstance(values, dict):
        return values
    return {key: _unquoted(value) for key, value in values.items()}


def plain_targets(targets: Any) -> Any:
    """Targets by their types; that one has no default is not worth a word."""
    if not isinstance(targets, dict):
        return targets
    return {name: _plain_target(target) for name, target in targets.items()}


def _plain_target(target: Any) -> Any:
    if not isinstance(target, dict) or not set(target) <= {"type", "default"}:
        return target
    default = target.get("default")
    return Plain(
        f"{target.get('type', '?')}{'' if default is None or 'NoDefault' in str(default) else f' = {default}'}"
    )


class Plain(str):
    """Words of ours about a value, shown without quotes."""

    __slots__ = ()


def _unquoted(value: Any) -> Any:
    return parsed(value) if isinstance(value, str) else value


def value_lines(value: Any) -> Iterable[str]:
    """A value as `key: value` lines; what is nested stays on its line."""
    if isinstance(value, dict):
        return [f"{key}: {item if isinstance(item, Plain) else words.as_text(item)}" for key, item in value.items()]
    return [words.as_text(value)]


def inputs_line(values: Any) -> str:
    """Inputs on one line; '' when there are none.

    >>> inputs_line({"file": '"n1.fits"', "order": "3"}), inputs_line({})
    ('file=n1.fits, order=3', '')
    """
    plain = plain_inputs(values)
    if not isinstance(plain, dict):
        return words.as_text(plain) if plain else ""
    return ", ".join(f"{key}={item if isinstance(item, str) else words.as_text(item)}" for key, item in plain.items())
