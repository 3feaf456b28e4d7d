"""Which try of a task it is, and what became of the others, in words; pure."""

from __future__ import annotations

from outflow_core.rows import BlockDetail
from outflow_core.states import State
from outflow_core.tries import Try


def try_words(tried: Try) -> tuple[str, str]:
    """Which try it is, in few cells and in some more.

    >>> try_words(Try((4, 9), 1, State.SUCCESS)), try_words(Try((4, 9), 2, State.SUCCESS))
    (('try 1/2, mended', 'try 1 of 2, mended'), ('try 2/2', 'try 2 of 2'))
    """
    mended = ", mended" if tried.is_mended else ""
    return f"try {tried.number}/{len(tried.blocks)}{mended}", f"try {tried.number} of {len(tried.blocks)}{mended}"


def try_sentence(tried: Try) -> str:
    """Which try it is, and what became of the last one.

    >>> try_sentence(Try((4, 9), 1, State.SUCCESS))
    'try 1 of 2: mended by a later try, task 9'
    >>> try_sentence(Try((4, 9), 1, State.RUNNING)), try_sentence(Try((4, 9), 1, State.FAILED))
    ('try 1 of 2: tried again, task 9 is running', 'try 1 of 2: the last try failed too, task 9')
    >>> try_sentence(Try((4, 9), 2, State.SUCCESS)), try_sentence(Try((4, 9), 2, State.FAILED))
    ('try 2 of 2: the one before failed, task 4', 'try 2 of 2: the one before failed too, task 4')
    """
    which, total = try_words(tried)[1].removesuffix(", mended"), len(tried.blocks)
    if tried.is_last:
        before = "the one before" if total == 2 else f"the {total - 1} before"
        return f"{which}: {before} failed{' too' if tried.outcome is State.FAILED else ''}, {_tasks(tried.blocks[:-1])}"
    last = tried.blocks[-1]
    if tried.is_mended:
        return f"{which}: mended by a later try, task {last}"
    if tried.outcome is State.FAILED:
        return f"{which}: the last try failed too, task {last}"
    return f"{which}: tried again, task {last} is {tried.outcome.value}"


def again_sentence(detail: BlockDetail) -> str:
    """That a block which is not failed any more has failed before; '' if it has not."""
    number = len(detail.exceptions)
    if not number or detail.block.state not in (State.SUCCESS, State.RUNNING):
        return ""
    times = "once" if number == 1 else f"{number} times"
    now = "is running again" if detail.block.state is State.RUNNING else "succeeded when it ran again"
    return f"failed {times} before, {now}"


def _tasks(ids: tuple[int, ...]) -> str:
    return f"task{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids[-6:]))}"
