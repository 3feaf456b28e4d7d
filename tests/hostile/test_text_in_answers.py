"""What somebody else wrote stays text in the answers for scripts: as text, JSON and Markdown, in any encoding."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outflow_core import db_cli
from outflow_core.databases import Database
from outflow_core.printable import printable
from outflow_core.tables import metadata
from outflow_tui import markdown
from outflow_tui.cli import main
from outflow_tui.snapshot import Focus
from outflow_tui.source import BooksSource
from tests.hostile.books import make_books, of_kinds
from tests.hostile.poisons import POISONS, poisoned
from tests.hostile.wire import is_steering

SOAK = int(os.environ.get("OUTFLOW_SOAK", "1"))
KINDS = [*POISONS]
RUN = str(len(KINDS) - 1)
ASKED = (
    ["runs"], ["show", RUN], ["failures", RUN], ["diff", "3", "4"], ["diff", *map(str, range(1, 10))], ["config", "3"],
    *(["config", str(number)] for number in range(4, len(KINDS))), ["search", "map"], ["search", "x"],
    ["processed", "map\x1b[31;5mred\x1b[0m"], ["processed", "no\x1b[2J\u202e"], ["show", "no\x1b[2J\u202e\udc9b"],
    ["show", "last:no\x9b"], ["wait", RUN],
)  # fmt: skip
FORMS: tuple[list[str], ...] = ([], ["--json"], ["--markdown"])


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books with every kind of poison in every place."""
    return make_books(
        tmp_path_factory.mktemp("books") / "out\x1b]0;x\x07\u202eflow.db", of_kinds(KINDS, poisoned), len(KINDS)
    )


def answer(
    capsys: pytest.CaptureFixture[str], words: Sequence[str], books: Path, form: Sequence[str]
) -> tuple[int, str]:
    """What a command prints, checked for whatever steers; its status."""
    status = main([words[0], "--source", str(books), *form, *words[1:]])
    told = capsys.readouterr()
    steering = {f"U+{ord(sign):04X}" for sign in told.out + told.err if is_steering(sign) and sign != "\n"}
    assert not steering, (words, form, steering)
    assert told.err.count("\n") == (status == 2), told.err
    return status, told.out


@pytest.mark.parametrize("form", FORMS, ids=["text", "json", "markdown"])
def test_no_answer_holds_anything_that_steers(form: list[str], books: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ASKED:
        if words[0] == "wait" and "--markdown" in form:
            continue
        status, told = answer(capsys, words, books, form)
        if "--json" in form and status != 2:
            json.loads(told)
        if "--markdown" in form:
            assert outside_of_code(told) == [], (words, outside_of_code(told), told[:3000])


SPANS = re.compile(
    r"(?P<fence>^(?P<ticks>`{3,})[^\n]*\n.*?\n(?P=ticks)$)|(?P<span>(`+)(?!`).*?(?<!`)\4(?!`))|<code>.*?</code>",
    re.S | re.M,
)
PLACES = re.compile(
    r"(?:config|setting|map|input)-?(?:key|value|item)|hash|uuid|host|command\S*x|plugin|message|file|function|code|"
    r"pid-space|job|x\.example|javascript|HYPERLINK|touch|passwd|[\[\]<>&*_~|]", re.I,
)  # fmt: skip


def outside_of_code(page: str) -> list[str]:
    """What stands in a page of Markdown outside of its code, and is not ours."""
    rest = "\n".join(line for line in SPANS.sub("", page).split("\n") if not line.startswith("|"))
    rest += "".join(
        re.findall(r"[\[\]<>&*_~]", "\n".join(line for line in SPANS.sub("", page).split("\n") if line.startswith("|")))
    )
    ours = re.sub(
        r"\*\*(Inputs|Traceback|What differs from run \d+, [^*\n]*)\*\*|host |uuid |^hash |- command: |"
        r"of plugin |same configuration|",
        "",
        rest,
        flags=re.M,
    )
    return PLACES.findall(ours)


@settings(deadline=None, derandomize=True, max_examples=200 * SOAK, database=None)
@given(st.text(st.sampled_from("``~|<>[]()!*_#\\-=+ a\n&\x1b\u2028"), max_size=40))
def test_code_in_markdown_cannot_be_left(words: str) -> None:
    assert "\n" not in markdown.code(words) and "\n" not in markdown.cell(words)
    assert "|" not in re.sub(r"`.*`", "", markdown.cell(words)) or "|" not in words
    assert SPANS.sub("", markdown.fenced(words)) == ""
    if words.strip():
        assert SPANS.sub("", markdown.code(words)) in ("", "(empty)")


@pytest.mark.parametrize("table", [table.name for table in metadata.sorted_tables])
@pytest.mark.parametrize(
    "odd", [b"\xff\x1b]0;x\x07", "text\x1b[2J", 1.5, None], ids=["bytes", "text", "fraction", "nothing"]
)
def test_a_value_of_another_type_in_any_column_is_told_and_hides_nothing_else(
    table: str, odd: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = with_odd_values(make_books(tmp_path / "outflow.db", lambda where, number: f"{where}{number}", 4), table, odd)
    status, told = answer(capsys, ["runs"], path, [])
    assert status == 0 and "command1" in told
    for words in (["show", "3"], ["failures", "3"], ["diff", "2", "3"], ["search", "e"], ["processed", "e"]):
        answer(capsys, words, path, ["--json"])
    source = BooksSource(Database("default", "sqlite", path=path))
    wanted = frozenset({2, 3})
    for focus in (
        Focus(3),
        Focus(3, 3),
        Focus(3, causes=True),
        Focus(3, timeline=True),
        Focus(configurations_of=wanted),
    ):
        assert [line.row.id for line in source.look(focus).runs] == [4, 3, 2, 1]
    source.close()


def with_odd_values(path: Path, table: str, odd: object) -> Path:
    """The same books with this value in every column of a row in the middle, but its id, state and type."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = 1")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '')")
    connection.commit()
    connection.close()
    connection = sqlite3.connect(path)
    columns = [column.name for column in metadata.tables[table].columns if column.name not in ("id", "state", "type")]
    for column in columns:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = (SELECT max(rowid) FROM {table})", [odd])
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize("form", FORMS[:2], ids=["text", "json"])
def test_where_only_ascii_can_be_written_nothing_fails(form: list[str], books: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "outflow_tui.cli", "show", "-s", str(books), *form, RUN]
    ended = subprocess.run(command, env=os.environ | plain, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"") and ended.stdout.isascii()


def test_the_other_command_steers_nothing_by_the_names_in_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "b\x1b]0;x\x07\u202e\nDROP TABLE x; --"
    config = tmp_path / "con\x1b[2J.json"
    config.write_text(json.dumps({"databases": {"default": {"path": "a\x9b.db"}, name: {"path": "b\x1b[2J.db"}}}))
    for verb in (
        ["status"],
        ["upgrade"],
        ["status"],
        ["status", "--json"],
        ["history"],
        ["check"],
        ["sql", "--from-nothing"],
    ):
        db_cli.main([*verb, "--config", str(config)])
        told = capsys.readouterr()
        assert not [sign for sign in told.out + told.err if is_steering(sign) and sign not in "\n\t"], verb
        assert not re.search("^DROP TABLE x", told.out, re.M)


def test_a_name_is_printable_twice_as_once() -> None:
    assert printable(printable("a\x1b\u202e\udc9b")) == printable("a\x1b\u202e\udc9b") == "a\\x1b\\u202e\\udc9b"
