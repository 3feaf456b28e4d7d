"""The user's editor on a line of a file: which command that is, and which files are not opened; runs no shell.

A path comes from a database, so whoever wrote there chose it: it is only ever one argument, and only
when it names a regular file by an absolute path, which begins with a slash and not with a dash.
"""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from types import FrameType
from typing import TYPE_CHECKING

from outflow_core.errors import OutflowError
from outflow_tui.text import clean

if TYPE_CHECKING:
    from outflow_core.tracebacks import Frame

Way = Callable[[str, int], list[str]]
"""The arguments by which an editor opens a file at a line."""

_WAYS: tuple[tuple[str, Way], ...] = (
    ("vi vim nvim nvi view gvim kak nano pico emacs emacsclient mg jed joe micro ne less more most",
     lambda path, line: [f"+{line}", path]),
    ("code code-insiders codium vscodium cursor windsurf", lambda path, line: ["--goto", f"{path}:{line}"]),
    ("hx helix subl sublime_text zed zeditor", lambda path, line: [f"{path}:{line}"]),
    ("kate pycharm idea", lambda path, line: ["--line", str(line), path]),
)  # fmt: skip
_WAY_OF = {name: way for names, way in _WAYS for name in names.split()}


class EditorError(OutflowError):
    """A file that cannot be opened in an editor, with the reason."""


def editor_command(frame: Frame, environment: Mapping[str, str]) -> list[str]:
    """The command that opens a frame's file at its line in $VISUAL, or else $EDITOR."""
    name = next((name for name in ("VISUAL", "EDITOR") if environment.get(name, "").strip()), None)
    if name is None:
        raise EditorError("No editor is named: set VISUAL or EDITOR.")
    try:
        words = shlex.split(environment[name])
    except ValueError as error:
        raise EditorError(f"{name} cannot be understood: {error}.") from None
    if not words or not words[0]:
        raise EditorError(f"{name} names no editor.")
    _refuse(frame)
    return [*words, *_at_line(PurePath(words[0]).name, frame.file, frame.line)]


def _refuse(frame: Frame) -> None:
    """Raise an EditorError unless the frame's file is one that can be opened here."""
    path = frame.file
    if not PurePath(path).is_absolute():
        raise EditorError(f"{clean(path)} is no absolute path: where it is cannot be known (line {frame.line}).")
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a path that is none must stay an error of ours
    except (OSError, ValueError):
        raise EditorError(f"{clean(path)} is not here (line {frame.line}).") from None
    if not stat.S_ISREG(mode):
        raise EditorError(f"{clean(path)} is no regular file.")


def _at_line(editor: str, path: str, line: int) -> list[str]:
    """The arguments by which an editor opens a file at a line; one that is not known opens it at its top.

    >>> _at_line("vim", "/a.py", 88), _at_line("code", "/a.py", 88), _at_line("hx", "/a.py", 88)
    (['+88', '/a.py'], ['--goto', '/a.py:88'], ['/a.py:88'])
    """
    way = _WAY_OF.get(editor)
    return way(path, line) if way else [path]


def run_editor(command: Sequence[str]) -> str:
    """Run an editor to its end; in words what went wrong, or ''. Never raises: the terminal must be taken back."""
    try:
        with _interrupts_are_its_own():
            status = subprocess.run(command, check=False).returncode
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return f"Cannot start {clean(command[0])}: {reason}."
    return f"{clean(command[0])} ended with status {status}." if status else ""


@contextmanager
def _interrupts_are_its_own() -> Iterator[None]:
    """Ctrl-C goes to every program in the terminal: it is the editor's, and must not end this one too."""
    numbers = (signal.SIGINT, signal.SIGQUIT)
    before = [signal.signal(number, _nothing) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _nothing(number: int, frame: FrameType | None) -> None:
    """A handler, not SIG_IGN: what is ignored would stay ignored in the editor."""
