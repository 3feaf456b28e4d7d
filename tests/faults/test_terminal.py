"""The terminal goes away, changes, or was never one: the program ends or goes on, and leaves the terminal as it was."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from outflow_tui.driver import ENDINGS
from tests.faults.pseudo_terminal import PROGRAM, PseudoTerminal, in_terminal
from tests.faults.table import Fault
from tests.faults.watching import SCREENS, watching
from tests.fixtures import copy_of

Breaks = Callable[[PseudoTerminal], AbstractContextManager[None]]


def signalled(number: signal.Signals) -> Breaks:
    """A signal is sent to the program."""

    @contextmanager
    def breaks(terminal: PseudoTerminal) -> Iterator[None]:
        os.kill(terminal.program(), number)
        yield

    return breaks


@contextmanager
def hung_up(terminal: PseudoTerminal) -> Iterator[None]:
    terminal.hang_up()
    yield


@contextmanager
def tiny(terminal: PseudoTerminal) -> Iterator[None]:
    terminal.rests()
    terminal.resize(1, 1)
    terminal.rests()
    yield
    terminal.resize(80, 24)


@contextmanager
def flickers(terminal: PseudoTerminal) -> Iterator[None]:
    """Smaller for so short a time that the program finds it as large as it was."""
    terminal.rests()
    yield
    terminal.resize(1, 1)
    terminal.resize(80, 24)


@contextmanager
def written_over(terminal: PseudoTerminal) -> Iterator[None]:
    """What another program writes is not known here: the user asks for everything anew."""
    terminal.rests()
    yield
    terminal.press("\x0c")


@contextmanager
def stopped(terminal: PseudoTerminal) -> Iterator[None]:
    """Stopped; the shell has the terminal, in its own modes, until the user has the program go on."""
    os.kill(terminal.program(), signal.SIGTSTP)
    terminal.sees("the shell again")
    assert terminal.is_as_before()
    yield
    terminal.press("\n")


def begun(form: str) -> Callable[[str], AbstractContextManager[str]]:
    """The program is begun by a command of this form."""
    return lambda program: nullcontext(form.format(program))


TAKEN = b"\x1b[?1049h"
"""By this the program takes the terminal."""
OVER = "start it again"
RUNS = "the runs as text, as in a pipe"
FINE = "nothing to come back from"
ENDS = (
    Fault(
        "the terminal is gone (SIGHUP)",
        "",
        OVER,
        signalled(signal.SIGHUP),
        "nobody sees it; the program ends, status 0",
    ),
    Fault(
        "the program is asked to end (SIGTERM)", "", OVER, signalled(signal.SIGTERM), "the terminal as it was; status 0"
    ),
)
CLOSED = Fault("the terminal's other end is closed", "", OVER, hung_up, "nobody sees it; the program ends")
STAYS = (
    Fault("the terminal is resized to 1x1", "", "whole, when it is larger", tiny, "what fits"),
    Fault("the terminal is resized to 1x1 and back at once", "", "at once", flickers, "the whole screen, drawn anew"),
    Fault("another program writes to the terminal", "", "by ctrl+l", written_over, "both, until it is drawn anew"),
    Fault("suspended (SIGTSTP)", "", "by `fg`, drawn anew", stopped, "the shell, in a terminal as it was"),
)
PRINTS = (
    Fault("standard input is closed", "", FINE, begun("{} <&-"), RUNS),
    Fault("standard input is no terminal", "", FINE, begun("{} </dev/null"), RUNS),
    Fault("TERM is dumb", "", "with another TERM", begun("TERM=dumb {}"), RUNS),
)
SHOWS = (
    Fault("standard error is a file", "", FINE, begun("{} 2>errors"), "the screen; the file stays empty"),
    Fault("TERM is not known", "", FINE, begun("TERM=no-such-terminal {}"), "the screen"),
    Fault("TERM is not set", "", FINE, begun("unset TERM; {}"), "the screen"),
    Fault("the current directory is deleted", "", FINE, begun("mkdir d; cd d; rmdir ../d; {}"), "the screen"),
)
FAULTS = (*ENDS, CLOSED, *STAYS, *PRINTS, *SHOWS)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command that watches a database which real Outflow wrote."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    return f"{PROGRAM} {copy_of('kinds', tmp_path)} --every 0.2"


@pytest.mark.parametrize("fault", ENDS, ids=str)
def test_a_program_that_is_to_end_gives_the_terminal_back(fault: Fault, program: str) -> None:
    with in_terminal(f"exec {program}") as terminal:
        terminal.sees("bad_setup")
        with fault.breaks(terminal):
            assert terminal.ends() == 0
        assert terminal.is_as_before()
        assert b"Traceback" not in terminal.written


@pytest.mark.parametrize("seconds", [0, 0.03])
@pytest.mark.parametrize("number", ENDINGS, ids=lambda number: number.name)
def test_the_terminal_is_given_back_from_when_it_is_taken(number: signal.Signals, seconds: float, program: str) -> None:
    with in_terminal(f"exec {program}") as terminal:
        terminal.reads_until(lambda: TAKEN in terminal.written)
        terminal.comes(seconds)
        with signalled(number)(terminal):
            assert terminal.ends() == 0
        assert terminal.is_as_before()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("words", [TAKEN, b"bad_setup"], ids=["at its start", "later"])
def test_no_private_copy_is_left_behind(number: signal.Signals, words: bytes, program: str, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    with in_terminal(f"TMPDIR={copies} exec {program} --copy") as terminal:
        terminal.reads_until(lambda: words in terminal.written)
        with signalled(number)(terminal):
            assert terminal.ends() == 0
    assert not list(copies.iterdir())


def test_a_program_whose_terminal_is_closed_ends(program: str) -> None:
    with in_terminal(f"exec {program}") as terminal:
        terminal.sees("bad_setup")
        with CLOSED.breaks(terminal):
            assert terminal.ends() in (0, 129, -signal.SIGHUP)


@pytest.mark.parametrize("fault", STAYS, ids=str)
def test_a_program_goes_on_with_its_terminal(fault: Fault, program: str) -> None:
    program = f"COLUMNS=80 LINES=24 {program}"  # as a shell that exports them
    command = f"set -m; {program}; echo the shell again; read line; fg >/dev/null; echo status $?"
    with in_terminal(command if fault.how is stopped else f"{program}; echo status $?") as terminal:
        terminal.sees("bad_setup")
        with fault.breaks(terminal):
            pass
        terminal.sees("bad_setup")
        terminal.press("q")
        terminal.sees("status 0")
        terminal.ends()
        assert terminal.is_as_before()
        assert b"Traceback" not in terminal.written


@contextmanager
def gone_through(fault: Fault, program: str, keys: str = "") -> Iterator[PseudoTerminal]:
    """The program as a fault has it begin shows the runs, is left by these keys, and ends well."""
    with fault.breaks(program) as command, in_terminal(f"{command}; echo status $?") as terminal:
        if keys:
            terminal.sees("bad_setup")
            terminal.press(keys)
        terminal.sees("status 0")  # without keys it may have come together with the runs
        terminal.ends()
        assert b"bad_setup" in terminal.written
        yield terminal


@pytest.mark.parametrize("fault", PRINTS, ids=str)
def test_without_a_terminal_that_can_show_a_screen_the_runs_are_printed(fault: Fault, program: str) -> None:
    with gone_through(fault, program) as terminal:
        assert b"\x1b" not in terminal.written


@pytest.mark.parametrize("fault", SHOWS, ids=str)
def test_the_screen_is_shown_all_the_same(fault: Fault, program: str) -> None:
    with gone_through(fault, program, "q") as terminal:
        assert terminal.is_as_before()
        assert not Path("errors").exists() or Path("errors").read_text() == ""


def test_with_more_sources_than_open_files_the_screen_goes_on(program: str, tmp_path: Path) -> None:
    books = [tmp_path / f"n{number}.db" for number in range(20)]
    for path in books:
        path.write_bytes(Path("kinds/outflow.db").read_bytes())
    names = " ".join(path.name for path in books)
    with in_terminal(f"ulimit -n 30; exec {PROGRAM} {names}") as terminal:
        terminal.sees("not opened. Only 30 open files are allowed here; 'ulimit -n 76' before the start is enough")
        for keys, words in (
            ("E", "Text: all lines of it"),
            ("\r", "Saved as runs.txt"),
            ("?", "Open the run: its tasks"),
        ):
            terminal.press(keys)
            terminal.sees(words)
        terminal.press("q")
        terminal.rests()
        terminal.press("q")
        assert terminal.ends() == 0
        assert b"fault of" not in terminal.written


@pytest.mark.parametrize("files", [5, 12, 18])
def test_with_too_few_open_files_for_a_screen_that_is_said(files: int, program: str) -> None:
    with in_terminal(f"ulimit -n {files}; exec {program}") as terminal:
        terminal.sees(f"Only {files} open files are allowed here; 'ulimit -n 19' before the start is enough.")
        assert terminal.ends() == 2
        assert b"Traceback" not in terminal.written


async def test_no_screen_minds_being_of_one_cell(tmp_path: Path) -> None:
    async with watching(str(copy_of("kinds", tmp_path))) as desk:
        await desk.sees("bad_setup")
        for keys in SCREENS:
            await desk.press(*keys.split())
            before = desk.app.screen
            for size in ((1, 1), (80, 24)):
                await desk.pilot.resize_terminal(*size)
                await desk.pilot.pause()
            assert desk.app.screen is before
