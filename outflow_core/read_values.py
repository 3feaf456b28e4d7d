"""What the database gives becomes values of rows; pure.

States are compared as text, so that a value from a newer version has a name.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NoReturn

from outflow_core.errors import SchemaError
from outflow_core.masking import mask_text
from outflow_core.states import BlockType, State

STATES = {state.value: state for state in State}
TYPES = {kind.value: kind for kind in BlockType}
LONGEST = 1_000
"""In characters; the columns for names, hosts and the like are made for 256 at most, but SQLite minds no length."""
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d+))?(?!.* BC$)")


def as_time(text: str | None) -> datetime | None:
    """A time from a database's text, in the clock of whoever wrote it; what is no time is none."""
    if isinstance(text, str) and len(text) == 26:  # nearly all are written in full
        try:
            return datetime.fromisoformat(text).replace(tzinfo=None)
        except ValueError:
            pass
    found = _TIME.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    day, clock, fraction = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '')[:6]:0<6}")
    except ValueError:
        return None


def text_of(value: Any) -> str:
    """Text as a lenient database may hold it: bytes are read as UTF-8, what is missing is empty."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value or "")


def bounded(given: Any) -> Any:
    """A text of a column for short ones; of one that is longer than any that is recorded the beginning, and its length.

    >>> bounded("nid001"), bounded(None), bounded("x" * 2_000)[995:]
    ('nid001', None, 'xxxxx ... (2,000 characters)')
    """
    if not isinstance(given, str) or len(given) <= LONGEST:
        return given
    return f"{given[:LONGEST]} ... ({len(given):,} characters)"


def masked(given: Any) -> Any:
    """A command or a name: some pipelines put the address of what they read into it, password and all."""
    return mask_text(given) if isinstance(given, str) else given


def shown_name(given: Any) -> Any:
    """A name as it is shown."""
    return bounded(masked(given))


def state_of(value: str | None, place: str) -> State:
    """The state of this value; SchemaError, with the place where it stands, when it is unknown."""
    return STATES.get(value or "") or _unknown(place, "state", value)


def unknown_state(value: str | None, block_id: int) -> NoReturn:
    """Refuse the state of a block."""
    _unknown(f"outflow_block {block_id}", "state", value)


def unknown_type(value: str | None, block_id: int) -> NoReturn:
    """Refuse the type of a block."""
    _unknown(f"outflow_block {block_id}", "type", value)


def _unknown(place: str, what: str, value: str | None) -> NoReturn:
    said = f"no {what} (NULL)" if value is None else f"unknown {what} {bounded(repr(value))}"
    raise SchemaError(f"{place}: {said}; a newer version's (look for a newer outflow-tui), or the row is damaged.")
