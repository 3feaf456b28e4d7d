"""What a search found as plain objects and as text, for scripts; pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from outflow_core.findings import Finding, Found, InputAnswer
from outflow_tui import format as words
from outflow_tui.finding_words import answer_words, how_often, progress
from outflow_tui.markdown import code
from outflow_tui.reports.tables import Table


def found_object(found: Found) -> dict[str, Any]:
    """The answer of `search --json`."""
    answer = found.answer
    return {
        "words": found.words,
        "is_cut": found.is_cut,
        "configuration_known": answer.is_known if answer else None,
        "inputs": [_input_object(one) for one in answer.inputs] if answer else [],
        "findings": [_finding_object(one) for one in found.findings],
    }


def _input_object(one: InputAnswer) -> dict[str, Any]:
    done = one.done
    return {"value": one.value, "processed": done is not None, "run": done.run.id if done else None}


def _finding_object(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "run": one.run_id,
        "command": one.command,
        "block": one.block_id,
        "block_name": one.block_name or None,
        "where": one.where or None,
        "text": one.text,
        "state": one.state.value if one.state else None,
        "time": one.time.isoformat() if one.time else None,
        "count": one.count,
    }


def found_text(found: Found, now: datetime) -> str:
    """What was found, a line each, below the answer about inputs."""
    return _told(found, _table(found, lambda when: words.moment(when, now)).as_text())


def found_markdown(found: Found) -> str:
    """The same as a table of Markdown, its times with their days; the answer names inputs, so it is code."""
    return _told(found, _table(found, words.dated).as_markdown(), lambda answer: code(answer, 2000))


TITLES = ("KIND", "RUN", "STATE", "COMMAND", "TASK", "TIME", "HOW OFTEN", "FOUND")


def _table(found: Found, clock: Callable[[datetime | None], str]) -> Table:
    return Table(TITLES, tuple(_cells(one, clock) for one in found.findings))


def _cells(one: Finding, clock: Callable[[datetime | None], str]) -> tuple[str, ...]:
    state = one.state.value if one.state else ""
    start = (one.kind.value, str(one.run_id), state, one.command or "", one.block_name)
    return (*start, clock(one.time), how_often(one), one.text)


def _told(found: Found, table: str, form: Callable[[str], str] = str) -> str:
    answer = form(answer_words(found.answer)) if found.answer and found.answer.inputs else ""
    end = progress([found], ellipsis="...").capitalize() + "."
    return "\n\n".join(filter(None, [answer, table if found.findings else "", end]))
