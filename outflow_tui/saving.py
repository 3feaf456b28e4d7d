"""Writes a new file into the current directory: never over another one, and for the user's eyes only."""

from __future__ import annotations

import os
from pathlib import Path

from outflow_core.errors import OutflowError
from outflow_tui.text import clean

TRIES = 1000
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class SaveError(OutflowError):
    """A file that cannot be written, with the reason."""


def save_new(name: str, ending: str, words: str, folder: Path | None = None) -> Path:
    """Write a file of this name, or of the name with a number where that is taken; which one it became."""
    where = folder or Path()
    for number in range(1, TRIES):
        path = where / f"{name}{f'-{number}' if number > 1 else ''}.{ending}"
        try:
            descriptor = os.open(path, _FLAGS, 0o600)
        except FileExistsError:
            continue
        except OSError as error:
            raise _cannot(path, error) from None
        _write(path, descriptor, words)
        return path
    raise SaveError(f"There are {TRIES} files called {name} here already.")


def _write(path: Path, descriptor: int, words: str) -> None:
    """Fill a file that was just made; one that cannot be filled is not left behind."""
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(words)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _cannot(path, error) from None


def _cannot(path: Path, error: OSError) -> SaveError:
    where = "the current directory" if path.parent == Path() else clean(str(path.parent))
    return SaveError(f"Cannot write {path.name} into {where}: {error.strerror}.")
