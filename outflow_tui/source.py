"""The one door to the core: a Focus is answered with a Snapshot. Lives in the poller's thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from outflow_core import configuration_queries
from outflow_core.changes import Changes, Ledger
from outflow_core.errors import ConfigError, NotFoundError, SchemaError, SourceError
from outflow_core.exception_index import ExceptionIndex
from outflow_core.lives import Watch
from outflow_core.reader import Reader
from outflow_core.rows import BlockDetail, ConfigurationRow
from outflow_core.settings import Database
from outflow_tui.run_lines import RunLines
from outflow_tui.run_samples import RunSamples
from outflow_tui.snapshot import Focus, Snapshot

if TYPE_CHECKING:  # the first rows wait for none of them
    from outflow_core.book_search import Search
    from outflow_core.findings import Found
    from outflow_core.in_force import InForce
    from outflow_core.run_causes import EarlierCauses
    from outflow_tui.cause_reading import CauseReading
    from outflow_tui.run_in_focus import RunInFocus
    from outflow_tui.run_profile import RunProfile
    from outflow_tui.run_rows import RunRows
    from outflow_tui.timeline import Timekeeper, Timeline

TRIES = 3
READING_SECONDS = 0.15
"""How long one look goes on with what is long to read before it hands in what it has."""
RUN_SECONDS = 0.05
"""The same for the tasks of a run: they are wanted while the keys are used, which wait for this thread."""
SEARCH_SECONDS = 0.1
"""How long one look goes on with a search before it hands in what it has."""


class BooksSource:
    """Looks into one database of books; what did not change is not read again."""

    def __init__(
        self, database: Database, *, copy: bool = False, in_force: Callable[[], InForce | None] = lambda: None
    ) -> None:
        self._in_force = in_force
        self._search: Search | None = None
        self._sought: tuple[str, int] | None = None
        self._reader = Reader(database, copy=copy)
        self._ledger = Ledger(self._reader)
        self._watch = Watch()
        self._runs = RunLines(self._reader, self._ledger, self._watch)
        self._samples = RunSamples(self._reader, self._ledger)
        self._run: RunInFocus | None = None
        self._detail: BlockDetail | None = None
        self._is_detail_due = False
        self._exceptions = ExceptionIndex(self._reader)
        self._earlier_causes: EarlierCauses | None = None
        self._causes: CauseReading | None = None
        self._is_reading = False
        self._timekeeper: Timekeeper | None = None
        self._rows: RunRows | None = None
        self._timeline: Timeline | None = None
        self._configurations: Mapping[int, ConfigurationRow] = MappingProxyType({})
        self._without_configuration: frozenset[int] = frozenset()
        self._profiles: Mapping[int, RunProfile] = MappingProxyType({})
        self._focus = Focus()
        self._read_at: datetime | None = None

    def look(self, focus: Focus) -> Snapshot:
        """What there is to see now; raises SourceError when the books cannot be read."""
        try:
            return self._look_at_one_file(focus)
        finally:
            self._reader.let_go()

    def _look_at_one_file(self, focus: Focus) -> Snapshot:
        for _ in range(TRIES):
            try:
                snapshot = self._look(focus)
            except SourceError as error:
                self._forget()
                self._reader.close()  # what SQLite keeps of the pages may be what could not be understood
                raise (error.of(self._reader.name) if isinstance(error, SchemaError) else error) from None
            if self._reader.identity == self._ledger.identity:
                return snapshot
            self._forget()  # the file was replaced meanwhile: this is a mixture of two
        raise SourceError(f"{self._reader.name}: replaced again and again while it is read; trying again may do.")

    def _forget(self) -> None:
        """Read everything again next time: what changed may have been lost half way."""
        self._search = self._sought = None
        self._runs = RunLines(self._reader, self._ledger, self._watch)
        self._samples = RunSamples(self._reader, self._ledger)
        self._run = self._read_at = None
        self._detail, self._exceptions = None, ExceptionIndex(self._reader)
        self._earlier_causes = self._causes = self._rows = None

    def _look(self, focus: Focus) -> Snapshot:
        changes = self._ledger.look()
        if changes.restarted:
            self._watch = Watch()
            self._forget()
        if changes.asked:
            self._exceptions.again()
        is_new = self._read_at is None
        has_read = changes.asked or bool(changes.blocks or changes.runs) or is_new
        self._read_at = datetime.now() if has_read else self._read_at
        self._runs.look(changes)
        moved, self._focus = focus != self._focus, focus
        if changes.asked or changes.blocks or moved or is_new:
            self._follow(focus, changes)
            self._is_reading = True
        if self._is_reading or not self._ledger.is_complete:
            until = time.monotonic() + READING_SECONDS
            is_learning = self._is_detail_due and self._read_detail(focus, until)
            self._is_reading = self._read_on(until) or is_learning
        return Snapshot(
            self._reader.name,
            focus,
            runs=self._runs.lines,
            is_read=True,
            is_complete=self._ledger.is_complete,
            is_reading=self._is_reading,
            run=self._run.view if self._run else None,
            detail=self._detail,
            causes=self._causes.causes if self._causes else None,
            timeline=self._timeline,
            configurations=self._configurations,
            without_configuration=self._without_configuration,
            profiles=self._profiles,
            search=self._go_on_searching(focus.search) if focus.search else None,
            read_at=self._read_at,
        )

    def _go_on_searching(self, sought: tuple[str, int]) -> Found:
        """A little more of the search; one that is over stays as it is, whatever changes in the books."""
        if self._search is None or self._sought != sought:
            from outflow_core.book_search import Search

            self._search = Search(self._reader, sought[0], in_force=self._configuration_in_force)
            self._sought = sought
        self._search.go_on(SEARCH_SECONDS)
        return self._search.found()

    def _configuration_in_force(self) -> InForce | None:
        """What the configuration file says now; while it cannot be read none is known."""
        try:
            return self._in_force()
        except ConfigError:
            return None

    def close(self) -> None:
        """Give up the connection."""
        self._reader.close()

    def _follow(self, focus: Focus, changes: Changes) -> None:
        """Read what the focus asks for besides the list of runs."""
        if focus.run_id is None:
            self._run = None
        elif self._run is None or self._run.run_id != focus.run_id:
            from outflow_tui.run_in_focus import RunInFocus

            self._run = RunInFocus(self._reader, self._ledger, focus.run_id)
        elif changes.asked or changes.blocks:
            self._run.refresh(changes.blocks)
        self._is_detail_due = True
        self._follow_causes(focus)
        self._follow_rows(focus)
        self._configurations = self._read_configurations(focus.configurations_of)
        self._profiles = self._samples.profiles(focus.profiles_of)

    def _read_detail(self, focus: Focus, until: float) -> bool:
        """Read the block that is looked at, once its exceptions are known; whether these have to be learnt first."""
        if self._detail is not None and (self._detail.run_id, self._detail.block.id) != (focus.run_id, focus.block_id):
            self._detail = None
        while focus.block_id is not None and self._exceptions.learn():
            if time.monotonic() >= until:
                return True
        detail = self._ask_for_detail(focus)
        if self._run is not None:
            self._run.fresh.clear()
        self._detail = self._detail if detail == self._detail else detail
        self._is_detail_due = False
        return False

    def _ask_for_detail(self, focus: Focus) -> BlockDetail | None:
        if focus.run_id is None or focus.block_id is None:
            return None
        from outflow_core import detail_queries

        exceptions = [number for number, _ in self._exceptions.places([focus.block_id])]
        try:
            return detail_queries.block_detail(self._reader, focus.run_id, focus.block_id, exceptions, self._upstream())
        except NotFoundError:
            return None

    def _upstream(self) -> Collection[int] | None:
        """What comes before the block that is looked at, as far as that is known: at least in which range it is.

        Edges are written when a block begins; they are asked for again while it changes, and one look longer.
        """
        known, run = self._detail, self._run
        if known is not None and run is not None and known.block.id not in run.fresh:
            return known.upstream
        tally = self._ledger.index.tallies.get(run.run_id) if run is not None and self._ledger.is_complete else None
        return range(tally.first, tally.last + 1) if tally is not None else None

    def _follow_causes(self, focus: Focus) -> None:
        if not focus.causes or focus.run_id is None:
            self._causes = None
        elif self._causes is None or self._causes.run_id != focus.run_id:
            self._causes = self._begin_causes(focus.run_id)
        else:
            self._causes.again()

    def _begin_causes(self, run_id: int) -> CauseReading:
        from outflow_core.run_causes import EarlierCauses
        from outflow_tui.cause_reading import CauseReading

        self._earlier_causes = self._earlier_causes or EarlierCauses(self._reader, self._exceptions)
        return CauseReading(self._reader, self._ledger, self._exceptions, self._earlier_causes, run_id)

    def _follow_rows(self, focus: Focus) -> None:
        if not focus.timeline or self._run is None:
            self._rows = self._timeline = None
        elif self._rows is None or self._rows.run_id != self._run.run_id:
            from outflow_tui.run_rows import RunRows

            self._rows, self._timeline = RunRows(self._reader, self._run.run_id), None

    def _read_on(self, until: float) -> bool:
        """Go on with what is long to read; whether there is more of it."""
        if self._run is None:
            return False
        is_reading = self._run.read_on(min(until, time.monotonic() + RUN_SECONDS))
        if self._causes is not None:
            is_reading = self._causes.read(self._run.view, until) or is_reading
        if self._rows is not None:
            self._rows.again(self._run.read_again)
            is_reading = self._rows.read(self._run.view, until) or is_reading
            self._timeline = self._read_timeline(self._rows)
        self._run.read_again.clear()
        return is_reading

    def _read_timeline(self, rows: RunRows) -> Timeline | None:
        if rows.rows is None:
            return None
        earlier = self._samples.earlier(self._runs.lines, rows.run_id)
        from outflow_tui.timeline import Timekeeper

        self._timekeeper = self._timekeeper or Timekeeper()
        return self._timekeeper.timeline(rows.run_id, rows.rows, earlier, rows.left_out)

    def _read_configurations(self, run_ids: Collection[int]) -> Mapping[int, ConfigurationRow]:
        wanted = {
            run_id: self._ledger.runs[run_id].configuration_id for run_id in run_ids if run_id in self._ledger.runs
        }
        most = configuration_queries.READABLE
        rows = configuration_queries.configurations(self._reader, set(wanted.values()), most) if wanted else {}
        found = {run_id: rows[number] for run_id, number in wanted.items() if number in rows}
        self._without_configuration = frozenset(wanted.keys() - found.keys())
        return self._configurations if found == self._configurations else MappingProxyType(found)
