"""What a search found, in words; pure."""

from __future__ import annotations

from collections.abc import Sequence

from outflow_core.findings import Answer, Finding, Found, InputAnswer, Kind
from outflow_core.states import State
from outflow_tui import text

NAMED = 3
"""How many inputs are named that were not processed."""


def progress(found: Sequence[Found], *, ellipsis: str) -> str:
    """How far the search in all sources has come."""
    number = sum(len(one.findings) for one in found)
    said = f"{number:,} found" if number else "nothing found"
    if any(one.is_cut for one in found):
        return f"the newest {said}; type more to see fewer"
    if all(one.is_over for one in found):
        return said
    searched, blocks = sum(one.searched for one in found), sum(one.blocks for one in found)
    so_far = f"   {number:,} found" if number else ""
    return f"searching {ellipsis} {searched:,} of {blocks:,} blocks{so_far}"


def answer_words(answer: Answer, *, is_over: bool = True) -> str:
    """Whether the inputs were processed, in a sentence."""
    which = (
        "with the configuration in force" if answer.is_known else "whatever its configuration (none in force is known)"
    )
    if len(answer.inputs) == 1:
        return _of_one(answer.inputs[0], which, is_over)
    missing = [one for one in answer.inputs if one.done is None]
    said = f"{len(answer.inputs):,} inputs: {len(answer.inputs) - len(missing):,} processed {which}"
    if missing:
        names = ", ".join(_name(one) for one in missing[:NAMED])
        said += f", {len(missing):,} not ({names}{', ...' if len(missing) > NAMED else ''})"
    return f"{said}{'' if is_over else ', so far'}{'; only the newest were looked at' if answer.is_cut else ''}."


def _name(one: InputAnswer) -> str:
    return text.clean(one.value.rpartition("/")[2] or one.value)[:60]


def _of_one(one: InputAnswer, which: str, is_over: bool) -> str:
    if one.done is not None:
        hidden = " Masked secrets cannot be compared." if one.done.uncompared else ""
        return f"{_name(one)}: processed {which} in run {one.done.run.id}.{hidden}"
    so_far = "" if is_over else " so far"
    return f"{_name(one)}: not processed {which}{so_far}; {_why_not(one)}."


def _why_not(one: InputAnswer) -> str:
    row = one.newest
    if row.state is State.FAILED:
        return f"run {row.run.id} failed on it"
    if row.is_success:
        return f"run {row.run.id} did it with another one"
    if row.is_whole_map:
        return f"of run {row.run.id} it cannot be told"
    return f"in run {row.run.id} it is {row.state.value}"


def how_often(one: Finding) -> str:
    """Of how many equal ones this is one."""
    if one.kind in (Kind.CONFIGURATION, Kind.SETTINGS):
        return f"{one.count:,} run{'s' if one.count > 1 else ''}"
    return f"{one.count:,} blocks" if one.count > 1 else ""
