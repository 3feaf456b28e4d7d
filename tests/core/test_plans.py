"""What a look asks once the history is complete goes over no large table, as the databases explain it.

Left out is the search, which goes over everything by its nature, in slices. A range of ids is no scan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import DateTime, Engine, String, case, cast, insert, literal, select, text, update

from outflow_core import tables
from outflow_core.engines import make_engine
from outflow_core.states import State
from outflow_tui.snapshot import Focus, Snapshot
from outflow_tui.source import BooksSource
from tests.core.books import DIALECTS, POSTGRESQL, fresh_books

NOON = datetime(2024, 5, 1, 12)
TASKS = 60_000
FAILED = 15
"""Every fifteenth task failed: with less, to scan would be quicker than to ask for some hundred ids."""
LARGE = re.compile(r"\b(?:SCAN|Seq Scan on) (?:outflow_block|outflow_runtime_exception|outflow_edge)\b")
FIRST = Focus(2, 152)
FOCUSES = (
    Focus(),
    Focus(2),
    FIRST,
    Focus(2, TASKS),
    Focus(2, causes=True),
    Focus(2, timeline=True),
    Focus(configurations_of=frozenset({1, 2})),
    Focus(profiles_of=frozenset({1, 2})),
)
"""What the screens ask for."""


def fill(engine: Engine) -> None:
    """A small run, then a large one, in which many tasks failed; each comes after the one before."""
    n = select(literal(1).label("n")).cte("numbers", recursive=True)
    n = n.union_all(select(n.c.n + 1).where(n.c.n < TASKS))
    number, name = n.c.n, cast(n.c.n, String)
    run_id, ended = case((number < 101, 1), else_=2), case((number % FAILED == 2, "failed"), else_="success")
    types = tables.block.c
    task = cast("task", types.type.type), literal("frame"), run_id, cast(ended, types.state.type)
    failed, moment = select(number, number, literal("OSError")).where(number % FAILED == 2), cast(NOON, DateTime)
    words = literal("no"), literal("x" * 900), moment if engine.dialect.name == POSTGRESQL else literal(str(NOON))
    runs = [
        {"id": n, "uuid": f"r{n}", "state": state, "configuration_id": 1, "command_name": "night"}
        for n, state in ((1, State.SUCCESS), (2, State.RUNNING))
    ]
    columns = ["id", "block_id", "exception_type", "exception_msg", "traceback", "time"]
    with engine.begin() as connection:
        connection.execute(insert(tables.configuration), {"id": 1, "config": {}, "settings": {}, "hash": "x"})
        connection.execute(insert(tables.run), runs)
        for table, names, rows in (
            (tables.block, ["id", "uuid", "type", "name", "run_id", "state"], select(number, name, *task)),
            (tables.edge, ["upstream_block_id", "downstream_block_id"], select(number - 1, number).where(number > 1)),
            (tables.runtime_exception, columns, failed.add_columns(*words)),
        ):
            connection.execute(insert(table).from_select(names, rows))
        connection.execute(text("ANALYZE"))


@pytest.fixture(params=DIALECTS)
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[BooksSource, Engine]]:
    """A source of such books, and somebody who writes into them."""
    books = fresh_books(request, tmp_path, request.param)
    engine, source = make_engine(books.database()), BooksSource(books.database())
    fill(engine)
    yield source, engine
    source.close()
    engine.dispose()


def look_to_the_end(source: BooksSource, focus: Focus) -> Snapshot:
    """The answer when nothing more is being read."""
    while (snapshot := source.look(focus)).is_behind:
        pass
    return snapshot


def told(connection: Any, statement: Any, values: Any) -> tuple[str, Any]:
    """The statement and its values, as the driver takes them."""
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    given = {**compiled.params, **(values or {})}
    return str(compiled), [given[name] for name in compiled.positiontup] if compiled.positiontup else given


def plan_of(connection: Any, statement: str, values: Any) -> str:
    """How the database means to answer."""
    how = "EXPLAIN" if connection.dialect.name == POSTGRESQL else "EXPLAIN QUERY PLAN"
    cursor = connection.connection.driver_connection.cursor()
    cursor.execute(f"{how} {statement}", values)
    lines = [str(row[-1]) for row in cursor.fetchall()]
    cursor.close()
    return "\n".join(lines)


def asked_for(source: BooksSource, engine: Engine) -> dict[str, Any]:
    """What the screens ask, before and after a change, each statement once."""
    asked: dict[str, Any] = {}
    fetched = source._reader._fetched

    def kept(connection: Any, statement: Any, values: Any) -> Any:
        if hasattr(statement, "get_final_froms"):
            asked.setdefault(*told(connection, statement, values))
        return fetched(connection, statement, values)

    source._reader._fetched = kept  # type: ignore[method-assign]
    for focus in FOCUSES:
        look_to_the_end(source, focus)
        with engine.begin() as connection:
            connection.execute(update(tables.block).where(tables.block.c.id == TASKS).values(state=State.FAILED))
        look_to_the_end(source, focus)
    return asked


def test_no_screen_scans_a_large_table(watched: tuple[BooksSource, Engine]) -> None:
    source, engine = watched
    look_to_the_end(source, Focus())
    asked = asked_for(source, engine)
    with engine.connect() as connection:
        plans = {text: plan_of(connection, text, values) for text, values in asked.items()}
    assert {"outflow_block", "outflow_edge", "outflow_runtime_exception"} <= set(re.findall(r"outflow_\w+", str(asked)))
    assert [f"{text}\n{plan}" for text, plan in plans.items() if LARGE.search(plan)] == []


def test_a_scan_would_be_seen(watched: tuple[BooksSource, Engine]) -> None:
    _, engine = watched
    c = tables.runtime_exception.c
    with engine.connect() as connection:
        statement = told(connection, select(c.id).where(c.block_id.in_([152])), None)
        assert LARGE.search(plan_of(connection, *statement))
