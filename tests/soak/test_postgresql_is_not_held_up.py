"""PostgreSQL: pipelines commit and tables are altered while monitors watch, each with one connection."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from outflow_core import run_queries
from outflow_core.reader import Reader
from outflow_core.sources import find_database
from tests.core.servers import OwnServer
from tests.soak.terminals import monitor
from tests.soak.tours import FEW, Step, tour, unseen
from tests.soak.writers import new_pipeline, our_writer, outflow_writer
from tests.tally import Tally, soak_factor

SECONDS = 2.5 * soak_factor()
LOCK_SECONDS = 5
MONITORS = 2
MIGRATIONS = (
    "ALTER TABLE outflow_block ADD COLUMN soaked integer",
    "CREATE INDEX soak_index ON outflow_block (soaked)",
    "ALTER TABLE outflow_block DROP COLUMN soaked",
)
ASKED = (
    "SELECT state, xact_start IS NOT NULL, query, backend_start < now() - interval '0.5 s' AS is_lasting "
    "FROM pg_stat_activity WHERE application_name = 'outflow-tui'"
)
"""A session that was left may stand in the server's list for a moment, beside the next one of who comes and goes."""

pytestmark = pytest.mark.timeout(300 + 2 * SECONDS)


@pytest.fixture
def served(own_server: OwnServer, tmp_path: Path) -> Path:
    """A pipeline of real Outflow whose books a server keeps."""
    own_server.sql("CREATE USER soaker PASSWORD 'soaked' CREATEDB")
    own_server.sql("CREATE DATABASE soak OWNER soaker")
    who = {"admin": "soaker:soaked", "user": "soaker:soaked"}
    entry = {"dialect": "postgresql", "address": f"127.0.0.1:{own_server.port}", "database": "soak", **who}
    folder = new_pipeline(tmp_path / "pipeline", {"default": entry})
    (folder / "config.yml").chmod(0o600)
    return folder


class Sampled:
    """What the server says of the monitors' connections, looked at all the time."""

    def __init__(self) -> None:
        self.looks = self.most = 0
        self.idle_in_transaction: list[str] = []

    def look(self, server: OwnServer, ended: threading.Event) -> None:
        """Look until the end."""
        with server.session("soak") as cursor:
            while not ended.wait(0.002):
                cursor.execute(ASKED)
                rows = cursor.fetchall()
                self.looks, self.most = self.looks + 1, max(self.most, sum(row[3] for row in rows))
                self.idle_in_transaction += [str(row) for row in rows if "in transaction" in (row[0] or "")]


def migrate(server: OwnServer, ended: threading.Event) -> tuple[int, float]:
    """Alter a table again and again, as migrations do; how often, and the longest that one took."""
    number, longest = 0, 0.0
    with server.session("soak") as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        while not ended.wait(0.2):
            for statement in MIGRATIONS:
                began = time.monotonic()
                cursor.execute(statement)
                number, longest = number + 1, max(longest, time.monotonic() - began)
    return number, longest


def watch(folder: Path, ended: threading.Event) -> Counter[Step]:
    """Open every screen in turn; those that were seen."""
    seen = Counter[Step]()
    with monitor(str(folder), "--every", "0.2") as seat:
        while not ended.is_set():
            seen.update(tour(seat))
    return seen


def come_and_go(folder: Path, ended: threading.Event) -> int:
    """Connect, read and leave, as commands in scripts do; how often."""
    number = 0
    while not ended.is_set():
        reader = Reader(find_database(str(folder)))
        assert run_queries.runs(reader, count=1)
        reader.close()
        number += 1
    return number


def test_writers_and_migrations_go_on_while_monitors_watch(served: Path, own_server: OwnServer, tally: Tally) -> None:
    ended, sampled = threading.Event(), Sampled()
    with ThreadPoolExecutor(MONITORS + 3) as pool:
        monitors = [pool.submit(watch, served, ended) for _ in range(MONITORS)]
        sampling = pool.submit(sampled.look, own_server, ended)
        visits = pool.submit(come_and_go, served, ended)
        migrations = pool.submit(migrate, own_server, ended)
        try:
            writers = [outflow_writer(served, "theirs", SECONDS), our_writer(served, "ours", SECONDS)]
            told = [writer.told() for writer in writers]
        finally:
            ended.set()
        sampling.result()
        number, longest = migrations.result()
        seen = sum((end.result() for end in monitors), Counter[Step]())
    tally("commits held on PostgreSQL", sum(writer.commits for writer in told))
    tally("commits failed on PostgreSQL", sum(writer.failed for writer in told))
    tally("connections made and left on PostgreSQL", visits.result())
    tally("migrations while monitors watch", number)
    tally("longest migration, ms", 1000 * longest, how="max")
    tally("looks at the server's sessions", sampled.looks)
    tally("of these with a monitor idle in a transaction", len(sampled.idle_in_transaction))
    assert sum(writer.failed for writer in told) == 0, [writer.errors for writer in told]
    assert len(unseen(seen)) <= FEW, unseen(seen)
    assert sampled.idle_in_transaction == [] and 0 < sampled.most <= MONITORS + 1
    assert number >= len(MIGRATIONS)
