"""What a search found as plain objects and as text, for scripts; pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from outflow_core.findings import Finding, Found, InputAnswer
from outflow_tui import format as words
from outflow_tui import text
from outflow_tui.finding_words import answer_words, how_often, progress


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
    lines = [answer_words(found.answer), ""] if found.answer and found.answer.inputs else []
    for one in found.findings:
        state = one.state.value if one.state else ""
        when = words.moment(one.time, now)
        cells = (f"{one.kind.value:<13}", f"run {one.run_id}", f"{state:<7}", text.clean(one.command or ""))
        lines.append("  ".join([*cells, text.clean(one.text), *filter(None, [how_often(one), when])]))
    if lines:
        lines.append("")
    return "\n".join([*lines, progress([found], ellipsis="...").capitalize() + "."])
