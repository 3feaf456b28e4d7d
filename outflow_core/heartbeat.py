"""A recording process says that it lives, in a table of our own, so that a dead run can be told from a slow one.

Whatever goes wrong here, the pipeline must not feel it: a beat that fails is left out, and tried
again at the next.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, cast, insert, literal, select, update

from outflow_core.clock import UtcNow
from outflow_core.column_values import text_for_books
from outflow_core.engines import Engines, driver_words
from outflow_core.forks import forks_wait
from outflow_core.processes import identity
from outflow_core.tables import process, run

BEAT_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 1.0
"""How long the end of a run waits for a beat that is on its way."""
BUSY_MILLISECONDS: Final = 2_000
"""How long a beat waits for a database that others use; the pipeline itself waits longer."""
_HOPELESS_CODES: Final = ("42P01", "42703", "42501")  # of PostgreSQL: no such table or column, no right to it
_NO_TABLE: Final = re.compile(r"no such (table|column)")


@contextmanager
def heartbeat(engines: Engines, key: str, run_uuid: str, *, seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Let the books know, as long as the block lasts, that this process works on a run."""
    heart = Heart(engines, key, run_uuid, seconds)
    heart.start()
    try:
        yield
    finally:
        heart.stop()


class Heart:
    """The beats of one process for one run, in a daemon thread of their own; a fork has no share in them."""

    def __init__(self, engines: Engines, key: str, run_uuid: str, seconds: float) -> None:
        self._engines = engines
        self._key = key
        self._run_uuid = run_uuid
        self._seconds = seconds
        self._identity = identity()
        self._engine: Engine | None = None
        self._row_id: int | None = None
        self._is_left_behind = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"heartbeat of run {run_uuid}", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        with contextlib.suppress(RuntimeError):  # no more threads are allowed here: the run goes on without a heartbeat
            self._thread.start()

    def stop(self) -> None:
        """Say that the process has ended its work; a database that hangs is not waited for."""
        if os.getpid() != self._identity.pid:  # a fork leaves the block, its parent goes on
            return
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_SECONDS)
        self._is_left_behind = self._thread.is_alive()

    def _live(self) -> None:
        self._try_to_beat(is_last=False)
        while not self._stopped.wait(self._seconds):
            self._try_to_beat(is_last=False)
        if self._row_id is not None:
            self._try_to_beat(is_last=True)
        if self._is_left_behind and self._engine is not None:  # whoever closes the connections has done it before
            self._engine.dispose()

    def _try_to_beat(self, *, is_last: bool) -> None:
        with forks_wait():
            try:
                self._engine = self._engine or self._engines.engine(self._key)
                with self._engine.connect() as connection, _impatient(connection):
                    self._beat(connection, is_last=is_last)
                    connection.commit()
            except Exception as error:  # of whatever kind: the pipeline must not feel it
                if _is_hopeless(error):
                    self._stopped.set()

    def _beat(self, connection: Connection, *, is_last: bool) -> None:
        if self._row_id is None:
            self._row_id = connection.execute(announcement(self._run_uuid, self._values())).scalar_one_or_none()
            return
        moments = {"last_seen_at": UtcNow(), **({"ended_at": UtcNow()} if is_last else {})}
        if not connection.execute(update(process).where(process.c.id == self._row_id).values(moments)).rowcount:
            self._row_id = None  # somebody deleted it: announce it again

    def _values(self) -> dict[str, Any]:
        here = self._identity
        return {
            "hostname": _short(here.hostname, 256),
            "pid": here.pid,
            "pid_space": here.pid_space,
            "start_ticks": here.start_ticks,
            **slurm_names(os.environ),
            "beat_seconds": self._seconds,
        }


def announcement(run_uuid: str, values: Mapping[str, Any]) -> Any:
    """The statement that puts a process beside the run of this uuid, if there is such a run by now."""
    typed = [cast(literal(value, process.c[name].type), process.c[name].type) for name, value in values.items()]
    found = select(run.c.id, *typed, UtcNow(), UtcNow()).where(run.c.uuid == run_uuid)
    return insert(process).from_select(["run_id", *values, "started_at", "last_seen_at"], found).returning(process.c.id)


def slurm_names(environment: Mapping[str, str]) -> dict[str, str | None]:
    """The job, the array and the place in it, where Slurm started this process.

    >>> slurm_names({"SLURM_JOB_ID": "998"})
    {'slurm_job_id': '998', 'slurm_array_job_id': None, 'slurm_array_task_id': None}
    """
    names = ("slurm_job_id", "slurm_array_job_id", "slurm_array_task_id")
    return {name: _short(environment.get(name.upper()), 64) for name in names}


def _short(text: str | None, length: int) -> str | None:
    return text_for_books(text)[:length] if text else None


@contextmanager
def _impatient(connection: Connection) -> Iterator[None]:
    """Let statements give up soon; the connection is the recorder's, and gets its patience back."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {BUSY_MILLISECONDS}")
        yield
        return
    usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {usual}")


def _is_hopeless(error: Exception) -> bool:
    """Whether trying again is of no use: nobody has upgraded this database."""
    code = getattr(getattr(error, "orig", None), "pgcode", None)
    return code in _HOPELESS_CODES or bool(_NO_TABLE.search(driver_words(error)))
