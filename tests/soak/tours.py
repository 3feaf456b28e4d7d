"""All screens of the monitor, one after the other, by its keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.soak.terminals import Seat

Step = tuple[str, str]
"""Keys, and words that are written when they are answered."""
BACK = "\x1b[27u"
"""Escape as terminals of the kitty protocol send it: it is never taken for the beginning of another key.

Where a screen was not opened, `q` would end the program.
"""
STEP_SECONDS = 4.0
TOUR: Sequence[Step] = (
    ("Gkk\r", "traceback"),  # a run that failed, and its first failure
    ("n\r", "report"),  # the traceback, on the whole screen
    (BACK, "traceback"),
    (BACK, "COMMAND"),
    ("g\r", "failures"),  # the newest run, which goes on
    ("2", "failed"),  # its causes
    (BACK, "failures"),
    ("3", "sort"),  # its timeline
    (BACK, "failures"),
    ("4", "spectrograph"),  # its configuration
    (BACK, "failures"),
    (BACK, "COMMAND"),
    ("Gk\r", "announce"),  # a run of three tasks, one after the other
    ("go", "upstream (u)"),
    ("u", "downstream (o)"),
    (BACK, "COMMAND"),
    ("Gkw", "same configuration"),  # what has changed since its command's last success
    (BACK, "COMMAND"),
    ("c", "spectrograph"),
    ("E", "all lines"),  # the ways to save it
    (BACK, "spectrograph"),
    (BACK, "COMMAND"),
    ("\x10", "Choose other colours"),  # the palette
    (BACK, "COMMAND"),
    ("Gk  d", "same configuration"),  # two runs
    (BACK, "marked"),
    (BACK, "success"),  # none is marked any more
    ("Gkk   d", "3 runs"),  # several
    (BACK, "marked"),
    (BACK, "success"),  # none is marked any more
    ("\x06item 4", " found"),  # everything searched
    (BACK, "COMMAND"),
    ("?", "Everywhere"),
    (BACK, "COMMAND"),
    ("g", ""),
)


FEW = 2
"""Screens of a tour that may be missed."""


def tour(seat: Seat, steps: Sequence[Step] = TOUR) -> Counter[Step]:
    """Open every screen once; those that were seen.

    On a machine with too much to do a screen may be opened and closed before it is drawn: one that is not seen in
    some time is passed over. Who tours says how many that may be.
    """
    return Counter(step for step in steps if seat.answers(*step, STEP_SECONDS))


def unseen(seen: Counter[Step]) -> list[Step]:
    """The screens that no tour saw."""
    return [step for step in TOUR if not seen[step]]
