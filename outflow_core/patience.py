"""A SQLite connection that waits for a writer in short, uneven pauses, and never has a writer wait for long.

SQLite's own waiting sleeps longer and longer between two tries. Beside a pipeline that commits without
a pause it meets the next commit each time; short pauses find the gap.
"""

from __future__ import annotations

import math
import random
import sqlite3
import time
from typing import Any

PAUSES = (0.0005, 0.004)
"""Seconds between two tries, at least and at most."""
STEPS = 20_000
"""After how many of SQLite's own steps it is looked whether a statement goes on for too long: some milliseconds."""


class PatientConnection(sqlite3.Connection):
    """A connection whose statements wait up to `busy_seconds` for writers."""

    busy_seconds = 0.0
    began = math.inf
    """When the last statement began."""

    def end_reads_after(self, seconds: float) -> None:
        """Interrupt each statement that goes on for longer: it holds up whoever wants to write."""
        self.set_progress_handler(lambda: time.monotonic() - self.began > seconds, STEPS)

    def cursor(self, factory: Any = None) -> Any:
        """A cursor that waits."""
        return super().cursor(factory or PatientCursor)

    def execute(self, *asked: Any) -> PatientCursor:
        """Execute a statement by a cursor that waits: sqlite3's own short cut would not."""
        found: PatientCursor = self.cursor().execute(*asked)
        return found


class PatientCursor(sqlite3.Cursor):
    """Tries a statement again while somebody writes, for as long as its connection says."""

    connection: PatientConnection

    def execute(self, *asked: Any) -> PatientCursor:
        """Execute a statement; OperationalError when the database stays locked."""
        until = time.monotonic() + self.connection.busy_seconds
        while True:
            self.connection.began = time.monotonic()
            try:
                super().execute(*asked)
                return self
            except sqlite3.OperationalError as error:
                if str(error) != "database is locked" or time.monotonic() > until:
                    raise
            time.sleep(random.uniform(*PAUSES))
