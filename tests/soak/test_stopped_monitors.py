"""A monitor that is stopped, or whose output is, holds no lock: it stops between two reads."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures import copy_of
from tests.soak.locks import exclusive_after, holders
from tests.soak.suspending import bring_back, is_stopped_soon, shell_with_monitor, state_of, suspend
from tests.soak.terminals import ROOT, monitor
from tests.tally import Tally, soak_factor

STOPS = 12 * soak_factor()
READS = """
import os, signal, sys, threading, time
from pathlib import Path
from sqlalchemy import text
from outflow_core.reader import Reader
from outflow_core.sources import find_database
from outflow_tui.job_control import stop_between_reads

reader = Reader(find_database(sys.argv[1]))
SLOW = text("SELECT count(*) FROM outflow_block a, outflow_block b WHERE b.id < 40 AND a.name < b.name")

def read():
    while True:
        reader.rows(SLOW, {})

if sys.argv[2] == "a thread":
    signal.signal(signal.SIGTSTP, lambda *_: os.kill(os.getpid(), signal.SIGSTOP))
    signal.signal(signal.SIGCONT, lambda *_: None)
    stop_between_reads()
    threading.Thread(target=read, daemon=True).start()
    print("ready", flush=True)
    while True:
        time.sleep(1)
print("ready", flush=True)
read()
"""
"""Reads nearly all the time, as the screen's thread does or as a command of the command line does."""


@contextmanager
def reading(folder: Path, where: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a group of its own, as a shell makes them, that reads without a pause."""
    command = [sys.executable, "-c", READS, str(folder), where]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, preexec_fn=os.setpgrp)
    assert child.stdout is not None and child.stdout.readline() == b"ready\n"
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.mark.parametrize("where", ["a thread", "the main thread"])
def test_the_stop_signal_waits_for_the_end_of_a_read(tmp_path: Path, where: str, tally: Tally) -> None:
    folder = copy_of("maps", tmp_path)
    with reading(folder, where) as child:
        for _ in range(STOPS):
            time.sleep(random.uniform(0, 0.05))
            child.send_signal(signal.SIGTSTP)
            is_stopped_soon(child.pid)
            assert child.pid not in holders(folder / "outflow.db")
            child.send_signal(signal.SIGCONT)
        assert exclusive_after(folder / "outflow.db") < 5
    tally("stops amid reads by SIGTSTP, none with a lock", STOPS)


def test_what_the_kernel_stops_at_once_can_hold_a_lock(tmp_path: Path, tally: Tally) -> None:
    """SIGSTOP asks nobody: this is how one sees that the other tests see locks at all."""
    folder = copy_of("maps", tmp_path)
    held = 0
    with reading(folder, "a thread") as child:
        for _ in range(STOPS):
            time.sleep(random.uniform(0, 0.05))
            child.send_signal(signal.SIGSTOP)
            is_stopped_soon(child.pid)
            held += child.pid in holders(folder / "outflow.db")
            child.send_signal(signal.SIGCONT)
    assert held
    tally("stops of a process that does nothing but read by SIGSTOP, % with a lock", 100 * held / STOPS, how="max")


def test_ctrl_z_goes_back_to_the_shell_and_fg_comes_back(tmp_path: Path) -> None:
    folder = copy_of("kinds", tmp_path)
    with shell_with_monitor(str(folder), "--every", "0.1") as (seat, process):
        suspend(seat, process)
        assert process not in holders(folder / "outflow.db")
        seat.sees("Stopped")
        seat.press("bg\n", "bg")
        seat.press("jobs\n", "Stopped")  # it may not write to the terminal, and is stopped again
        assert state_of(process) == "T" and process not in holders(folder / "outflow.db")
        bring_back(seat)
        seat.press("\r", "whole")


def test_ctrl_z_without_a_shell_stops_nothing_and_says_so(tmp_path: Path) -> None:
    with monitor(str(copy_of("kinds", tmp_path))) as seat:
        seat.press("\x1a", "No shell waits")
        os.kill(seat.pid, signal.SIGTSTP)
        seat.press("\r", "whole")


def test_a_monitor_whose_output_nobody_reads_lets_writers_write(tmp_path: Path) -> None:
    folder = copy_of("kinds", tmp_path)
    with monitor(str(folder), "--every", "0.1") as seat:
        seat.leave_unread()
        for _ in range(60):
            seat.press("jk?q")
        books = sqlite3.connect(folder / "outflow.db", isolation_level=None, timeout=5)
        for number in range(300):
            books.execute("UPDATE outflow_block SET hostname = ? WHERE id = 1", (f"n{number}",))
        books.close()
        assert max(exclusive_after(folder / "outflow.db") for _ in range(50)) < 5
        seat.read_again()
        seat.press("r", "\x1b[")
