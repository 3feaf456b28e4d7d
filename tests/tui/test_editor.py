"""The user's editor: which command opens a frame, which files are refused, and a real program that does it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from outflow_core.states import State
from outflow_core.tracebacks import Frame
from outflow_tui.editor import EditorError, editor_command, run_editor
from tests.terminal import monitor
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, run, task, traceback_of

SCRIPT = """#!{python}
import sys, pathlib
pathlib.Path({log!r}).write_text("|".join(sys.argv[1:]))
print("the editor is here")
{more}
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A file of a pipeline."""
    path = tmp_path / "night $(touch owned) 'a'.py"
    path.write_text("gain = 1\n")
    return path


def editor(folder: Path, name: str = "vim", more: str = "") -> Path:
    """A little program that says how it was called."""
    path = folder / name
    path.write_text(SCRIPT.format(python=sys.executable, log=str(folder / "called"), more=more))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("named", "arguments"),
    [
        ("vim", ["vim", "+88", "PATH"]),
        ("/usr/bin/emacs -nw", ["/usr/bin/emacs", "-nw", "+88", "PATH"]),
        ("nano", ["nano", "+88", "PATH"]),
        ("code --wait", ["code", "--wait", "--goto", "PATH:88"]),
        ("hx", ["hx", "PATH:88"]),
        ("subl -w", ["subl", "-w", "PATH:88"]),
        ("kate", ["kate", "--line", "88", "PATH"]),
        ("'/opt/my editor' -x", ["/opt/my editor", "-x", "PATH"]),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(named: str, arguments: list[str], code: Path) -> None:
    command = editor_command(Frame(str(code), 88, "run"), {"EDITOR": named})
    assert command == [argument.replace("PATH", str(code)) for argument in arguments]


def test_visual_comes_before_editor(code: Path) -> None:
    assert editor_command(Frame(str(code), 1, ""), {"VISUAL": "nano", "EDITOR": "vi"})[0] == "nano"
    assert editor_command(Frame(str(code), 1, ""), {"VISUAL": " ", "EDITOR": "vi"})[0] == "vi"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "set VISUAL or EDITOR"),
        ({"EDITOR": "vim 'a"}, "EDITOR cannot be understood"),
        ({"EDITOR": "''"}, "names no"),
    ],
)
def test_an_editor_that_is_not_named_is_said_in_words(environment: dict[str, str], words: str, code: Path) -> None:
    with pytest.raises(EditorError, match=words):
        editor_command(Frame(str(code), 1, ""), environment)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere/night.py", "/nowhere/night.py is not here"),
        ("night.py", "no absolute path"),
        ("-c:!touch owned", "no absolute path"),
        ("+!touch owned", "no absolute path"),
        ("<string>", "no absolute path"),
        ("", "no absolute path"),
        ("/tmp/\0x", r"/tmp/\\0x is not here"),
        ("/dev/null", "no regular file"),
        ("/" + "x" * 5000, "is not here"),
        ("/\x1b[31m", r"/\\e\[31m is not here"),
    ],
)
def test_what_is_no_file_here_is_refused_in_words(path: str, words: str) -> None:
    with pytest.raises(EditorError, match=words):
        editor_command(Frame(path, 1, ""), {"EDITOR": "vim"})


def test_a_directory_and_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(EditorError, match="no regular file"):
            editor_command(Frame(str(path), 1, ""), {"EDITOR": "vim"})


def test_trouble_with_the_editor_is_said_and_interrupts_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert "Cannot start" in run_editor([str(tmp_path / "none")])
    assert "ended with status 3" in run_editor([str(editor(tmp_path, more="sys.exit(3)"))])
    assert run_editor([str(editor(tmp_path, more="import os, signal; os.kill(os.getppid(), signal.SIGINT)"))]) == ""
    assert signal.getsignal(signal.SIGINT) is before


@contextmanager
def no_terminal() -> Iterator[None]:
    """There is no terminal to give away in these tests."""
    yield


async def open_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch, program: Path) -> None:
    monkeypatch.setenv("VISUAL", str(program))
    monkeypatch.setattr(desk.app, "suspend", no_terminal)
    await desk.sees("45")
    await desk.press("enter")
    await desk.sees("no gain")


async def test_e_opens_the_file_where_it_failed(tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = task(3, failed=traceback_of("ValueError: no gain", file=str(code), line=12))
    async with sitting(FakeSource([run(45, state=State.FAILED, tasks=[task(1), failed])]), size=(120, 30)) as desk:
        await open_failure(desk, monkeypatch, editor(tmp_path))
        await desk.press("e")
        assert (tmp_path / "called").read_text() == f"+12|{code}"
        (tmp_path / "called").unlink()
        await desk.press("enter", "e")
        await desk.until((tmp_path / "called").exists, "no editor was called")
        assert (tmp_path / "called").read_text() == f"+12|{code}"
        await desk.press("q", "home", "e")
        await desk.sees("success")
        assert desk.app.screen.check_action("edit", ()) is None


async def test_e_opens_the_frame_under_the_cursor(tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = f'Traceback (most recent call last):\n  File "{code}", line 3, in main\n    step()\n'
    inner = traceback_of("ValueError: no gain", file=str(code), line=12).partition("\n")[2]
    failed = task(3, failed=outer + inner)
    async with sitting(FakeSource([run(45, state=State.FAILED, tasks=[failed])]), size=(120, 30)) as desk:
        await open_failure(desk, monkeypatch, editor(tmp_path))
        await desk.press("enter", "slash", *"in main", "enter", "e")
        assert (tmp_path / "called").read_text() == f"+3|{code}"


async def test_a_file_that_is_not_here_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = task(3, failed=traceback_of("ValueError: no gain", file="/nowhere/[b]night.py", line=12))
    async with sitting(FakeSource([run(45, state=State.FAILED, tasks=[failed])]), size=(120, 30)) as desk:
        await open_failure(desk, monkeypatch, editor(tmp_path))
        await desk.press("e")
        await desk.sees("/nowhere/[b]night.py is not here (line")
        assert not (tmp_path / "called").exists()


async def test_what_comes_in_while_the_editor_is_open_is_shown_afterwards(
    tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = task(3, failed=traceback_of("ValueError: no gain", file=str(code)))
    night = run(45, state=State.FAILED, tasks=[failed])
    async with sitting(FakeSource([night]), size=(120, 30)) as desk:
        await open_failure(desk, monkeypatch, editor(tmp_path, more="import time; time.sleep(1)"))
        desk.source.runs = (run(45, state=State.FAILED, tasks=[failed, task(4, "arrived")]),)
        await desk.press("e")
        await desk.sees("arrived")


async def test_where_the_terminal_cannot_be_given_away_that_is_said(
    tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = task(3, failed=traceback_of("ValueError: no gain", file=str(code)))
    monkeypatch.setenv("VISUAL", str(editor(tmp_path)))
    async with sitting(FakeSource([run(45, state=State.FAILED, tasks=[failed])]), size=(120, 30)) as desk:
        await desk.sees("45")
        await desk.press("enter")
        await desk.sees("no gain")
        await desk.press("e")
        await desk.sees("This terminal cannot be given")


def test_the_real_program_gives_the_terminal_to_the_editor_and_takes_it_back(
    tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.fixtures import copy_of
    from tests.tui.test_command_line import changed

    traceback = traceback_of("ValueError: no gain", file=str(code), line=12).replace("'", "''")
    source = changed(
        copy_of("kinds", tmp_path),
        f"UPDATE outflow_runtime_exception SET traceback = '{traceback}', block_id = block_id",
    )
    minds_no_ctrl_c = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); print('ready'); sys.stdin.readline()"
    )
    monkeypatch.setenv("VISUAL", f"'{editor(tmp_path, more=minds_no_ctrl_c)}' -u NONE")
    with monitor(source, "--every", "0.2") as seat:
        seat.sees("bad_setup")
        seat.press("/20\r")
        seat.sees("1 of 28")
        seat.press("\r")
        seat.sees("no gain")
        seat.press("e")
        seat.reads_until(lambda: b"ready\r\n" in seat.written, "the editor did not come")
        assert (tmp_path / "called").read_text() == f"-u|NONE|+12|{code}"
        assert seat.comes(1.5) == b""
        seat.press("\x03")
        seat.press("\n")
        seat.sees("no gain")
        seat.press("q")  # Ctrl-C was the editor's
        seat.sees("1 of 28")
    assert not (tmp_path / "owned").exists()
