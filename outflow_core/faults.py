"""An exception that nobody foresaw in words: what was raised and where, never what stood in a variable or a message."""

from __future__ import annotations

from pathlib import Path

PLACES = 3
PLEASE = "This is a fault of outflow-tui: please report it"


def fault(error: BaseException) -> str:
    """What was raised, at which line of which file, and what called that; its message may hold a secret.

    >>> fault(ValueError("password=x"))
    'ValueError'
    """
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__}{' at ' if places else ''}{', from '.join(places[: -PLACES - 1 : -1])}"


def refused(error: OSError) -> str:
    """What the system refuses, of which file, and where that was asked; mostly it is no fault of the program.

    >>> refused(PermissionError(13, "Permission denied", "/data"))
    'Permission denied: /data (PermissionError)'
    """
    what = error.strerror or "the system refuses something"
    return f"{what}{f': {error.filename}' if error.filename else ''} ({fault(error)})"
