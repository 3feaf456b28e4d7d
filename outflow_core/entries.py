"""What a recorder writes, as values that can wait for their database: runs and blocks go by their uuids; pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeAlias

from outflow_core.errors import RefusedError
from outflow_core.states import BlockType, State

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A run, and the configuration that it uses."""

    run: str
    config: Columns
    settings: Columns
    hash: str
    columns: Columns


@dataclass(frozen=True, slots=True)
class BlocksAdded:
    """Blocks of one run under the same parent, each downstream of the same others."""

    run: str
    blocks: tuple[Columns, ...]
    parent: str | None = None
    upstream: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockChanged:
    """New values of one block's columns, what it comes after, and the exception that ended it.

    With `if_open` only a block that is not over is changed.
    """

    block: str
    columns: Columns
    upstream: tuple[str, ...] = ()
    exception: Columns | None = None
    if_open: bool = False


@dataclass(frozen=True, slots=True)
class RunChanged:
    """New values of a run's columns."""

    run: str
    columns: Columns


Entry: TypeAlias = "RunBegun | BlocksAdded | BlockChanged | RunChanged"

_KINDS: dict[str, Callable[..., Entry]] = {
    kind.__name__: kind for kind in (RunBegun, BlocksAdded, BlockChanged, RunChanged)
}
_READ: dict[str, Callable[[str], Any]] = {
    "state": State,
    "type": BlockType,
    "start_time": datetime.fromisoformat,
    "end_time": datetime.fromisoformat,
    "time": datetime.fromisoformat,
}


def as_line(entry: Entry) -> bytes:
    """The entry as one line of ASCII, its line feed included."""
    values = {part.name: getattr(entry, part.name) for part in fields(entry)}
    return json.dumps([type(entry).__name__, values], default=_as_text).encode() + b"\n"


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def from_line(line: bytes) -> Entry:
    """The entry that a line holds; RefusedError when it is none: no database will ever take it."""
    try:
        kind, values = json.loads(line)
        return _KINDS[kind](**{name: _restored(name, value) for name, value in values.items()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedError(f"not an entry that this version knows: {line[:60]!r} ({error}).") from None


def _restored(name: str, value: Any) -> Any:
    if name in ("columns", "exception") and value is not None:
        return _columns(value)
    if name == "blocks":
        return tuple(map(_columns, value))
    return tuple(value) if name == "upstream" else value


def _columns(values: Columns) -> Columns:
    return {
        name: _READ[name](value) if name in _READ and value is not None else value for name, value in values.items()
    }
