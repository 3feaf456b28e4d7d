"""Which run a person means."""

from __future__ import annotations

from typing import NoReturn

from outflow_core.errors import NotFoundError
from outflow_core.reader import Reads
from outflow_core.rows import RunRow
from outflow_core.run_queries import runs, runs_by_id, runs_by_uuid
from outflow_core.slices import LARGEST
from outflow_core.states import State

UUID_DIGITS = 8
"""From how many digits on a number that is no id is looked for as the beginning of a uuid."""


def find_run(reads: Reads, wanted: str) -> RunRow:
    """The run that a person means: an id, a prefix of a uuid, `last`, `last:STATE` or `last:COMMAND`.

    Raises NotFoundError, with what there is, when none or several fit.
    """
    wanted = wanted.strip()
    if wanted.partition(":")[0] == "last":
        return _last_run(reads, wanted)
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= len(str(LARGEST)) and int(wanted) <= LARGEST:
        found = runs_by_id(reads, [int(wanted)])
        if found or len(wanted) < UUID_DIGITS:
            return found[0] if found else _no_run(reads, wanted)
    return _run_by_uuid(reads, wanted)


def _last_run(reads: Reads, wanted: str) -> RunRow:
    _, colon, which = wanted.partition(":")
    if colon and not which:
        raise NotFoundError(f"{wanted!r} names no state and no command; write last, last:failed or last:COMMAND.")
    if not colon:
        found = runs(reads, count=1)
    elif which in [state.value for state in State]:
        found = runs(reads, count=1, state=State(which))
    else:
        found = runs(reads, count=1, command=which)
    if not found:
        what = f"no run is in state or has command {which!r}" if which else "there are no runs yet"
        raise NotFoundError(f"{what}; see 'outflow-tui runs'.")
    return found[0]


def _run_by_uuid(reads: Reads, prefix: str) -> RunRow:
    found = runs_by_uuid(reads, prefix.lower(), count=5) if prefix else ()
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"several runs have a uuid that begins with {prefix!r}: {[row.id for row in found]}.")
    return _no_run(reads, prefix)


def _no_run(reads: Reads, wanted: str) -> NoReturn:
    newest = runs(reads, count=1)
    there = f"the newest is {newest[0].id}" if newest else "there are none yet"
    raise NotFoundError(
        f"no run {wanted!r}; {there} (an id, the beginning of a uuid, last, last:failed, last:COMMAND)."
    )
