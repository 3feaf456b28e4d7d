"""What a command prints as its answer, and what becomes of it where it cannot be written."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from outflow_core.errors import OutflowError
from outflow_core.printable import expressed


class AnswerError(OutflowError):
    """An answer that cannot be written, with the reason."""


def tell_text(words: str) -> int:
    """Print some text; what cannot be shown is written as an escape. BrokenPipeError when nobody reads it."""
    try:
        print(expressed(words, sys.stdout.encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up(sys.stdout)
        raise AnswerError(f"cannot write the answer: {error.strerror}.") from None
    return 0


def tell_anyway(words: str) -> int:
    """Print some text; when nobody reads it any more that is no trouble, and the status tells the answer."""
    try:
        return tell_text(words)
    except BrokenPipeError:
        give_up(sys.stdout)
        return 0


def give_up(stream: TextIO) -> None:
    """Let what could not be written not be tried again at the end of the program."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
