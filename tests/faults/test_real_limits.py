"""The program as it is installed, in a terminal, with its own limits of time: nothing here is shortened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.core.servers import OwnServer
from tests.faults.files_broken import execute, locked
from tests.faults.stage import Stage, hung, new_stage
from tests.faults.table import Fault
from tests.faults.test_broken_files import FILE_FAULTS
from tests.faults.test_server import FAULTS as SERVER_FAULTS
from tests.faults.test_server import held
from tests.fixtures import copy_of
from tests.terminal import Terminal, monitor

LOCKED_SECONDS = 60.0
"""Twelve times as long as Outflow's own writers wait."""
(LOCKED,) = (fault for fault in FILE_FAULTS if fault.how is locked)
(HUNG,) = (fault for fault in SERVER_FAULTS if fault.how is hung)
(HELD,) = (fault for fault in SERVER_FAULTS if fault.how is held)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database that real Outflow wrote."""
    return copy_of("kinds", tmp_path) / "outflow.db"


@pytest.fixture
def stage(server: OwnServer, tmp_path: Path) -> Stage:
    """Books on a server."""
    return new_stage(server, tmp_path, "real_limits")


@pytest.fixture
def seats(file: Path, stage: Stage) -> Iterator[tuple[Terminal, Terminal]]:
    """The program before a file, and before a server."""
    with ExitStack() as stack:
        at_file, at_server = (stack.enter_context(monitor(str(name))) for name in (file, stage.config))
        at_file.sees("bad_setup")
        at_server.sees("reduce")
        yield at_file, at_server


def tells(seat: Terminal, fault: Fault) -> None:
    """Wait until it is told, beside the old data and their age."""
    seat.reads_until(lambda: fault.is_told(seat.glass.lines()), f"{fault.says!r} is not told")
    assert "Shownis" in "".join(seat.shown().split())


def answers_keys(seat: Terminal) -> None:
    """Open the help, and close it."""
    for key, words in (("?", "Open the run: its tasks"), ("q", "COMMAND")):
        seat.press(key)
        seat.sees(words)


def test_a_file_locked_for_a_minute_a_held_table_and_a_hung_server_are_told_and_come_back_by_themselves(
    seats: tuple[Terminal, Terminal], file: Path, stage: Stage
) -> None:
    at_file, at_server = seats
    with locked(file):
        began = time.monotonic()
        tells(at_file, LOCKED)
        for fault in (HELD, HUNG):
            with fault.breaks(stage):
                tells(at_server, fault)
                assert "reduce" in at_server.shown()
                answers_keys(at_server)
            stage.record(fault.how.__name__)
            at_server.sees(fault.how.__name__)
            at_server.reads_until(lambda: "Since" not in at_server.shown())
        while time.monotonic() - began < LOCKED_SECONDS:
            answers_keys(at_file)
            tells(at_file, LOCKED)
            assert "bad_setup" in at_file.shown()
            at_file.comes(1.0)
    execute(file, ("UPDATE outflow_run SET command_name = 'mended' WHERE id = 28",))
    at_file.sees("mended")
    at_file.reads_until(lambda: "Since" not in at_file.shown())
