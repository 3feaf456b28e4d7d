"""The thread that writes to the terminal: one frame waits at most, and it is always the last one.

A line that is slower than the keys, or than the changes in the books, is given what is to be seen
now, not everything that was to be seen meanwhile.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable

from outflow_tui.terminal_cells import TerminalCells

ASK = "\x1b[6n"
"""Where is the cursor? Every terminal since the VT100 answers that, when it has come so far (ECMA-48: DSR 6, CPR)."""
SYNC = ("\x1b[?2026h", "\x1b[?2026l")
"""Around a frame that the terminal is to show at once."""
LARGE = 200
"""From how many characters on a frame has these around it."""
ASKED_AFTER = 500
"""After so many characters without a question the terminal is asked how far it has come."""
WINDOW = 2_000
"""So many characters may be on their way to a terminal that answers, and the next frame is sent."""
PATIENCE = 60.0
"""After so many seconds a terminal is taken for one that does not answer any more."""
LEAVE_SECONDS = 1.0
"""How long an answer is waited for at the end: one that comes later is taken for typed by the shell."""
TICK_SECONDS = 0.25
"""In so many seconds no more than one whole screen is sent, unless the user does something."""
LIVELY_SECONDS = 1.0
"""How long the user is taken to do something after a key, and at the start."""
PIECE = 1024
"""How much is written at once: in between the rest can be thrown away."""
MOVES = re.compile(r"\x1b\[(?:\d+;\d+H|\?1049)")
"""Is in whatever draws, and in what takes or gives back the screen."""
MOST_WAITING = 30
"""How many sequences that are no frames may wait."""


class Pace:
    """When the next frame may be sent."""

    def __init__(self, now: float) -> None:
        self.answers = False
        """Whether the terminal tells how far it has come."""
        self._asked: deque[tuple[int, float]] = deque()
        self._unasked = 0
        self._longest = 0
        self._began, self._spent = now, 0
        self._lively_until = now + LIVELY_SECONDS

    def may_answer(self, now: float) -> bool:
        """Whether an answer is still to come, of a terminal that answers or was asked a moment ago."""
        return bool(self._asked) and (self.answers or now - self._asked[-1][1] < LEAVE_SECONDS)

    def ask(self, now: float) -> None:
        """The terminal is asked how far it has come, behind what was sent since it was asked last."""
        self._asked.append((self._unasked, now))
        self._unasked = 0

    def be_lively(self, now: float) -> None:
        """The user did something: what answers it is sent at once."""
        self._lively_until = now + LIVELY_SECONDS

    def answered(self) -> bool:
        """The terminal answered; whether that was to a question of ours."""
        if not self._asked:
            return False
        self._asked.popleft()
        self.answers = True
        return True

    def wait(self, length: int, now: float) -> float:
        """Seconds until a frame of this length may be sent; 0 for now."""
        if self._asked and now - self._asked[0][1] > PATIENCE:
            self._asked.clear()
            self.answers = False
        if sum(size for size, _ in self._asked) >= WINDOW:
            return PATIENCE
        left = self._began + TICK_SECONDS - now
        is_too_much = self._spent and self._spent + length > self._longest
        return left if left > 0 and now > self._lively_until and is_too_much else 0

    def sent(self, length: int, now: float) -> bool:
        """A frame is sent; whether the terminal is to be asked behind it."""
        if now - self._began >= TICK_SECONDS:
            self._began, self._spent = now, 0
        self._spent += length
        self._longest = max(self._longest, length)
        self._unasked += length
        if not self.answers or self._unasked < ASKED_AFTER:
            return False
        self.ask(now)
        return True


class Outlet:
    """What is written goes to `write` in a thread of its own, which may take its time."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._cells = TerminalCells()
        self._pace = Pace(time.monotonic())
        self._plain: deque[str] = deque()
        self._has_sync = self._is_leaving = self._is_over = self._is_writing = False
        self._thread = threading.Thread(target=self._run, name="outlet", daemon=True)
        self._thread.start()

    def put(self, words: str, size: tuple[int, int]) -> None:
        """Write a frame for a terminal of so many columns and lines, or what is none, in its turn."""
        with self._changed:
            if words in SYNC:
                self._has_sync = True
            elif not self._cells.take(words, size):
                self._put_plain(words)
            self._changed.notify_all()
        time.sleep(0)  # the thread that writes goes first: else it waits for what the caller still has to do

    def _put_plain(self, words: str) -> None:
        """Keep what is no frame, behind the frame before it if it may change what is seen."""
        if MOVES.search(words):
            if self._cells.is_behind and not self._is_leaving:
                self._plain.append(self._cells.difference())
            self._cells.forget()
        self._plain.append(words)
        while len(self._plain) > MOST_WAITING and not self._is_leaving and self._thread.is_alive():
            self._changed.wait()

    def be_lively(self) -> None:
        """The user did something."""
        with self._changed:
            self._pace.be_lively(time.monotonic())
            self._changed.notify_all()

    def ask(self) -> None:
        """Ask the terminal for the first time how far it has come: who answers is asked again behind frames."""
        with self._changed:
            self._pace.ask(time.monotonic())
            self._put_plain(ASK)
            self._changed.notify_all()

    def answered(self) -> bool:
        """The terminal answered; whether that was to a question of ours."""
        with self._changed:
            self._changed.notify_all()
            return self._pace.answered()

    def leave(self, throw_away: Callable[[], object]) -> None:
        """No frame is sent any more: on a slow line the terminal is given back without what nobody will see."""
        with self._changed:
            self._is_leaving = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: not (self._is_writing or self._plain), 0.2):
                throw_away()
            self._changed.wait_for(lambda: not self._pace.may_answer(time.monotonic()), LEAVE_SECONDS)

    def close(self) -> None:
        """Write what is no frame, and end."""
        with self._changed:
            self._is_leaving = self._is_over = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                plain, frame = self._next()
                if not plain and not frame:
                    return
                self._is_writing = True
            self._write(plain) if plain else None
            for begin in range(0, len(frame), PIECE):
                if not self._is_leaving:
                    self._write(frame[begin : begin + PIECE])

    def _next(self) -> tuple[str, str]:
        """What is to be written next, when it may be; nothing at the end."""
        while True:
            now = time.monotonic()
            frame = self._cells.difference() if self._cells.is_behind and not self._is_leaving else ""
            wait = self._pace.wait(len(frame), now) if frame else None
            if self._plain or wait == 0:
                plain = "".join(self._plain)
                self._plain.clear()
                return plain, self._sent(frame, now) if wait == 0 else ""
            if self._is_over:
                return "", ""
            if not frame and self._cells.is_behind:
                self._cells.show()
            self._changed.wait(wait)

    def _sent(self, frame: str, now: float) -> str:
        self._cells.show()
        asked = ASK if self._pace.sent(len(frame), now) else ""
        begin, end = SYNC if self._has_sync and len(frame) >= LARGE else ("", "")
        return begin + frame + end + asked
