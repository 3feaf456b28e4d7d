"""The configuration file changes while the program runs: it is followed; a broken one does not stop the watching."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from outflow_tui import configured
from tests.faults.files_broken import Breaks, deleted, folder_closed, spoiled
from tests.faults.rights import no_special_rights
from tests.faults.table import Fault
from tests.faults.watching import PASSWORD, has_read, no_more_than_before, watching
from tests.fixtures import copy_of

OTHER = f"other: {{dialect: postgresql, address: '127.0.0.1:1', database: x, user: 'me:{PASSWORD}'}}"
MAPS = f"databases: {{default: {{dialect: sqlite, path: ../maps/outflow.db}}, {OTHER}}}\n"
KEPT = "What it said before stays in force."


def says(content: str) -> Breaks:
    """What the file says while it is broken."""
    return spoiled(lambda config: config.write_text(content))


def part_deleted(config: Path) -> AbstractContextManager[None]:
    """What it includes is deleted."""
    return deleted(config.with_name("databases.yml"))


TROUBLES = (
    Fault(
        "the configuration is edited and is no YAML any more",
        f"config.yml:1:…. {KEPT}",
        "when it is mended",
        says(f"databases: {{{OTHER}, default: [}}\n"),
    ),
    Fault(
        "the configuration asks for what there is not",
        f"config.yml: …dialect…. {KEPT}",
        "when it is mended",
        says(f"databases: {{{OTHER}, default: {{dialect: oracle, user: 'me:{PASSWORD}'}}}}\n"),
    ),
    Fault("the configuration is emptied", f"config.yml: the file is empty; …. {KEPT}", "when it is mended", says("")),
    Fault("the configuration is removed", f"config.yml: …. {KEPT}", "when it is there again", deleted),
    Fault(
        "a file that the configuration includes is removed",
        f"databases.yml…. {KEPT}",
        "when it is there again",
        part_deleted,
    ),
    Fault(
        "the directory of the configuration may not be entered",
        f"config.yml: …Permission denied…. {KEPT}",
        "when it may be",
        folder_closed,
    ),
)
EDITED = Fault(
    "the configuration is edited to name another database", "", "at the next look", says(MAPS), "the runs of that one"
)
FAULTS = (*TROUBLES, EDITED)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that includes another file, beside two databases."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(configured, "AGAIN_SECONDS", 0.1)
    copy_of("kinds", tmp_path)
    copy_of("maps", tmp_path)
    folder = tmp_path / "night"
    folder.mkdir()
    databases = f"{{default: {{dialect: sqlite, path: {tmp_path}/kinds/outflow.db}}, {OTHER}}}\n"
    (folder / "databases.yml").write_text(databases)
    (folder / "config.yml").write_text("databases: !include databases.yml\n")
    return folder / "config.yml"


@pytest.mark.parametrize("fault", TROUBLES, ids=str)
async def test_a_broken_configuration_is_told_and_the_books_are_read_on(fault: Fault, config: Path) -> None:
    with no_special_rights():
        async with watching("night/config.yml") as desk:
            await desk.sees("bad_setup")
            await has_read(desk)
            async with no_more_than_before(desk):
                with fault.breaks(config):
                    await desk.until(lambda: fault.is_told(desk.lines()), "nothing is told")
                    assert "cannot read" not in desk.text() and "bad_setup" in desk.text()
                await desk.misses("stays in force")
            assert "bad_setup" in desk.text()


async def test_an_edited_configuration_is_followed(config: Path) -> None:
    async with watching("night/config.yml") as desk:
        await desk.sees("bad_setup")
        await has_read(desk)
        async with no_more_than_before(desk):
            with EDITED.breaks(config):
                await desk.sees("map_many")
                assert "bad_setup" not in desk.text()
            await desk.sees("17 failed")


async def test_an_edited_part_of_a_configuration_is_followed(config: Path) -> None:
    async with watching("night/config.yml") as desk:
        await desk.sees("bad_setup")
        config.with_name("databases.yml").write_text("default: {dialect: sqlite, path: ../maps/outflow.db}\n")
        await desk.sees("map_many")


async def test_what_is_wrong_with_both_the_configuration_and_the_database_is_told(config: Path) -> None:
    async with watching("night/config.yml") as desk:
        await desk.sees("bad_setup")
        with deleted(config):
            await desk.sees("stays in force")
            with deleted(config.parent.parent / "kinds" / "outflow.db"):
                await desk.sees("no such file; it was moved")
                await desk.sees("stays in force")
        await desk.misses("stays in force")
        await desk.misses("Since")


async def test_the_run_that_is_looked_at_may_not_be_in_the_database_that_is_named_now(config: Path) -> None:
    async with watching("night/config.yml") as desk:
        await desk.sees("bad_setup")
        await desk.press("enter")
        await desk.sees("run 28")
        with EDITED.breaks(config):
            await desk.sees("not in the books")
        await desk.misses("not in the books")
