"""A search over everything in the books, newest first, in short reads; it can be left after any of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from outflow_core.config_diff import path_text
from outflow_core.finding_reads import ITEMS, FindingReads
from outflow_core.findings import Answer, Finding, Found, InputAnswer, in_order, leaves
from outflow_core.in_force import InForce
from outflow_core.processings import processings_of_held, successes
from outflow_core.reader import Reader
from outflow_core.rows import ProcessingRow
from outflow_core.sought import Sought
from outflow_core.table_walk import Walk
from outflow_core.tables import block, configuration, run, runtime_exception

LIMIT = 1_000
"""How many different findings end a search; folded ones count once."""


class Search:
    """One search; `go_on` until `is_over`. A read that failed is made again by the next `go_on`."""

    def __init__(
        self,
        reader: Reader,
        typed: str,
        *,
        in_force: Callable[[], InForce | None] = lambda: None,
        command: str | None = None,
        limit: int = LIMIT,
    ) -> None:
        self._reader = reader
        self._sought = Sought.of(typed)
        self._in_force = in_force
        self._command = command
        self._limit = limit
        self._reads = FindingReads(reader, self._sought, command)
        self._found: dict[tuple[object, ...], Finding] = {}
        self._answer: Answer | None = None
        self._answered = 0
        self._blocks = Walk(reader, block)
        tables = (run, runtime_exception, configuration)
        self._walks = [self._blocks, *(Walk(reader, table) for table in tables)] if self._sought.words else []
        self._seen: Found | None = None

    @property
    def is_over(self) -> bool:
        """Whether everything was looked at, or enough was found."""
        return (not self._walks or self._is_full) and self._answered == self._reads.items

    @property
    def _is_full(self) -> bool:
        return len(self._found) >= self._limit

    def go_on(self, seconds: float) -> None:
        """Search for about this long, at least one slice; raises SourceError when the books cannot be read."""
        until = time.monotonic() + seconds
        while not self.is_over:
            self._seen = None
            self._step()
            if time.monotonic() >= until:
                return

    def _step(self) -> None:
        """The next slice of one table; of the inputs that were found first, and of all, what became of them."""
        if self._walks and not self._is_full:
            walk = self._walks[0]
            rows = walk.following()
            if rows is not None:
                self._keep(self._reads.findings(walk.table, rows))
                walk.move()
            self._walks = [*self._walks[1:], *([] if walk.is_over else [walk])]
        if self._reads.items and (
            self._answer is None or ((not self._walks or self._is_full) and self._answered != self._reads.items)
        ):
            self._answer = self._ask()
            self._answered = self._reads.items

    def found(self) -> Found:
        """What there is by now; the same object as long as nothing was added."""
        if self._seen is None:
            self._seen = Found(
                self._sought.words,
                in_order(self._found.values()),
                self._answer,
                self._blocks.passed,
                self._blocks.total,
                self.is_over,
                self._is_full and bool(self._walks),
            )
        return self._seen

    def _keep(self, findings: Iterable[Finding]) -> None:
        news: dict[tuple[object, ...], Finding] = {}
        for one in findings:
            key = one.key
            before = news.get(key) or self._found.get(key)
            if before is None and len(self._found) + len(news) >= self._limit:
                continue
            news[key] = before.with_another(one) if before else one
        self._found |= news

    # what became of the inputs

    def _ask(self) -> Answer:
        """What became of the inputs that were found; of those that are called so exactly, if there are any."""
        current = self._in_force()
        rows = processings_of_held(self._reader, list(self._reads.held.values()), current, command=self._command)
        by_value: dict[str, list[ProcessingRow]] = {}
        for row in rows:
            for value in self._values(row.inputs):
                by_value.setdefault(value, []).append(row)
        words = self._sought.words.rpartition("=")[2]
        exact = {value: rows for value, rows in by_value.items() if words in (value, value.rpartition("/")[2])}
        answers = [self._answer_of(value, rows, current) for value, rows in (exact or by_value).items()]
        return Answer(tuple(answers), current is not None, self._reads.items >= ITEMS or self._is_full)

    def _values(self, inputs: Any) -> list[str]:
        found = (words for path, words in leaves(inputs) if self._sought.is_in_value(path_text(path), words))
        return list(dict.fromkeys(found))

    @staticmethod
    def _answer_of(value: str, rows: Sequence[ProcessingRow], current: InForce | None) -> InputAnswer:
        done = successes(row for row in rows if row.same_configuration or current is None)
        return InputAnswer(value, done[0] if done else None, rows[0])
