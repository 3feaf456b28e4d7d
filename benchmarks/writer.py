"""A pipeline's books being written: so many state changes a second, each a commit, as Outflow writes them.

    python -m benchmarks.writer FILE-OR-URL RATE SECONDS

The tasks that wait in the newest run begin, and end two seconds later.
"""

from __future__ import annotations

import signal
import sqlite3
import sys
import time
from collections import deque
from datetime import datetime
from typing import Any

import psycopg2

AHEAD = 2.0
"""For so many seconds a task runs."""


class Books:
    """The newest run of a database, and its tasks that wait."""

    def __init__(self, place: str) -> None:
        self._is_file = "://" not in place
        self._connection: Any
        if self._is_file:
            self._connection = sqlite3.connect(place, isolation_level=None, timeout=5)
        else:
            self._connection = psycopg2.connect(place)
            self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        self.waiting = deque(
            self.rows("SELECT id FROM outflow_block WHERE state = 'pending' AND type = 'task' ORDER BY id")
        )
        rows = self.rows("SELECT id FROM outflow_block WHERE state = 'running' AND type = 'task' ORDER BY id")
        self.running = deque((row[0], 0.0) for row in rows)
        ((self._outer,),) = self.rows("SELECT max(id) FROM outflow_block WHERE state = 'running' AND type = 'workflow'")
        self.changes = 0

    def rows(self, statement: str, *values: object) -> list[Any]:
        """The rows of a statement."""
        self.execute(statement, *values)
        return list(self._cursor.fetchall())

    def execute(self, statement: str, *values: object) -> None:
        """One statement, one commit."""
        self._cursor.execute(statement if self._is_file else statement.replace("?", "%s"), values)

    def change(self, now: float) -> None:
        """End the task that has run long enough, or begin the next."""
        self.changes += 1
        if self.running and (now - self.running[0][1] > AHEAD or not self.waiting):
            self.end(self.running.popleft()[0])
        elif self.waiting:
            (task,) = self.waiting.popleft()
            self.begin(task)
            self.running.append((task, now))

    def begin(self, task: int) -> None:
        """A task runs."""
        query = "UPDATE outflow_block SET state = 'running', start_time = ?, parent_id = ? WHERE id = ?"
        self.execute(query, _now(), self._outer, task)

    def end(self, task: int) -> None:
        """A task is over."""
        state = "failed" if task % 50 == 0 else "success"
        query = "UPDATE outflow_block SET state = ?, end_time = ?, hostname = ? WHERE id = ?"
        self.execute(query, state, _now(), "nid001", task)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _now() -> str:
    return datetime.now().isoformat(" ", "microseconds")


def main() -> int:
    """Write until the time is over; at the end say how many changes there were."""
    place, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    books = Books(place)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    print("writing", flush=True)
    begin = time.monotonic()
    while (now := time.monotonic()) - begin < seconds and not stopped:
        books.change(now)
        time.sleep(max(begin + books.changes / rate - time.monotonic(), 0))
    books.close()
    print(f"{books.changes} changes in {time.monotonic() - begin:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
