"""All screens of the monitor, one after the other, by its keys."""

from __future__ import annotations

from collections.abc import Sequence

from tests.soak.terminals import Seat

Step = tuple[str, str]
"""Keys, and words that are written when they are answered."""
ESCAPE = "\x1b[27u"
"""As terminals of the kitty protocol send it: it is never taken for the beginning of another key."""
STEP_SECONDS = 4.0
TOUR: Sequence[Step] = (
    ("Gkk\r", "traceback"),  # a run that is over, and its first failure
    ("n\r", "report"),  # the traceback, on the whole screen
    ("q", "traceback"),
    ("q", "COMMAND"),
    ("g\r", "failures"),  # the newest run, which goes on
    ("2", "failed"),  # its causes
    ("q", "failures"),
    ("3", "sort"),  # its timeline
    ("q", "failures"),
    ("4", "spectrograph"),  # its configuration
    ("q", "failures"),
    ("q", "COMMAND"),
    ("Gk  d", "same configuration"),  # two runs
    ("q", "marked"),
    (ESCAPE, "success"),  # none is marked any more
    ("Gkk   d", "3 runs"),  # several
    ("q", "marked"),
    (ESCAPE, "success"),  # none is marked any more
    ("\x06item 4", " found"),  # everything searched
    (ESCAPE, "COMMAND"),
    ("?", "Everywhere"),
    ("q", "COMMAND"),
    ("g", ""),
)


def tour(seat: Seat, steps: Sequence[Step] = TOUR) -> int:
    """Open every screen once; how many were seen.

    On a machine with too much to do a screen may be opened and closed before it is drawn: one that is not seen in
    some time is passed over.
    """
    return sum(seat.answers(keys, words, STEP_SECONDS) for keys, words in steps)
