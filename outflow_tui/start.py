"""The start: no garbage is looked for, since hardly any is made while everything that is loaded stays.

The collector would go through all modules again and again: a tenth of the time until the first rows.
"""

from __future__ import annotations

import gc


def begin() -> None:
    """Leave garbage alone until `over`."""
    gc.disable()


def is_on() -> bool:
    """Whether the start still goes on."""
    return not gc.isenabled()


def over() -> None:
    """Collect from now on, but never look through what the start has loaded; again it changes nothing."""
    if not is_on():
        return
    if not gc.get_freeze_count():
        gc.freeze()
    gc.enable()
