"""Tracebacks beyond reason: they cost no more than what is shown of them, and what is left out is told.

What they may cost is told by one of some 980,000 characters, which is shown whole, in the same run of the tests.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hostile.books import make_books
from tests.hostile.wire import WatchedTerminal
from tests.terminal import MONITOR

RUN = "3"
CLOCK = os.sysconf("SC_CLK_TCK")
BEGIN = 'Traceback (most recent call last):\n  File "/data/fit.py", line 88, in first\n    go()\n'
END = "ValueError: the last word\n"


def of_lines(number: int) -> str:
    """A traceback of so many lines."""
    frames = "".join(f'  File "/data/fit{n % 7}.py", line {n}, in step\n    go()\n' for n in range((number - 4) // 2))
    return BEGIN + frames + END


LONG = {
    "a line of 10 MB": BEGIN + "ValueError: " + "word " * 2_000_000 + "the last word\n",
    "a million lines": of_lines(1_000_000),
}
LEFT_OUT = re.compile(r"\.\.\. ([\d,]+) characters left out \.\.\.")
WHOLE = of_lines(36_000)
"""About as long as one that is shown whole can be."""


@dataclass(frozen=True)
class Cost:
    """What something took of the processor and of memory."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Seen:
    """What came of opening a traceback on the screen, saving it and copying its report."""

    opened: Cost
    kept: Cost
    text: str
    markdown: str
    told: str
    """The traceback in the JSON."""
    report: str


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Books in which the first task of the third run failed with a traceback, by the name of that."""
    folder = tmp_path_factory.mktemp("long")
    tracebacks = {**LONG, "whole": WHOLE}
    return {
        name: make_books(folder / f"{number}.db", lambda where, place: f"{where}{place}", 4, traceback)
        for number, (name, traceback) in enumerate(tracebacks.items())
    }


def cost_of(pid: int, before: float = 0.0) -> Cost:
    """What a process took until now, and the most that it held."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    held = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert held is not None
    return Cost((int(fields[11]) + int(fields[12])) / CLOCK - before, int(held[1]) / 1024)


def walked(path: Path, folder: Path) -> Seen:
    """Open the run and its traceback, search it, save it in all forms, copy the report."""
    with closing(WatchedTerminal([*MONITOR, str(path)], folder=folder)) as terminal:
        terminal.sees("PROGRESS")
        terminal.settles()
        start = cost_of(terminal.pid).seconds
        terminal.press("down", "enter")
        terminal.sees("task 2")
        terminal.press("enter")
        terminal.sees(f" run {RUN}  task 2")
        terminal.sees("type2: ")
        terminal.press("end")
        terminal.sees("downstream")
        terminal.press("/the last word", "enter")
        terminal.sees("1 of ")
        opened = cost_of(terminal.pid, start)
        for key, ending in (("t", "txt"), ("m", "md"), ("J", "json")):
            terminal.press("E")
            terminal.sees("all lines")
            terminal.press(key)
            while not (folder / f"run-{RUN}-task-2.{ending}").exists():
                assert terminal.read(30)
            terminal.sees("Saved as")
        terminal.press("Y")
        while not (copies := [words for number, words in terminal.screen.told if number == "52"]):
            assert terminal.read(30)
        kept = cost_of(terminal.pid, start)
    text, markdown, told = ((folder / f"run-{RUN}-task-2.{ending}").read_text() for ending in ("txt", "md", "json"))
    report = base64.b64decode(copies[0].rpartition(";")[2]).decode()
    return Seen(opened, kept, text, markdown, json.loads(told)["exception"]["traceback"], report)


@pytest.fixture(scope="module")
def whole(books: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What one costs of which nothing is left out."""
    return walked(books["whole"], tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("name", LONG)
def test_on_the_screen_it_costs_no_more_than_what_is_shown_of_it(
    name: str, whole: Seen, books: dict[str, Path], tmp_path: Path
) -> None:
    traceback = LONG[name]
    seen = walked(books[name], tmp_path)
    assert seen.opened.seconds < 3 * whole.opened.seconds
    assert seen.kept.seconds < 3 * whole.kept.seconds
    assert seen.kept.megabytes < whole.kept.megabytes + 10 * len(traceback) / 1e6
    for kept in (seen.text, seen.markdown, seen.report):
        assert len(kept) < 1_010_000 and both_ends(kept) and LEFT_OUT.findall(kept)
    assert both_ends(whole.text) and not LEFT_OUT.findall(whole.text)
    (number,) = LEFT_OUT.findall(seen.text)
    assert int(number.replace(",", "")) == len(traceback) - 1_000_000
    assert seen.told == traceback


def both_ends(kept: str) -> bool:
    """Whether it begins and ends as the traceback does."""
    return "in first" in kept and "the last word" in kept


ANSWERS = """
import sys, time
from pathlib import Path
from outflow_tui.cli import main
status = main(sys.argv[1:])
(held,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(time.process_time(), held.split()[1], file=sys.stderr)
sys.exit(status)
"""
"""A command, and what it took of the processor and of memory."""


def shown(path: Path, *form: str) -> tuple[str, Cost]:
    """What `outflow-tui show` prints in some form, and what that cost."""
    command = [sys.executable, "-c", ANSWERS, "show", "--source", str(path), *form, RUN]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, kilobytes = answer.stderr.split()
    return answer.stdout, Cost(float(seconds), int(kilobytes) / 1024)


@pytest.mark.parametrize("form", ["", "--json", "--markdown"], ids=["text", "json", "markdown"])
def test_in_answers_it_costs_by_its_length_and_nothing_is_left_out_in_silence(
    form: str, books: dict[str, Path]
) -> None:
    forms = [form] if form else []
    _, usual = shown(books["whole"], *forms)
    for name, traceback in LONG.items():
        words, cost = shown(books[name], *forms)
        longer = len(traceback) / len(WHOLE)
        assert cost.seconds < (3 if form == "--markdown" else longer) * usual.seconds, name
        assert cost.megabytes < usual.megabytes + 12 * len(traceback) / 1e6, name
        if form == "--markdown":
            assert len(words) < 65_000 and both_ends(words) and LEFT_OUT.findall(words)
        elif form == "--json":
            assert json.dumps(traceback) in words and json.loads(words)
        else:
            assert all(line in words for line in traceback.splitlines()[-3:]) and not LEFT_OUT.findall(words)
            assert all(words.count(sign) == traceback.count(sign) for sign in (" word ", " in step\n"))
