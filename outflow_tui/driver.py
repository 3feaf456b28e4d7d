"""Textual's driver, but for what it writes: only cells that differ, and no more of them than the line takes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from contextlib import suppress
from types import FrameType
from typing import Any

from textual import events
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from outflow_tui.outlet import Outlet

ENDINGS = (
    *(signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGXCPU),
)
"""The signals by which a program is asked to end, by people, shells and batch systems."""


class CellDriver(LinuxDriver):
    """Writes by an `Outlet`; the terminal's answers tell it how far the terminal has come."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._outlet: Outlet | None = None

    def start_application_mode(self) -> None:
        """Take the terminal; it is given back when the program is asked to end, from now on."""
        self._be_asked_to_end()
        self._outlet = Outlet(_write)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._outlet.ask()

    def _be_asked_to_end(self) -> None:
        """Have the app end by itself when a signal asks for it; an editor that has the terminal may keep some off."""
        loop = asyncio.get_running_loop()

        def end(number: int, frame: FrameType | None) -> None:
            if not loop.is_closed():  # else it is ending
                loop.call_soon_threadsafe(self._app.exit)

        for number in ENDINGS:
            signal.signal(number, end)

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own word goes before COLUMNS and LINES, which stay as they were when it is resized."""
        with suppress(OSError):
            columns, lines = os.get_terminal_size(self.fileno)
            if columns and lines:
                return columns, lines
        return super()._get_terminal_size()

    def write(self, data: str) -> None:
        """Write a frame, or what steers the terminal."""
        if self._outlet is not None:
            self._outlet.put(data, self._app.size)

    def process_message(self, message: Message) -> None:
        """What the terminal says: an answer, or what the user does."""
        if self._outlet is not None:
            if isinstance(message, events.CursorPosition) and self._outlet.answered():
                return
            if isinstance(message, events.InputEvent | events.Paste | events.Resize):
                self._outlet.be_lively()
        super().process_message(message)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        if self._outlet is not None:
            self._outlet.leave(_throw_away)
        super().stop_application_mode()

    def close(self) -> None:
        """Write what is left, and end."""
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None
        super().close()


def instead_of(usual: type[Driver]) -> type[Driver]:
    """The driver to use where Textual would use this one."""
    return CellDriver if usual is LinuxDriver else usual


def _write(words: str) -> None:
    terminal = sys.__stderr__
    if terminal is not None:
        terminal.write(words)
        terminal.flush()


def _throw_away() -> None:
    """Let the terminal not read what it has not read yet."""
    terminal = sys.__stderr__
    if terminal is not None:
        with suppress(OSError, ValueError, termios.error):
            termios.tcflush(terminal.fileno(), termios.TCOFLUSH)
