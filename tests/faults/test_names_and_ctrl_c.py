"""A name server that does not answer holds up nobody for long; and Ctrl-C ends a command at once, whatever hangs."""

from __future__ import annotations

import os
import pty
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from outflow_core import deadlines, record_run
from outflow_core.db_cli import main as outflow_db
from outflow_tui import poller
from outflow_tui.cli import main as outflow_tui
from tests.core.servers import OwnServer
from tests.faults.names import HOST, Names, may_be_silent, silent_names
from tests.faults.stage import Stage, new_stage, processes_of, suspended
from tests.faults.table import Fault
from tests.faults.watching import has_read, no_more_than_before, tells, watching

names_here = pytest.mark.skipif(not may_be_silent(), reason="a name server of its own is not permitted here")
AT_ONCE = 2.0
"""Seconds for a program to end that need not wait for anything, on a busy machine."""


@pytest.fixture
def stage(server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(poller, "LONGEST_WAIT", 0.5)
    return new_stage(server, tmp_path, "books")


@pytest.fixture
def names(tmp_path: Path) -> Iterator[Names]:
    """Names that nobody tells for half a minute."""
    with silent_names(tmp_path, 30) as made:
        yield made


@contextmanager
def silent(stage: Stage, names: Names) -> Iterator[None]:
    names.know("")
    stage.cut()
    yield
    names.know("127.0.0.1")


FAULTS = (
    Fault(
        "The name server does not answer, when a connection is made.",
        "nobody says in … s where the host … is: the name server hangs, or the network to it is interrupted",
        "by itself: it is tried again at least every 30 s",
        silent,
    ),
)


@names_here
async def test_a_silent_name_server_is_told_and_the_screen_comes_back_by_itself(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "LOOKUP_SECONDS", 0.3)
    (fault,) = FAULTS
    with silent_names(tmp_path, 1) as names:
        stage.configure(host=HOST)
        names.know("127.0.0.1")
        async with watching(str(stage.config), inside=names.inside) as desk:
            await desk.sees("reduce")
            await has_read(desk)
            async with no_more_than_before(desk):
                with fault.breaks(stage, names):
                    await tells(desk, fault)
                    assert "reduce" in desk.text()
                await desk.misses("Since")
            await desk.until(lambda: len(stage.monitors()) == 1, "the connections before are not gone")


@names_here
def test_commands_and_pipelines_wait_for_a_silent_name_server_only_so_long(
    stage: Stage, names: Names, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deadlines, "LOOKUP_SECONDS", 0.3)
    stage.configure(host=HOST)

    def all_of_them() -> None:
        names.enter()
        for program, words in ((outflow_tui, ["runs", "--source"]), (outflow_db, ["upgrade", "--config"])):
            assert program([*words, str(stage.config)]) == 2
            assert f"nobody says in 0.3 s where the host '{HOST}' is" in capsys.readouterr().err
        began = time.monotonic()
        with record_run("night", config=stage.config) as run, run.task("fit"):
            pass
        assert time.monotonic() - began < 5
        names.know("127.0.0.1")
        assert outflow_db(["replay", "--config", str(stage.config)]) == 0

    with ThreadPoolExecutor() as elsewhere:
        elsewhere.submit(all_of_them).result()
    assert stage.ask("SELECT state FROM outflow_run WHERE command_name = 'night'") == [("success",)]


@names_here
def test_the_screen_is_left_at_once_while_a_name_server_is_silent(stage: Stage, names: Names) -> None:
    stage.configure(host=HOST)
    pid, terminal = pty.fork()
    if pid == 0:
        names.enter()
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "outflow_tui.cli", str(stage.config)])
    while b"outflow" not in os.read(terminal, 65536):
        pass
    time.sleep(0.5)
    began = time.monotonic()
    os.write(terminal, b"q")
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:  # nobody is at the other end any more
        pass
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    assert status == 0 and time.monotonic() - began < 1 + AT_ONCE


# Ctrl-C


@contextmanager
def held(stage: Stage) -> Iterator[None]:
    with stage.session() as other:
        other.execute("BEGIN; LOCK TABLE outflow_run")
        yield


@contextmanager
def hung(stage: Stage) -> Iterator[None]:
    with suspended(processes_of(stage.server)):
        yield


COMMANDS = (
    ("outflow_tui.cli", "runs", "--source"),
    ("outflow_core.db_cli", "upgrade", "--config"),
    ("outflow_core.db_cli", "status", "--config"),
)


def waits(child: Popen[bytes]) -> bool:
    """Whether a command has begun to ask: it has threads for Ctrl-C, and for what it waits for."""
    return len(list(Path(f"/proc/{child.pid}/task").iterdir())) > 2


@pytest.mark.parametrize("hangs", ["names", "server", "statement"])
def test_ctrl_c_ends_a_command_at_once(stage: Stage, tmp_path: Path, hangs: str) -> None:
    with ExitStack() as broken:
        enter: Callable[[], None] | None = None
        if hangs == "names":
            if not may_be_silent():
                pytest.skip("a name server of its own is not permitted here")
            stage.configure(host=HOST)
            enter = broken.enter_context(silent_names(tmp_path, 30)).enter
        else:
            stage.configure(connect_timeout=60)  # none gives up while another is still being started
            broken.enter_context(hung(stage) if hangs == "server" else held(stage))
        words = [[sys.executable, "-m", *command, str(stage.config)] for command in COMMANDS]
        words = words[:2] if hangs == "statement" else words  # the status needs no table that is held
        children = [Popen(each, preexec_fn=enter, stdout=PIPE, stderr=PIPE) for each in words]
        until = time.monotonic() + 20
        while not all(map(waits, children)) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.2)
        assert [child.poll() for child in children] == [None] * len(children)
        began = time.monotonic()
        for child in children:
            child.send_signal(signal.SIGINT)
        told = [child.communicate(timeout=20) for child in children]
        assert time.monotonic() - began < AT_ONCE
    assert {child.returncode for child in children} == {130}
    assert all(not out and len(said.splitlines()) <= 1 and b"Traceback" not in said for out, said in told)
