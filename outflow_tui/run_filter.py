"""The filter over the runs: words that a person types become a test; pure.

Words must all fit. A plain word is looked for in the command, the host, the id and the uuid;
`state:`, `command:`, `host:`, `config:` and `since:` (2d, 3h, 10m) ask for one thing. A run that
claims to go on, but has no process any more, is found by both words: running and gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from outflow_core.states import State
from outflow_tui.snapshot import RunLine

Test = Callable[[RunLine], bool]
GONE = "gone"
_SINCE = re.compile(r"since:(\d{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def run_filter(typed: str, now: datetime) -> Test:
    """A test for what was typed; a word that cannot be understood is looked for as it is."""
    tests = [_test(word.lower(), now) for word in typed.split()]
    return lambda line: all(test(line) for test in tests)


def _test(word: str, now: datetime) -> Test:
    name, colon, value = word.partition(":")
    if not colon or (name != "since" and name not in _FIELDS):
        return lambda line: _has_word(line, word)
    if name == "since":
        return _since(value, now)
    field = _FIELDS[name]
    return lambda line: value in field(line).lower()


def _has_word(line: RunLine, word: str) -> bool:
    row = line.row
    if str(row.id) == word or row.uuid.startswith(word):
        return True
    return any(word in (name or "").lower() for name in (row.command, row.hostname, *_states(line)))


def unclear_words(typed: str) -> list[str]:
    """The words that ask for a time or a state that does not exist."""
    states = [*(state.value for state in State), GONE]
    return [
        word
        for word in typed.lower().split()
        if (word.startswith("since:") and not _SINCE.fullmatch(word))
        or (word.startswith("state:") and not any(word[6:] in state for state in states))
    ]


def _since(value: str, now: datetime) -> Test:
    found = _SINCE.fullmatch(f"since:{value}")
    if not found:  # still being typed
        return lambda line: True
    start = now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    return lambda line: line.row.start_time is not None and line.row.start_time >= start


def _states(line: RunLine) -> list[str]:
    return [line.row.state.value, *([GONE] if line.lost is not None else [])]


_FIELDS: dict[str, Callable[[RunLine], str]] = {
    "state": lambda line: " ".join(_states(line)),
    "command": lambda line: line.row.command or "",
    "host": lambda line: line.row.hostname or "",
    "config": lambda line: line.config_hash,
}


def has_failure(line: RunLine) -> bool:
    """Whether the run failed, or holds failed tasks though it succeeded."""
    return line.row.state.value == "failed" or line.tasks.failed > 0
