"""Values in the books that no recorder ever wrote: each is shown or told, and none ends an answer or the screen."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from outflow_core.databases import Database
from outflow_core.json_text import JSON_DEPTH
from outflow_tui.app import OutflowApp
from outflow_tui.cli import main
from outflow_tui.documents import Document
from outflow_tui.lookout import Watched
from outflow_tui.screens.books_screen import BooksScreen
from outflow_tui.source import BooksSource
from outflow_tui.widgets.text_lines import TextLines
from tests.fixtures import copy_of
from tests.tui.conftest import usual_terminal
from tests.tui.desk import Desk

__all__ = ["usual_terminal"]
"""A fixture for all of these."""

NEWEST, FAILED = 28, 2
DEEP = "'{\"a\":\"'||replace(hex(zeroblob(5000)),'0','[')||replace(hex(zeroblob(5000)),'0',']')||'\"}'"
"""Ten thousand lists in each other, as a text inside JSON."""
ANSWERS = (
    ["runs"],
    ["show", str(FAILED)],
    ["show", str(NEWEST)],
    ["failures", str(FAILED)],
    ["config", str(NEWEST)],
    ["diff", "27", str(NEWEST)],
    ["diff", "26", "27", str(NEWEST)],
    ["search", "a"],
    ["processed", "a=1"],
)
FORMS: tuple[list[str], ...] = ([], ["--json"], ["--markdown"])


def damaged(folder: Path, *statements: str) -> Path:
    """A copy of books that real Outflow wrote, changed by these statements."""
    path = copy_of("kinds", folder) / "outflow.db"
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


@asynccontextmanager
async def watching(path: Path) -> AsyncIterator[Desk]:
    """Sit down before these books."""
    app = OutflowApp([Watched(path.name, lambda: BooksSource(Database("default", "sqlite", path=path)))], seconds=0.05)
    async with app.run_test(size=(100, 30)) as pilot:
        desk = Desk(app, pilot, [])
        await desk.until(lambda: app.seen[0].is_complete, "the history was not counted")
        yield desk


def told(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> str:
    """What a command prints, or of what it complains."""
    main([words[0], "--source", str(path), *words[1:]])
    said = capsys.readouterr()
    return said.out + said.err


def document(desk: Desk) -> Document:
    """What is on the screen, all of it."""
    assert isinstance(desk.app.screen, BooksScreen)
    return desk.app.screen.document()


def nested(depth: int) -> str:
    """A JSON text of mappings and lists in each other."""
    half = depth // 2
    return '{"a":[' * half + "1" + "]}" * half


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE outflow_block SET input_values={DEEP}",
        f"UPDATE outflow_block SET input_values='[' || {DEEP} || ']', input_targets={DEEP}",
        f"UPDATE outflow_configuration SET config={DEEP}, settings='{nested(5000)}'",
        f"UPDATE outflow_configuration SET config='{nested(JSON_DEPTH)}' || substr('  ', id % 2)",
        f"UPDATE outflow_configuration SET config=replace('{nested(JSON_DEPTH)}', '1', id)",
        f"UPDATE outflow_configuration SET config=replace('{nested(JSON_DEPTH)}', '1', '\"******\"')",
        f"UPDATE outflow_block SET input_values=json_object('a', '{nested(JSON_DEPTH)}', 'b', '{{}}')",
    ],
)
async def test_however_deep_values_are_nested_they_are_shown(
    statement: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = damaged(tmp_path, statement)
    for words in ANSWERS:
        for form in FORMS:
            assert main([words[0], "--source", str(path), *form, *words[1:]]) in (0, 1), (words, form)
    capsys.readouterr()
    async with watching(path) as desk:
        desk.app.open_run(0, FAILED)
        await desk.sees("raw_data is")
        await desk.press("c")
        await desk.sees("configuration  ")
        await desk.press("q", "q")
        desk.app.open_diff((0, 27), (0, NEWEST))
        await desk.until(lambda: "iffer" in desk.text() or "same" in desk.text(), "no comparison")


async def test_blocks_that_are_inside_each_other_are_shown(tmp_path: Path) -> None:
    path = damaged(
        tmp_path,
        "UPDATE outflow_block SET parent_id=118 WHERE id=117",
        "UPDATE outflow_block SET parent_id=117 WHERE id=118",
        f"UPDATE outflow_block SET parent_id=id WHERE run_id={FAILED} AND type='task'",
    )
    async with watching(path) as desk:
        desk.app.open_run(0, NEWEST)
        await desk.sees("2/2")
        await desk.press("down", "right")
        names = {name for (name,) in sqlite3.connect(path).execute("SELECT name FROM outflow_block WHERE id > 116")}
        for name in names:
            await desk.sees(name)
        await desk.press("q")
        desk.app.open_run(0, FAILED)
        await desk.sees("✗ boom")
        await desk.sees("✓ gen_data")


async def test_a_run_with_nothing_but_workflows_around_it_says_so(tmp_path: Path) -> None:
    path = damaged(tmp_path, "UPDATE outflow_block SET name='top_level_workflow', type='workflow', state='pending'")
    async with watching(path) as desk:
        desk.app.open_run(0, FAILED)
        await desk.sees("No task is recorded in this run:")
        await desk.sees("all of its 4 blocks are called")


LARGE = "'['||replace(hex(zeroblob(50000)),'00','{\"a\":1},')||id||']'"
"""A hundred thousand values and two."""
TWO_LARGE = (
    f"UPDATE outflow_configuration SET config={LARGE}",
    "INSERT INTO outflow_configuration (id, config, settings, hash) "
    "SELECT 2, replace(config, '[{\"a\":1}', '[{\"a\":2}'), '{}', 'x' FROM outflow_configuration",
    "UPDATE outflow_run SET configuration_id=2 WHERE id=27",
)


async def test_of_a_very_large_configuration_the_first_values_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    path = damaged(tmp_path, *TWO_LARGE)
    async with watching(path) as desk:
        desk.app.open_configuration(0, NEWEST)
        left_out = "the last 80,001 values are left out; 'outflow-tui config RUN --json' prints all of them"
        await desk.sees(left_out)
        assert len(desk.app.screen.query_one(TextLines).items) < 30_000
        value = document(desk).value
        assert value["values_left_out"] == 80_001
        await desk.press("q")
        desk.app.open_diff((0, 27), (0, NEWEST))
        await desk.sees("very large: only their first values are compared")
        await desk.sees("[0].a  2 → 1")
        await desk.press("q")
        desk.app.open_table([(0, 26), (0, 27), (0, NEWEST)])
        await desk.sees("very large: only their first values are compared")
        await desk.press("q")
        desk.app.open_diff((0, 26), (0, NEWEST))
        await desk.sees("Both runs used the same configuration.")
        assert "very large" not in desk.text()


def test_the_answers_for_scripts_hold_the_whole_of_a_very_large_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = damaged(tmp_path, *TWO_LARGE)
    assert len(json.loads(told(capsys, path, "config", "--json", str(NEWEST)))["configuration"][""]) == 50_001


async def test_of_a_very_long_value_the_beginning_is_shown(tmp_path: Path) -> None:
    path = damaged(
        tmp_path, "UPDATE outflow_configuration SET config=json_object('a', hex(zeroblob(500000)), 'b', 'behind')"
    )
    async with watching(path) as desk:
        desk.app.open_configuration(0, NEWEST)
        await desk.sees('b: "behind"')
        assert any("... (1,000,000 characters)" in line for line in document(desk).lines)


async def test_a_configuration_that_is_not_in_the_books_is_told_on_every_screen(tmp_path: Path) -> None:
    path = damaged(tmp_path, "DELETE FROM outflow_configuration")
    async with watching(path) as desk:
        desk.app.open_configuration(0, NEWEST)
        await desk.sees(f"configuration 1 of run {NEWEST} is not in the books")
        assert "reading" not in desk.text()
        await desk.press("q")
        desk.app.open_diff((0, 27), (0, NEWEST))
        await desk.sees("configuration 1 of run 27 is not in the books")
        await desk.sees(f"configuration 1 of run {NEWEST} is not in the books")
        await desk.sees("~ tasks")
        await desk.press("q")
        desk.app.open_table([(0, 26), (0, 27), (0, NEWEST)])
        await desk.sees("configuration 1 of run 26 is not in the books")
        assert "not read yet" not in desk.text()


LONG = "replace(hex(zeroblob(500000)),'00','wo rd'||char(8238))||id"
"""Three million characters, many of which have to be written out."""


async def test_names_of_millions_of_characters_hold_nothing_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = damaged(
        tmp_path,
        f"UPDATE outflow_run SET uuid={LONG}, command_name={LONG}, hostname={LONG} WHERE id IN (2, 28)",
        f"UPDATE outflow_block SET uuid={LONG}, name={LONG}, plugin={LONG}, hostname={LONG} WHERE run_id IN (2, 28)",
        f"UPDATE outflow_runtime_exception SET exception_type={LONG} WHERE id=1",
        f"UPDATE outflow_configuration SET hash={LONG}, config=json_object({LONG}, {LONG})",
    )
    run = json.loads(told(capsys, path, "runs", "--json"))[0]
    assert run["hostname"].startswith("wo rd\u202ewo rd") and run["hostname"].endswith(" ... (3,000,002 characters)")
    assert len(told(capsys, path, "runs")) < 500_000 and len(told(capsys, path, "runs", "--markdown")) < 50_000
    async with watching(path) as desk:
        began = time.process_time()
        await desk.press("down", "up", "s", "s", "enter")
        await desk.sees("wo rd\\u202e")
        await desk.press("down", "enter", "q", "2", "q", "3", "q", "4")
        await desk.sees("configuration")
        await desk.press("G", "q", "q")
        assert time.process_time() - began < 10
