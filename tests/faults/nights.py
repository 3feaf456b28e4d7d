"""A pipeline whose books break amid a night: its own log of what it did, and what the books tell of it afterwards."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from outflow_core import bookkeeper, engines, record_run, tables
from outflow_core.bookkeeper import Backlog
from outflow_core.books import Books
from outflow_core.settings import Settings
from tests.core.books import rows

ITEMS = int(os.environ.get("OUTFLOW_ITEMS", "24"))
BREAKS, MENDS = ITEMS // 4, ITEMS // 2
LONGEST_STEP = 12.0
"""Seconds that the pipeline may stand still at most, under the time limits of these tests."""

Log = list[tuple[int, str]]
tried_faults: set[str] = set()
"""The faults that the test that runs has provoked."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is waited for is waited for shortly; the user's own folder is a fresh one."""
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(engines, "LOCK_SECONDS", 0.3)
    monkeypatch.setattr(engines, "PING_SECONDS", 0.3)
    monkeypatch.setattr(engines, "ANSWER_SECONDS", 1)
    monkeypatch.setattr(bookkeeper, "PATIENCE", 2.0)
    monkeypatch.setattr(bookkeeper, "LONGEST_PAUSE", 0.5)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many entries are recorded at once, held, and replayed."""
    numbers: Counter[str] = Counter()
    write, again, add = Books.write, Books.write_again, Backlog.add

    def written(books: Books, entry: Any) -> None:
        write(books, entry)
        numbers["recorded"] += 1

    def replayed(books: Books, entries: Any) -> None:
        again(books, entries)
        numbers["replayed"] += len(entries)

    def held(backlog: Backlog, entry: Any, reason: str) -> None:
        add(backlog, entry, reason)
        numbers["held"] += 1

    monkeypatch.setattr(Books, "write", written)
    monkeypatch.setattr(Books, "write_again", replayed)
    monkeypatch.setattr(Backlog, "add", held)
    return numbers


def night(config: Path, log: Log, between: Callable[[int], None]) -> float:
    """A pipeline of many items, one in five of which fails; the seconds of its longest step."""
    longest = 0.0
    with record_run("night", config=config) as run:
        with run.workflow("map", inputs=[{"n": n} for n in range(ITEMS)]) as items:
            for item in items:
                between(number := int(item.inputs["n"]))
                begun = time.monotonic()
                try:
                    with item.task("fit"):
                        log.append((number, f"failed: ValueError: no {number}" if number % 5 == 3 else "success"))
                        if number % 5 == 3:
                            raise ValueError(f"no {number}")
                except ValueError:
                    pass
                longest = max(longest, time.monotonic() - begun)
    return longest


def told(books: Settings) -> Log:
    """What the books tell of the items, failures with their exceptions; a run that did not succeed tells nothing."""
    runs = {row["id"] for row in rows(books, tables.run) if row["command_name"] == "night"}
    states = [row["state"].value for row in rows(books, tables.run) if row["id"] in runs]
    assert states == ["success"], states
    blocks = [row for row in rows(books, tables.block) if row["run_id"] in runs]
    items = {row["id"]: int(row["input_values"]["n"]) for row in blocks if "n" in (row["input_values"] or {})}
    words = {row["id"]: row["state"].value for row in blocks}
    for raised in rows(books, tables.runtime_exception):  # a second one would show
        words[raised["block_id"]] = f"{words[raised['block_id']]}: {raised['exception_msg']}"
    found = [
        (items.get(row["parent_id"], items.get(row["id"])), words[row["id"]]) for row in blocks if row["name"] == "fit"
    ]
    return sorted((number, state) for number, state in found if number is not None)


def report(fault: str, numbers: Counter[str], log: Log, found: Log) -> None:
    """The numbers of one fault, printed; that it was tried is counted."""
    tried_faults.add(fault)
    lost = sum((Counter(log) - Counter(found)).values())
    words = ", ".join(f"{numbers[name]} {name}" for name in ("recorded", "held", "replayed"))
    print(f"{fault}: {len(log)} items, entries {words}, lost {lost}")


def tried(config: Path, breaks: Callable[[], AbstractContextManager[None]], until: int) -> tuple[Log, float]:
    """Run the pipeline, breaking something for some of its items."""
    log, fault = Log(), breaks()

    def between(number: int) -> None:
        if number == BREAKS:
            fault.__enter__()
        elif number == until:
            fault.__exit__(None, None, None)

    longest = night(config, log, between)
    if until >= ITEMS:
        fault.__exit__(None, None, None)
    return log, longest
