"""The measurements run, on small databases, and what they compare is alike; what they find is not judged here."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main, names
from benchmarks.generated import Books
from benchmarks.generated_rows import Shape, runs, uuid
from benchmarks.glass import Glass
from benchmarks.quoted import HEADING, ROOT, kept, quote, table
from benchmarks.ratios import amount, bound, of_pairs, row
from benchmarks.registry import monitor, program
from benchmarks.wire import TooSlowError, Wire
from benchmarks.writer import Books as WrittenBooks

SOME = ("first-frame", "keys", "causes", "diff", "tick")


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    """Small databases of this test's own."""
    monkeypatch.setenv("OUTFLOW_BENCH_DIR", str(tmp_path))
    made = Books(quick=True)
    yield made
    made.close()


def test_figures_are_measured_by_name_and_kept_as_json(
    books: Books, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "figures.json"
    assert main([*SOME, "--quick", "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert {figure["what"].split(",")[0] for figure in found} >= {"first frame", "cursor key"}
    assert all(figure["ours"] >= 0 and figure["wanted"] for figure in found)
    assert len(capsys.readouterr().out.splitlines()) == len(found) + 2


def test_an_unknown_figure_is_named_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["first-frmae"])
    said = capsys.readouterr().err
    assert "'first-frmae'" in said and all(name in said for name in names())


def test_a_ratio_is_the_middle_of_the_rounds_and_bold_when_it_is_not_reached() -> None:
    found = of_pairs("a key", [(1.0, 2.0), (1.0, 9.0), (2.0, 3.0)], wanted="1.9 x", limit=1.9)
    assert (found.reached, found.least, found.most, found.is_reached) == (2.0, 1.5, 9.0, False)
    assert "**2.00**" in row(found)
    assert bound("bytes", [0.0], wanted="0", limit=0, unit="bytes").is_reached


def test_the_readme_quotes_what_was_measured() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert quote(readme, kept()) == readme, "make figures"


def test_what_is_not_reached_is_bold_in_the_readme_and_the_clock_stands_for_the_processor() -> None:
    figure = of_pairs("a key", [(1.0, 2.0)], wanted="1.9 x", limit=1.9)
    told = {(what, "1.9 x"): asdict(replace(figure, what=what)) for what in ("a key", "a key, processor")}
    assert table(told).removeprefix(HEADING) == "\n| a key | **2.00** | 1.9 x | 2.00 s | 1.00 s |"


def test_amounts_are_written_as_people_read_them() -> None:
    assert [amount(value, "s") for value in (0.00123, 2.5, 0)] == ["1.23 ms", "2.50 s", ""]
    assert amount(41.26, "MB") == "41.3 MB"


def test_the_bare_program_prints_what_ours_prints(books: Books) -> None:
    path = books.sqlite("a")
    commands = [monitor("runs", "--json", "-s", str(path)), program("runs_json", f"sqlite:///{path}")]
    ours, bare = (json.loads(subprocess.run(words, check=True, capture_output=True).stdout) for words in commands)
    assert ours == bare and len(ours) == books.shape("a").runs


def test_a_waiting_task_has_neither_parent_nor_time_as_outflow_writes_it() -> None:
    (run,) = runs(Shape(1, 30, waiting=5, running=2))
    tasks = [block for block in run.blocks if block[6] == "task"]
    waiting = [block for block in tasks if block[4] == "pending"]
    assert (len(tasks), len(waiting)) == (35, 3)
    assert all(block[2] is block[3] is block[13] is None for block in waiting)


def test_two_in_a_hundred_tasks_fail_each_with_one_exception() -> None:
    (run,) = runs(Shape(1, 10_000))
    failed = [block[0] for block in run.blocks if block[4] == "failed"]
    assert 150 < len(failed) < 250
    assert [exception[1] for exception in run.exceptions] == failed


def test_the_same_rows_are_generated_each_time() -> None:
    assert list(runs(Shape(3, 20))) == list(runs(Shape(3, 20)))
    assert len(uuid(random.Random(1))) == 36


def test_the_writer_begins_and_ends_tasks_one_commit_each(books: Books) -> None:
    path = books.private("d")
    writer = WrittenBooks(str(path))
    for number in range(40):
        writer.change(number / 10)
    writer.close()
    with sqlite3.connect(path) as connection:
        states = dict(connection.execute("SELECT state, count(*) FROM outflow_block GROUP BY state").fetchall())
    shape = books.shape("d")
    begun = shape.waiting - shape.running + 1 - states["pending"] + 1  # with the workflow that never starts
    assert 0 < begun < 40 and states["running"] > 1


def test_words_are_found_as_a_terminal_shows_them() -> None:
    glass = Glass(12, 3)
    for sent in (
        b"\x1b[1;1H\x1b[38;5;2mfirst\x1b[0m \x1b]2;a title\x07row\x1b[?2",
        b"5l\x1b[2;1Ha row \xe6\x97",
        b"\xa5 x",
    ):
        glass.feed(sent)
    assert [line.rstrip() for line in glass.lines()] == ["first row", "a row \u65e5 x", ""]
    glass.written.clear()
    glass.feed(b"\x1b[1;7Hcol")
    assert glass.words() == "first col   "


def test_a_terminal_wraps_and_scrolls() -> None:
    glass = Glass(4, 2)
    glass.feed(b"abcdef\r\ngh")
    assert glass.lines() == ["ef  ", "gh  "]


def test_words_that_never_come_are_told_with_what_came() -> None:
    with Wire([sys.executable, "-c", "print('something else')"]) as wire:
        with pytest.raises(TooSlowError, match="something else"):
            wire.until("the words", patience=5)
