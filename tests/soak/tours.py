"""All screens of the monitor, one after the other, by its keys."""

from __future__ import annotations

from collections.abc import Sequence

from tests.soak.terminals import Terminal

Step = tuple[bytes, bytes]
"""Keys, and words that are written when they are answered."""
ESCAPE = b"\x1b[27u"
"""As terminals of the kitty protocol send it: it is never taken for the beginning of another key."""
SEARCH, SEARCH_SECONDS = b"\x06", 5.0
"""A search of much goes on for longer; it is left then."""
TOUR: Sequence[Step] = (
    (b"Gkk\r", b"whole"),  # a run that is over, and its first failure
    (b"n\r", b"report"),  # the traceback, on the whole screen
    (b"q", b"whole"),
    (b"q", b"COMMAND"),
    (b"g\r", b"failures"),  # the newest run, which goes on
    (b"2", b"failed"),  # its causes
    (b"q", b"failures"),
    (b"3", b"sort"),  # its timeline
    (b"q", b"failures"),
    (b"4", b"spectrograph"),  # its configuration
    (b"q", b"failures"),
    (b"q", b"COMMAND"),
    (b"Gk  d", b"same configuration"),  # two runs
    (b"q", b"marked"),
    (ESCAPE, b"success"),  # none is marked any more
    (b"Gkk   d", b"3 runs"),  # several
    (b"q", b"marked"),
    (ESCAPE, b"success"),  # none is marked any more
    (b"\x06item 4", b""),  # everything searched
    (ESCAPE, b"COMMAND"),
    (b"?", b"Everywhere"),
    (b"q", b"COMMAND"),
    (b"g", b""),
)


def tour(seat: Terminal, steps: Sequence[Step] = TOUR) -> int:
    """Open every screen once; how many."""
    for keys, words in steps:
        seat.press(keys, words)
        if keys.startswith(SEARCH):
            seat.waits_for(b" found", SEARCH_SECONDS)
    return len(steps)
