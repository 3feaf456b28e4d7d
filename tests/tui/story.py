"""Rows for stories: runs, tasks and tracebacks, made with as few words as a test needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from outflow_core.cause_history import RunCauses, earlier_runs, with_history
from outflow_core.errors import SourceError
from outflow_core.failures import Cause, Failure, causes
from outflow_core.findings import Answer, Finding, Found, InputAnswer, Kind, in_order, leaves
from outflow_core.rows import (
    BlockDetail,
    BlockRow,
    ConfigurationRow,
    ExceptionRow,
    Life,
    LostProcess,
    ProcessingRow,
    RunRow,
    TaskCounts,
)
from outflow_core.run_page import ShapeRow
from outflow_core.run_shape import shape_of
from outflow_core.sought import Sought
from outflow_core.states import BlockType, State
from outflow_core.tries import mended, signs_of, tries_of
from outflow_core.wanted_inputs import decoded
from outflow_tui.run_profile import profile_of
from outflow_tui.snapshot import Focus, RunLine, RunView, Snapshot
from outflow_tui.timeline import timeline_of
from outflow_tui.usual import Earlier, earlier_of

NOW = datetime(2026, 11, 23, 12, 0, 0)


@dataclass(frozen=True)
class Told:
    """A block with the exception and inputs it was told with."""

    row: BlockRow
    exception: ExceptionRow | None = None
    inputs: Any = field(default_factory=dict)
    upstream: tuple[int, ...] = ()


@dataclass(frozen=True)
class ToldRun:
    """A run with its blocks and its configuration."""

    row: RunRow
    blocks: tuple[Told, ...] = ()
    configuration: ConfigurationRow | None = None
    last_sign: datetime | None = None
    life: Life | None = None


def traceback_of(message: str, *, file: str = "/data/reduce/calibrate.py", line: int = 88) -> str:
    """A traceback as Python prints it: a frame of a library, and one of the pipeline's own."""
    return (
        "Traceback (most recent call last):\n"
        '  File "/opt/env/lib/python3.11/site-packages/engine/runner.py", line 119, in run\n'
        "    return task()\n"
        f'  File "{file}", line {line}, in parse_header\n'
        '    gain = float(header["GAIN"])\n'
        f"{message}\n"
    )


def task(
    number: int,
    name: str = "calibrate",
    state: State = State.SUCCESS,
    *,
    parent: int | None = None,
    failed: str | None = None,
    inputs: Any = None,
    seconds: float = 12.0,
) -> Told:
    """A task; `failed` is the text of its traceback."""
    state = State.FAILED if failed is not None else state
    start = NOW - timedelta(minutes=30) + timedelta(seconds=number)
    has_begun = state not in (State.PENDING, State.SKIPPED)
    row = BlockRow(
        id=number,
        type=BlockType.TASK,
        name=name,
        state=state,
        start_time=start if has_begun else None,
        end_time=start + timedelta(seconds=seconds) if state.is_final else None,
        hostname="nid001" if state.is_final else None,
        parent_id=parent,
    )
    return Told(row, exception(number, failed) if failed is not None else None, inputs or {})


def workflow(number: int, name: str, state: State = State.SUCCESS, *, parent: int | None = None) -> Told:
    """A workflow block."""
    told = task(number, name, state, parent=parent)
    return replace(told, row=told.row._replace(type=BlockType.WORKFLOW))


def exception(block_id: int, traceback: str) -> ExceptionRow:
    """The exception row of a traceback."""
    last = traceback.rstrip("\n").rpartition("\n")[2]
    kind = last.partition(":")[0].rpartition(".")[2]
    return ExceptionRow(block_id, block_id, kind, last, traceback, NOW - timedelta(minutes=5))


def configuration(
    number: int, config: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> ConfigurationRow:
    """A stored configuration."""
    return ConfigurationRow(number, f"{number:02d}7f3a21".ljust(64, "0"), config, settings or {})


def run(
    number: int,
    command: str = "reduce_night",
    state: State = State.SUCCESS,
    *,
    tasks: Sequence[Told] = (),
    config: ConfigurationRow | None = None,
    silent_minutes: float = 0,
    host: str = "nid001",
    life: Life | None = None,
) -> ToldRun:
    """A run of half an hour ago."""
    start = NOW - timedelta(hours=1) + timedelta(minutes=number)
    row = RunRow(
        id=number,
        uuid=f"{number:08x}-aaaa-bbbb-cccc-123456789012",
        command=command,
        state=state,
        start_time=start,
        end_time=start + timedelta(seconds=134) if state.is_final else None,
        hostname=host,
        configuration_id=config.id if config else 1,
    )
    return ToldRun(row, tuple(tasks), config, NOW - timedelta(minutes=silent_minutes), life)


def lost(minutes: float, *, alive: int = 0, number: int = 1, gone: bool = False, job: str = "998") -> Life:
    """A life that was lost some minutes ago, on another host or (`gone`) before our eyes."""
    return Life(alive, number, LostProcess(4711, "n12", job, NOW - timedelta(minutes=minutes), gone))


class FakeSource:
    """A source that answers from what a test told it, and can be made to fail."""

    def __init__(self, runs: Iterable[ToldRun] = ()) -> None:
        self.runs = tuple(runs)
        self.error: str | None = None
        self.asked: list[Focus] = []
        self.is_closed = False
        self.looks_of_a_search = 1
        """In how many looks a search comes to its end."""

    def look(self, focus: Focus) -> Snapshot:
        """What the books would say."""
        self.asked.append(focus)
        if self.error is not None:
            raise SourceError(self.error)
        told = {run.row.id: run for run in self.runs}
        chosen = told.get(focus.run_id) if focus.run_id is not None else None
        blocks = chosen.blocks if chosen else ()
        return Snapshot(
            "reduce/config.yml",
            focus,
            runs=tuple(_line(run) for run in sorted(self.runs, key=lambda run: -run.row.id)),
            is_read=True,
            is_complete=True,
            run=_view(chosen) if chosen else None,
            detail=next((_detail(block, chosen) for block in blocks if block.row.id == focus.block_id), None)
            if chosen
            else None,
            timeline=timeline_of(chosen.row.id, tuple(block.row for block in blocks), _earlier(self.runs, chosen))
            if chosen and focus.timeline
            else None,
            causes=_causes(self.runs, chosen) if focus.causes and chosen else None,
            configurations={
                number: found
                for number in focus.configurations_of
                if number in told and (found := told[number].configuration) is not None
            },
            profiles={
                number: profile_of(number, [block.row for block in told[number].blocks])
                for number in focus.profiles_of
                if number in told
            },
            search=self._search(focus.search) if focus.search else None,
            read_at=NOW,
        )

    def _search(self, sought: tuple[str, int]) -> Found:
        """All at once, but told to be over only in the last look."""
        looks = sum(focus.search == sought for focus in self.asked)
        is_over = looks >= self.looks_of_a_search
        findings: dict[object, Finding] = {}
        for run in self.runs:
            for one in _findings(run, Sought.of(sought[0])):
                findings[one.key] = findings[one.key].with_another(one) if one.key in findings else one
        answer = _answer(self.runs, Sought.of(sought[0]))
        return Found(sought[0], in_order(findings.values()), answer, 120_000, 1_000_000, is_over)

    def close(self) -> None:
        """Nothing to give up."""
        self.is_closed = True


def _earlier(runs: Iterable[ToldRun], chosen: ToldRun) -> Earlier | None:
    older = [run for run in runs if run.row.id < chosen.row.id and run.row.command == chosen.row.command]
    last = max((run for run in older if run.row.state is State.SUCCESS), key=lambda run: run.row.id, default=None)
    return earlier_of(last.row.id, [block.row for block in last.blocks]) if last else None


def shape_row(row: BlockRow) -> ShapeRow:
    """What a database gives of a block's shape."""
    seconds = (row.end_time - row.start_time).total_seconds() if row.start_time and row.end_time else None
    return row.id, row.parent_id, row.type.value, row.state.value, row.name, row.hostname, seconds


def _view(told: ToldRun) -> RunView:
    rows = tuple(block.row for block in told.blocks)
    signs = {block.row.id: signs_of(block.inputs) for block in told.blocks}
    return RunView(told.row.id, shape_of(map(shape_row, rows)), _sizes(told.blocks), tries_of(rows, signs))


def _causes(runs: Iterable[ToldRun], chosen: ToldRun) -> tuple[Cause, ...]:
    told = {run.row: run for run in runs}
    found = causes(_failures(chosen), mended=mended(_view(chosen).tries))
    earlier = earlier_runs(told, chosen.row)
    if earlier is None:
        return found
    known = [
        RunCauses(row, frozenset(cause.fingerprint for cause in causes(_failures(told[row])))) for row in earlier.runs
    ]
    return with_history(found, known, is_all=earlier.is_all)


def _failures(told: ToldRun) -> Iterator[Failure]:
    return (Failure(block.row, block.exception) for block in told.blocks if _is_failure(block))


def _is_failure(block: Told) -> bool:
    return block.row.state is State.FAILED and block.row.type is BlockType.TASK


def _sizes(blocks: Sequence[Told]) -> dict[int, int]:
    return {block.row.id: len(block.inputs) for block in blocks if isinstance(block.inputs, list)}


def _line(told: ToldRun) -> RunLine:
    numbers = dict.fromkeys((state.value for state in State), 0)
    for block in told.blocks:
        if block.row.type is BlockType.TASK:
            numbers[block.row.state.value] += 1
    digest = told.configuration.hash if told.configuration else ""
    return RunLine(told.row, TaskCounts(**numbers), told.last_sign, digest, False, told.life)


def _detail(told: Told, run: ToldRun) -> BlockDetail:
    exceptions = (told.exception,) if told.exception else ()
    after = tuple(other.row.id for other in run.blocks if told.row.id in other.upstream)
    detail = BlockDetail(
        told.row, run.row.id, f"uuid-{told.row.id}", "reduce", {}, {}, told.inputs, told.upstream, after
    )
    return detail._replace(exceptions=exceptions)


def _findings(run: ToldRun, sought: Sought) -> list[Finding]:
    """Inputs, messages and configuration values of a run in which the words stand."""
    row, found = run.row, []
    for told in run.blocks:
        texts = [(Kind.INPUT, path, f"{path}={text}") for path, text in _given(told)]
        texts += [(Kind.EXCEPTION, "", told.exception.message)] if told.exception else []
        for kind, where, text in texts:
            if excerpt := sought.excerpt(text):
                at = (row.id, row.command, told.row.id, told.row.name, str(where))
                shown = (excerpt.text, excerpt.start, excerpt.end, told.row.state, told.row.start_time)
                found.append(Finding(kind, *at, *shown, block_type=told.row.type))
    for path, value in leaves(run.configuration.config) if run.configuration else ():
        where = ".".join(map(str, path))
        if excerpt := sought.excerpt(f"{where}={value}"):
            shown = (excerpt.text, excerpt.start, excerpt.end, row.state, row.start_time)
            found.append(Finding(Kind.CONFIGURATION, row.id, row.command, None, "", where, *shown))
    return found


def _given(told: Told) -> Iterator[tuple[str, str]]:
    """Names and values that a block was given; those of a map's items too, as Outflow keeps them."""
    for item in told.inputs if isinstance(told.inputs, list) else [told.inputs]:
        yield from ((".".join(map(str, path)), text) for path, text in leaves(decoded(item) or {}))


def _answer(runs: Iterable[ToldRun], sought: Sought) -> Answer | None:
    """Whether the tasks that were given the words were successful, newest first."""
    rows: dict[str, list[ProcessingRow]] = {}
    for run in sorted(runs, key=lambda run: -run.row.id):
        for told in run.blocks:
            for _, text in _given(told):
                if sought.stands_in(text):
                    blocks = (told.row.id,)
                    row = ProcessingRow(run.row, told.inputs, told.row.state, None, (), blocks, None, None, False, True)
                    rows.setdefault(text, []).append(row)
    answers = tuple(
        InputAnswer(value, next((row for row in found if row.is_success), None), found[0])
        for value, found in rows.items()
    )
    return Answer(answers, True) if answers else None
