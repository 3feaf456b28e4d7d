"""What is written to the terminal: the cells that differ, one frame at most, and always the last one."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from benchmarks.glass import Glass
from outflow_tui.outlet import ASK, LEAVE_SECONDS, PATIENCE, SYNC, TICK_SECONDS, WINDOW, Outlet, Pace
from outflow_tui.terminal_cells import TerminalCells

COLUMNS, ROWS = SIZE = 40, 8
LOOKS = ("38;5;253;48;5;16", "1;38;5;253;48;5;17", "38;2;1;2;3;48;2;4;5;6", "7;31", "4;58;5;9;97;100", "")
WORDS = ("reduce", "✓ done", "日本", "ä́", "    ", "0123456789", "└─")


def drawn(rng: random.Random, lines: range, begin: int) -> str:
    """Lines from a column on as Textual writes them: a move, then pieces with their looks."""
    words = []
    for line in lines:
        words.append(f"\x1b[{line + 1};{begin + 1}H")
        room = COLUMNS - begin
        while room:
            piece = rng.choice(WORDS)
            piece = piece if cell_len(piece) <= room else " " * room
            look = rng.choice(LOOKS)
            words.append(f"\x1b[{look}m{piece}\x1b[0m" if look else piece)
            room -= cell_len(piece)
        words.append("\n" if line != lines[-1] else "\x1b[1;2H")
    return "".join(words)


@pytest.mark.parametrize("seed", range(40))
def test_the_differences_show_what_the_frames_would(seed: int) -> None:
    rng = random.Random(seed)
    cells, theirs, ours = TerminalCells(), Glass(COLUMNS, ROWS), Glass(COLUMNS, ROWS)
    frames = [drawn(rng, range(ROWS), 0)]
    for _ in range(30):
        first = rng.randrange(ROWS)
        is_whole = rng.random() < 0.1
        lines = range(ROWS) if is_whole else range(first, rng.randrange(first, ROWS) + 1)
        frames.append(drawn(rng, lines, 0 if is_whole else rng.randrange(COLUMNS)))
    for number, frame in enumerate(frames):
        assert cells.take(frame, SIZE)
        theirs.feed(frame.encode())
        if rng.random() < 0.6 or number == len(frames) - 1:  # some are overtaken by the next one
            ours.feed(cells.difference().encode())
            cells.show()
            assert ours.cells == theirs.cells


def whole(mark: str, rows: int = ROWS) -> str:
    return "".join(f"\x1b[{line};1H\x1b[1m{mark * COLUMNS}\x1b[0m\n" for line in range(1, rows + 1)) + "\x1b[1;1H"


def test_only_the_cells_that_differ_are_sent() -> None:
    cells = TerminalCells()
    assert cells.take(whole("a"), SIZE)
    cells.show()
    assert cells.take("\x1b[3;1H\x1b[1maaaaabaaaa\x1b[0m\x1b[1;1H", SIZE)
    assert cells.difference() == "\x1b[3;6H\x1b[1mb\x1b[0m\x1b[1;1H"
    cells.show()
    assert cells.take("\x1b[3;1H\x1b[1maaaaabaaaa\x1b[0m\x1b[1;1H", SIZE)
    assert cells.difference() == ""


def test_a_whole_frame_is_sent_whole() -> None:
    cells = TerminalCells()
    assert cells.take(whole("a"), SIZE)
    cells.show()
    assert cells.take(whole("a"), SIZE)  # the terminal may have another size, and show anything
    assert cells.difference().count("a" * COLUMNS) == ROWS


@pytest.mark.parametrize("words", ["\x1b[?25l", "\x1b]2;a title\x07", "\x1b[2J", "words", "\x1b[1;1Ha\x1b]8;;b\x1b\\c"])
def test_what_is_no_frame_is_left_alone(words: str) -> None:
    assert not TerminalCells().take(words, SIZE)


def test_a_part_of_a_screen_that_is_not_known_is_no_frame_to_tell_differences_of() -> None:
    cells = TerminalCells()
    assert not cells.take("\x1b[3;1Hwords\x1b[1;1H", SIZE)


def test_a_part_that_touches_every_line_is_not_the_whole() -> None:
    cells, glass = TerminalCells(), Glass(COLUMNS, ROWS)
    left = "".join(f"\x1b[{line};1H{'b' * 10}\n" for line in range(1, ROWS + 1)) + "\x1b[1;1H"
    for frame in (whole("a"), left, "\x1b[2;31Hc\x1b[1;1H"):
        assert cells.take(frame, SIZE)
        glass.feed(cells.difference().encode())
        cells.show()
    assert glass.lines()[1] == "b" * 10 + "a" * 20 + "c" + "a" * 9


class Terminal:
    """Takes what is written when it is let."""

    def __init__(self) -> None:
        self.glass = Glass(COLUMNS, ROWS)
        self.taken: list[str] = []
        self.is_open = threading.Event()
        self.waits = threading.Event()

    def write(self, words: str) -> None:
        """Take it, or let the program wait."""
        self.waits.set()
        assert self.is_open.wait(10)
        self.taken.append(words)
        self.glass.feed(words.encode())


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def test_a_terminal_that_takes_nothing_is_owed_one_frame() -> None:
    terminal = Terminal()
    outlet = Outlet(terminal.write)
    outlet.put(whole("a"), SIZE)
    assert terminal.waits.wait(10)
    for mark in "bcdefghij":
        outlet.put(whole(mark), SIZE)
    terminal.is_open.set()
    until(lambda: terminal.glass.lines() == ["j" * COLUMNS] * ROWS)
    outlet.close()
    assert "".join(terminal.taken).count("H") <= 2 * (ROWS + 1)
    assert not any(mark * COLUMNS in "".join(terminal.taken) for mark in "bcdefghi")


def test_what_steers_the_terminal_comes_in_its_turn() -> None:
    terminal = Terminal()
    terminal.is_open.set()
    outlet = Outlet(terminal.write)
    outlet.put("\x1b[?1049h", SIZE)
    for words in (*SYNC, whole("a"), "\x1b]2;title\x07", "\x1b[3;1Hnot \x1b]8;;known\x1b\\!", "\x1b[?25h"):
        outlet.put(words, SIZE)
    outlet.leave(lambda: None)
    outlet.put("\x1b[?1049l", SIZE)
    outlet.close()
    sent = "".join(terminal.taken)
    places = [
        sent.index(words) for words in ("\x1b[?1049h", "a" * COLUMNS, "\x1b[3;1Hnot \x1b]8", "\x1b[?25h", "1049l")
    ]
    assert places == sorted(places)
    assert sent.endswith("\x1b[?1049l")


def test_a_terminal_is_given_back_without_the_frames_that_wait() -> None:
    terminal = Terminal()
    outlet = Outlet(terminal.write)
    outlet.put(whole("a"), SIZE)
    assert terminal.waits.wait(10)
    outlet.put(whole("b"), SIZE)
    outlet.leave(terminal.is_open.set)  # the line takes nothing: what waits in it is thrown away
    outlet.put(whole("c"), SIZE)
    outlet.put("\x1b[?1049l", SIZE)
    outlet.close()
    sent = "".join(terminal.taken)
    assert sent.endswith("\x1b[?1049l")
    assert not any(mark in sent for mark in "bc")


def test_a_terminal_that_answers_is_sent_no_more_than_it_takes() -> None:
    terminal = Terminal()
    terminal.is_open.set()
    outlet = Outlet(terminal.write)
    assert not outlet.answered()  # nobody has asked
    outlet.ask()
    until(lambda: terminal.taken == [ASK])
    assert outlet.answered()
    outlet.put(whole("a", WINDOW // COLUMNS), (COLUMNS, WINDOW // COLUMNS))
    until(lambda: "".join(terminal.taken).count(ASK) == 2)
    for mark in "bc":
        outlet.put(whole(mark), SIZE)
    assert "c" not in "".join(terminal.taken)
    assert outlet.answered()
    until(lambda: terminal.glass.lines() == ["c" * COLUMNS] * ROWS)
    outlet.close()
    assert "b" not in "".join(terminal.taken)


def test_a_storm_sends_one_screen_in_a_quarter_of_a_second() -> None:
    pace, sent = Pace(0.0), []
    pace.sent(1000, 0.0)
    for millisecond in range(5_000, 10_000):
        now = millisecond / 1000
        if not pace.wait(700, now):
            pace.sent(700, now)
            sent.append(now)
    assert len(sent) <= 5 / TICK_SECONDS
    assert pace.wait(200, 9.999) == 0


def test_what_answers_a_key_waits_for_no_tick() -> None:
    pace = Pace(0.0)
    pace.sent(1000, 0.0)
    pace.sent(1000, 5.0)
    assert pace.wait(1000, 5.01) > 0
    pace.be_lively(5.02)
    assert pace.wait(1000, 5.02) == 0


def test_a_terminal_that_answers_no_more_is_not_waited_for_for_ever() -> None:
    pace = Pace(0.0)
    pace.ask(0.0)
    assert pace.answered()
    assert pace.sent(WINDOW, 0.0)
    assert pace.wait(100, 5.0) > 0
    assert pace.wait(100, PATIENCE + 1) == 0
    assert not pace.sent(WINDOW, PATIENCE + 1)


def test_what_has_never_answered_is_asked_once_and_holds_up_neither_frames_nor_the_end() -> None:
    pace = Pace(0.0)
    pace.ask(0.0)
    assert pace.may_answer(LEAVE_SECONDS / 2)
    assert not pace.sent(WINDOW, 0.5)
    assert pace.wait(WINDOW, 0.6) == 0
    assert not pace.may_answer(LEAVE_SECONDS)


def test_a_smaller_screen_takes_the_place_of_a_larger_one_that_was_not_shown_yet() -> None:
    cells = TerminalCells()
    assert cells.take("\x1b[1;1Hab\n\x1b[2;1Hcd\x1b[1;1H", (2, 2))
    assert cells.take("\x1b[1;1Hx\x1b[1;1H", (1, 1))
    assert "x" in cells.difference()
