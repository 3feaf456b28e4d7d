"""What is told outside of the screen: the terminal's title, and the end of a run that somebody waits for; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from outflow_tui import text
from outflow_tui.snapshot import RunKey, RunLine, Snapshot

KEEP_TITLE = "\x1b[22;2t"
"""Has the terminal remember its title, where it can."""
GIVE_TITLE_BACK = "\x1b[23;2t"
LONGEST = 200
_WITHOUT_TITLE = ("linux", "dumb", "vt100", "ansi", "")


def has_title(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is one that has a title."""
    return environment.get("TERM", "") not in _WITHOUT_TITLE


def title(words: str) -> str:
    """What sets the terminal's title (OSC 2)."""
    return f"\x1b]2;{_plain(words)}\x07"


def notice(words: str, environment: Mapping[str, str]) -> str:
    """A bell, and what has the terminal show a notice of the desktop: OSC 777 where VTE or rxvt, else OSC 9.

    >>> notice("run 4 failed", {})
    '\\x07\\x1b]9;run 4 failed\\x07'
    """
    knows_777 = "VTE_VERSION" in environment or environment.get("TERM", "").startswith("rxvt")
    return f"\x07\x1b]777;notify;outflow;{_plain(words)}\x07" if knows_777 else f"\x07\x1b]9;{_plain(words)}\x07"


def _plain(words: str) -> str:
    """Foreign words without what ends such a sequence, or begins another field of it."""
    return text.clean(words).replace(";", ",")[:LONGEST]


def ended(waited_for: Collection[RunKey], seen: Sequence[Snapshot]) -> dict[RunKey, RunLine]:
    """Those of these runs that are over."""
    lines = {key: seen[key[0]].line(key[1]) for key in waited_for}
    return {key: line for key, line in lines.items() if line is not None and line.row.state.is_final}


def ending(line: RunLine) -> str:
    """How a run ended, in words.

    A run of Outflow's may be a success with failed tasks.
    """
    failed = line.tasks.failed
    tasks = f", {failed} failed task{'s' if failed > 1 else ''}" if failed else ""
    return f"run {line.row.id} {line.row.command or ''} {line.row.state.value}{tasks}"
