"""What somebody else wrote steers no terminal: every screen of the real program, over books full of sequences."""

from __future__ import annotations

import base64
import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outflow_tui import text
from outflow_tui.marks import MARKS
from tests.faults.files_broken import execute
from tests.hostile.books import Say, make_books, of_kinds, unended
from tests.hostile.poisons import POISONS, poisoned
from tests.hostile.wire import Screen, WatchedTerminal, cells_of, is_steering, terminal

SOAK = int(os.environ.get("OUTFLOW_SOAK", "1"))
KINDS = [*POISONS]
COUNT = len(KINDS)
RUN = COUNT - 1
"""The run that holds a task of every kind."""
SAVED = {"t": "txt", "m": "md", "J": "json", "s": "svg"}
"""The keys that save a screen, and how the files end."""
BAD_NAME = "b\x1b]0;t\x07\x9b31m\u202e[red]\n.db"


def walk(running: WatchedTerminal) -> Screen:
    """Go over every screen by its keys; what stands in a terminal's cells, and what it was told."""

    def go(*keys: str, sees: str = "") -> None:
        running.press(*keys)
        if sees:
            running.sees(sees)
        running.settles()

    go(sees="PROGRESS")
    go("end")
    go("home")
    go("c", sees="configuration")
    go("end")
    go("q", "space", "down", "space", "d", sees="differ")
    go("q", "down", "space", "d", sees="3 runs")
    go("q", "home", sees="PROGRESS")
    go(f"/{RUN}", "enter", sees=" of ")
    go("enter", sees=f"run {RUN} ")
    for _ in range(6):
        go("down")
    go("enter", sees="  task 8")
    go("y", sees="Copied")
    go("Y")
    go("n", sees="  task ")
    go("e")
    for key, ending in SAVED.items():
        go("E", sees="all lines")
        go(key, sees=f".{ending};")
    go("q", "2", sees="failures by cause")
    go("down", "down")
    go("1", "3", sees="at once")
    go("down", "down")
    go("q", "4", sees="configuration")
    for key, ending in SAVED.items():
        go("E", sees="all lines")
        go(key, sees=f"configuration.{ending};")
    go("q", "home", "down", sees="task 2 of")
    go("o", sees=f"  {COUNT - 1} downstream")
    go("end")
    go("enter", sees=f"task {COUNT + 1} of")
    go("ctrl+p", sees="Choose other colours")
    go("end")
    go(*"Upstream", sees="Upstream: to")
    go("enter", sees="  2 upstream")
    go("down")
    go("?", sees="keys")
    go("q")
    go("\x06", *"map", sees=" found")
    go("down", "down")
    overflows = set(running.screen.overflows)
    running.resize(120, 40)  # what is under way then was drawn for another window
    go("down")
    running.resize(40, 12)
    go("down")
    running.screen.overflows = overflows
    return running.screen


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Screen]:
    """The same walk over harmless books and over hostile ones, each beside a second source."""

    def walked(folder: Path, other: str, say: Say) -> Screen:
        make_books(folder / "outflow.db", say, COUNT)
        shutil.copy(folder / "outflow.db", folder / other)
        with terminal("outflow.db", other, "--every", "0.3", folder=folder, VISUAL="true") as running:
            return walk(running)

    folders = [tmp_path_factory.mktemp(name) for name in ("harmless", "hostile")]
    with ThreadPoolExecutor(2) as both:
        harmless = both.submit(walked, folders[0], "other.db", lambda where, number: f"{where}{number}")
        hostile = both.submit(walked, folders[1], BAD_NAME, of_kinds(KINDS, poisoned))
        return {"harmless": harmless.result(), "hostile": hostile.result()}


def test_nothing_is_sent_over_hostile_books_that_is_not_sent_over_harmless_ones(
    walks: dict[str, Screen],
) -> None:
    hostile, harmless = walks["hostile"], walks["harmless"]
    assert hostile.kinds <= harmless.kinds
    assert hostile.steering == harmless.steering == set()
    assert hostile.overflows == harmless.overflows == set()
    titles = [words for number, words in hostile.told if number == "2"]
    copies = [base64.b64decode(words.rpartition(";")[2]).decode() for number, words in hostile.told if number == "52"]
    assert titles and len(copies) == 2
    for words in titles + copies:
        assert not [sign for sign in words if is_steering(sign) and sign != "\n"]
    assert not [words for words in copies if words.endswith("\n")], "pasted into a shell its last line would be run"


def test_no_saved_file_of_hostile_books_steers_anything_and_each_is_well_formed(
    walks: dict[str, Screen], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = next(tmp_path_factory.getbasetemp().glob("hostile*"))
    saved = set(folder.iterdir()) - {folder / "outflow.db", folder / BAD_NAME}
    assert len(saved) == 2 * len(SAVED) and {path.suffix[1:] for path in saved} == {*SAVED.values()}
    for path in saved:
        words = path.read_text()
        assert path.name.startswith(f"run-{RUN}-") and path.stat().st_mode & 0o077 == 0
        assert not [sign for sign in words if is_steering(sign) and sign != "\n"], path
        IS_WELL_FORMED.get(path.suffix, str)(words)


def is_a_picture(words: str) -> None:
    """XML that fetches nothing, runs nothing, and holds no sign that steers."""
    picture = ElementTree.fromstring(words)
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    shown = [part for each in picture.iter() for part in (each.text, each.tail, *each.attrib.values()) if part]
    assert not [part for part in shown if any(is_steering(sign) and sign != "\n" for sign in part)]
    assert not {each.tag.rpartition("}")[2] for each in picture.iter()} & {
        "script",
        "image",
        "a",
        "foreignObject",
        "use",
    }
    assert not [
        name for each in picture.iter() for name in each.attrib if name.endswith("href") or name.startswith("on")
    ]


def is_json(words: str) -> None:
    """An answer in ASCII."""
    assert words.isascii() and json.loads(words)


def is_fenced(words: str) -> None:
    """Foreign text stands in one fence, which nothing in it ends."""
    lines = words.split("\n")
    fences = [line for line in lines if line.startswith("```")]
    assert len(fences) == 2 and set(fences[1]) == {"`"} and lines[-2] == fences[1], fences


IS_WELL_FORMED: dict[str, Callable[[str], object]] = {".svg": is_a_picture, ".json": is_json, ".md": is_fenced}


NOTICES = {"9": {}, "777": {"VTE_VERSION": "7600"}}
"""The ways in which a terminal is told that a run has ended, and what tells which of them it knows."""
FORMS = ((), ("--json",))


def test_the_end_of_a_run_steers_nothing_in_notices_and_in_what_watch_prints(
    walks: dict[str, Screen], tmp_path: Path
) -> None:
    """Screens and watches look on while runs of every kind end."""
    books = make_books(tmp_path / "outflow.db", of_kinds(KINDS, poisoned), COUNT)
    ends = unended(books)
    with ExitStack() as stack:

        def begun(*words: str, **environment: str) -> WatchedTerminal:
            return stack.enter_context(terminal(*words, "--every", "0.2", folder=tmp_path, **environment))

        screens = {number: begun("outflow.db", **environment) for number, environment in NOTICES.items()}
        watches = {form: begun("watch", "-s", "outflow.db", *form) for form in FORMS}
        for seat in screens.values():
            seat.sees("PROGRESS")
            seat.press(*["t", "down"] * COUNT)
            seat.sees("when run 1 ")
        for seat in watches.values():
            seat.sees("outflow-tui: watching ")
        execute(books, ends)
        for number, seat in screens.items():
            are_told(seat, number)
            assert seat.screen.kinds <= walks["harmless"].kinds | {f"OSC {number}"}
        for form, seat in watches.items():
            are_printed(seat, is_json=bool(form))


def are_told(seat: WatchedTerminal, number: str) -> None:
    """A bell and a notice for each run, and nothing else that steers."""

    def notices() -> list[str]:
        return [words for kind, words in seat.screen.told if kind == number]

    seat.reads_until(lambda: len(notices()) == COUNT)
    seat.settles()
    assert seat.screen.steering == {"U+0007"} and seat.screen.overflows == set()
    assert {words.count(";") for words in notices()} == {3 if number == "777" else 1}
    assert not [sign for words in notices() for sign in words if is_steering(sign)]


def are_printed(seat: WatchedTerminal, *, is_json: bool) -> None:
    """A line for each run and each failed task, and nothing that steers."""
    sign = '"event": "ended"' if is_json else " ended: failed"
    seat.reads_until(lambda: seat.written.count(sign.encode()) == COUNT)
    seat.settles()
    assert seat.screen.kinds == seat.screen.steering == set()
    _, *told, rest = seat.written.decode().split("\r\n")
    failed = [line for line in told if ('"event": "task-failed"' if is_json else " failed: ") in line]
    assert len(failed) > COUNT // 2 and len(told) == COUNT + len([line for line in failed if sign not in line])
    assert rest == "" and (not is_json or all(json.loads(line) and line.isascii() for line in told))


ANYTHING = st.text(st.characters(), max_size=60) | st.sampled_from([*POISONS.values()])
bounded = settings(deadline=None, derandomize=True, max_examples=300 * SOAK, database=None)


@bounded
@given(ANYTHING)
def test_what_is_clean_can_be_seen_and_takes_the_cells_of_its_signs(given_text: str) -> None:
    shown = text.clean(given_text)
    assert not [sign for sign in shown if is_steering(sign)]
    assert text.clean(shown) == shown
    assert text.width(shown) == sum(map(text.width, shown))


@bounded
@given(ANYTHING, st.integers(1, 40))
def test_wrapped_lines_fit_and_lose_nothing(given_text: str, width: int) -> None:
    shown = text.clean(given_text)
    lines = list(text.wrapped(shown, width))
    assert "".join((joint or "") + line for line, joint in lines) == shown
    assert all(text.width(line) <= max(width, 2) for line, _ in lines)


@bounded
@given(ANYTHING, st.integers(0, 40))
def test_text_that_is_fitted_has_that_width(given_text: str, width: int) -> None:
    assert text.width(text.fit(text.clean(given_text), width)) == width


def test_every_mark_that_python_knows_is_taken_for_one() -> None:
    import re

    pattern = re.compile(f"[{MARKS}]")
    signs = map(chr, [*range(0x300, 0xD800), *range(0xE000, 0xE0000)])
    marks = [sign for sign in signs if unicodedata.category(sign) in ("Mn", "Me", "Mc")]
    missing = [f"U+{ord(sign):04X}" for sign in marks if not pattern.match(sign) and text.clean(sign) == sign]
    assert missing == []


def test_no_sign_is_wider_in_a_terminal_than_here() -> None:
    signs = [chr(number) for number in range(0x20, 0x30000) if unicodedata.category(chr(number)) not in ("Cn", "Co")]
    assert [hex(ord(sign)) for sign in signs if text.width(text.clean(sign)) < cells_of(sign)] == []
