"""All screens of the monitor, one after the other, by its keys."""

from __future__ import annotations

from collections.abc import Sequence

from tests.soak.terminals import Terminal

Step = tuple[bytes, bytes]
"""Keys, and words that are written when they are answered."""
ESCAPE = b"\x1b[27u"
"""As terminals of the kitty protocol send it: it is never taken for the beginning of another key."""
STEP_SECONDS = 4.0
TOUR: Sequence[Step] = (
    (b"Gkk\r", b"traceback"),  # a run that is over, and its first failure
    (b"n\r", b"report"),  # the traceback, on the whole screen
    (b"q", b"traceback"),
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
    (b"\x06item 4", b" found"),  # everything searched
    (ESCAPE, b"COMMAND"),
    (b"?", b"Everywhere"),
    (b"q", b"COMMAND"),
    (b"g", b""),
)


def tour(seat: Terminal, steps: Sequence[Step] = TOUR) -> int:
    """Open every screen once; how many were seen.

    On a machine with too much to do a screen may be opened and closed before it is drawn: one that is not seen in
    some time is passed over.
    """
    return sum(seat.answers(keys, words, STEP_SECONDS) for keys, words in steps)
