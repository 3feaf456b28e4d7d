"""The filter over the runs: words that a person types become a test; pure.

Words must all fit; `-` before a word turns it round. A plain word is looked for in the command,
the host, the id, the uuid and the state; `state:`, `command:`, `host:`, `config:`, `source:` and
`since:` (2d, 3h, 10m) ask for one thing, `tasks>100`, `failed>0` and `took>10m` for much or little.
A run that claims to go on, but is gone or silent, is found by both words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from outflow_core.states import State
from outflow_tui import status
from outflow_tui.snapshot import RunLine

Test = Callable[[RunLine, str], bool]
"""Whether a run of the source of this name fits."""

_SINCE = re.compile(r"since:(\d{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_COMPARED = re.compile(r"(tasks|failed|took)([<>])(.*)")
_NUMBER = re.compile(r"\d{1,9}")
_LENGTH = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def run_filter(typed: str, now: datetime) -> Test:
    """A test for what was typed; a word that cannot be understood is looked for as it is."""
    tests = [_test(word.lower(), now) for word in typed.split()]
    if len(tests) == 1:
        return tests[0]
    return lambda line, source: all(test(line, source) for test in tests)


def _test(word: str, now: datetime) -> Test:
    if word.startswith("-"):
        refused = _test(word[1:], now)
        return lambda line, source: len(word) == 1 or _is_begun(word) or not refused(line, source)
    compared = _COMPARED.fullmatch(word)
    if compared:
        return _comparison(compared[1], compared[2] == ">", compared[3], now)
    name, colon, value = word.partition(":")
    if not colon or name not in _FIELDS:
        return _since(value, now) if name == "since" and colon else _word(word, now)
    field = _FIELDS[name]
    return lambda line, source: value in field(line, source, now).lower()


def _is_begun(word: str) -> bool:
    """Whether no value was typed yet behind a field that is to be refused: that refuses nothing."""
    return word.endswith((":", "<", ">")) or bool(unclear_words(word))


def _word(word: str, now: datetime) -> Test:
    """A test for a plain word; many runs are of the same command, host and state, and asked about once."""
    known: dict[tuple[str | None, str | None, State, str], bool] = {}
    number = int(word) if _NUMBER.fullmatch(word) else None

    def test(line: RunLine, _source: str) -> bool:
        row = line.row
        about = row.command, row.hostname, row.state, status.kind(line, now) if row.state is State.RUNNING else ""
        found = known.get(about)
        if found is None:
            names = (row.command, row.hostname, *_states(line, now))
            found = known[about] = any(word in (name or "").lower() for name in names)
        return found or row.id == number or row.uuid.startswith(word)

    return test


def unclear_words(typed: str) -> list[str]:
    """The words that ask for a time, a number or a state that does not exist."""
    return [word for word in typed.lower().split() if _is_unclear(word.removeprefix("-"))]


def _is_unclear(word: str) -> bool:
    compared = _COMPARED.fullmatch(word)
    if compared:
        return _amount(compared[1], compared[3]) is None
    if word.startswith("since:"):
        return not _SINCE.fullmatch(word)
    return word.startswith("state:") and not any(word[6:] in kind for kind in status.KINDS)


def _since(value: str, now: datetime) -> Test:
    found = _SINCE.fullmatch(f"since:{value}")
    if not found:  # still being typed
        return lambda _line, _source: True
    start = now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    return lambda line, _source: line.row.start_time is not None and line.row.start_time >= start


def _amount(name: str, value: str) -> int | None:
    """How many tasks, or how many seconds; None when it cannot be understood."""
    if name != "took":
        return int(value) if _NUMBER.fullmatch(value) else None
    found = _LENGTH.fullmatch(value)
    return int(found[1]) * _SECONDS[found[2]] if found else None


def _comparison(name: str, is_more: bool, value: str, now: datetime) -> Test:
    limit = _amount(name, value)

    def test(line: RunLine, _source: str) -> bool:
        found = {"tasks": line.tasks.total, "failed": line.tasks.failed, "took": status.took(line, now)}[name]
        if limit is None:  # still being typed
            return True
        return found is not None and (found > limit if is_more else found < limit)

    return test


def _states(line: RunLine, now: datetime) -> list[str]:
    return list(dict.fromkeys([line.row.state.value, status.kind(line, now)]))


_FIELDS: dict[str, Callable[[RunLine, str, datetime], str]] = {
    "state": lambda line, _source, now: " ".join(_states(line, now)),
    "command": lambda line, _source, _now: line.row.command or "",
    "host": lambda line, _source, _now: line.row.hostname or "",
    "config": lambda line, _source, _now: line.config_hash,
    "source": lambda _line, source, _now: source,
}
