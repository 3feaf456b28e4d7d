"""A PostgreSQL server to break: books of one run on it, the configuration that names them, and who is connected."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from outflow_core import record_run, tables
from outflow_core.engines import make_engine
from outflow_core.settings import Settings, read_settings
from tests.core.books import grant
from tests.core.servers import OwnServer, own_servers
from tests.faults.watching import PASSWORD

MONITOR = (
    "SELECT pid, state FROM pg_stat_activity WHERE application_name = 'outflow-tui' AND backend_type LIKE 'client%'"
)


@dataclass
class Stage:
    """Books on a server, with their configuration file."""

    server: OwnServer
    name: str
    config: Path

    def configure(self, password: str = PASSWORD, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
        """Write the configuration file."""
        roles = {"user": f"worker:{password}", "admin": f"owner:{PASSWORD}"}
        place = {"address": f"{host}:{port or self.server.port}", "database": self.name}
        entry = {"dialect": "postgresql", **place, **roles, "options": {"connect_timeout": 2, **options}}
        self.config.write_text(json.dumps({"databases": {"default": entry}}), encoding="utf-8")
        self.config.chmod(0o600)

    @property
    def settings(self) -> Settings:
        """What the configuration says now."""
        return read_settings(self.config)

    def make_tables(self) -> None:
        """Those of Outflow's tables that are missing."""
        engine = make_engine(self.settings.database(), "admin")
        tables.metadata.create_all(engine, tables=tables.OUTFLOW_TABLES)
        grant(engine, self.settings.database())
        engine.dispose()

    def record(self, command: str, **settings: Any) -> None:
        """Another run of some command, of one task."""
        with record_run(command, config=self.config, settings=settings, strict=True) as run, run.task("fit"):
            pass

    def ask(self, statement: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement as superuser; its rows."""
        with self.session(database) as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def session(self, database: str | None = None) -> Iterator[Any]:
        """A superuser's session, without transactions unless begun."""
        with self.server.session(database or self.name) as cursor:
            yield cursor

    def monitors(self) -> list[tuple[Any, ...]]:
        """The monitor's connections: process and state."""
        return self.ask(MONITOR, "postgres")

    def cut(self) -> None:
        """End the monitor's connection, as an administrator does."""
        self.ask(f"SELECT pg_terminate_backend(pid, 5000) FROM ({MONITOR}) AS found", "postgres")


@pytest.fixture(scope="session")
def server() -> Iterator[OwnServer]:
    """A server with few connections, with the roles of who owns the books and who works with them."""
    for own in own_servers():
        own.sql("ALTER SYSTEM SET max_connections = 12")
        own.restart()
        for role in ("owner", "worker"):
            own.sql(f"CREATE ROLE {role} LOGIN PASSWORD %s", PASSWORD)
        yield own


def new_stage(server: OwnServer, folder: Path, name: str) -> Stage:
    """Fresh books with a run of the command `reduce`."""
    server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.sql(f"CREATE DATABASE {name} OWNER owner")
    server.sql("ALTER ROLE worker PASSWORD %s", PASSWORD)
    stage = Stage(server, name, folder / "config.json")
    stage.configure()
    stage.make_tables()
    stage.record("reduce", night=1)
    return stage


@contextmanager
def suspended(pids: list[int]) -> Iterator[None]:
    """Processes stand still, as after Ctrl-Z: what is sent to them is taken by the kernel, and nothing comes back."""
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # ended by the first that went on
                os.kill(pid, signal.SIGCONT)


def processes_of(server: OwnServer) -> list[int]:
    """The server's first process, and all that it has begun."""
    first = int((server.folder / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]


@contextmanager
def stopped(stage: Stage) -> Iterator[None]:
    """The server is stopped."""
    stage.server.stop()
    yield
    stage.server.start()


@contextmanager
def hung(stage: Stage) -> Iterator[None]:
    """The whole server stands still."""
    with suspended(processes_of(stage.server)):
        yield


def altered(breaks: str, mends: str) -> Callable[[Stage], AbstractContextManager[None]]:
    """A statement of the superuser breaks something, another one mends it."""

    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        stage.ask(breaks)
        yield
        stage.ask(mends)

    return fault
