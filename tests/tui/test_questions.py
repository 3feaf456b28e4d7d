"""The questions of the README: the keys that it names lead to the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from outflow_core.states import State
from outflow_tui import keys
from tests.tui.desk import sitting
from tests.tui.scenes import FIT, LOOSE, observatory
from tests.tui.story import FakeSource, configuration, run
from tests.tui.views import go

README = Path(__file__).resolve().parents[2] / "README.md"
ROW = re.compile(r"^\| ([^|]*\?) \| [^|]* \| ([^|]*) \|$", re.MULTILINE)
KEY = re.compile(r"`([^`]+)`( on each)?|\b(move)\b")
EACH = 3
"""How many runs are marked where the README says `each`."""


def asked() -> dict[str, list[str]]:
    """The questions, and the keys that the README names for them."""
    return {question: list(_pressed(told)) for question, told in ROW.findall(README.read_text(encoding="utf-8"))}


def _pressed(told: str) -> Sequence[str]:
    pressed: list[str] = []
    for key, each, move in KEY.findall(told):
        pressed += ["down"] if move else [keys.long_name(key)] * (EACH if each else 1)
    return pressed


def failed_last() -> FakeSource:
    """The observatory, before the run that goes on began."""
    return FakeSource(observatory().runs[1:])


def loose_ones_failed() -> FakeSource:
    """Runs of two configurations, of which one goes with failure."""
    fit, loose = configuration(1, FIT), configuration(2, LOOSE)
    return FakeSource(
        [run(3, config=fit), run(2, state=State.FAILED, config=loose), run(1, state=State.FAILED, config=loose)]
    )


TYPED = {"Has this file been processed with this configuration?": "night_0004.fits"}
"""What is typed behind the keys."""
ANSWERS: dict[str, tuple[Callable[[], FakeSource], Sequence[str]]] = {
    "Is it still going?": (observatory, ["▶ running", "56/121", "? silent 3h"]),
    "What failed, and why?": (failed_last, ["✗ frame 4", "ValueError: could not convert", "calibrate.py:88"]),
    "Is it one cause or many?": (failed_last, ["4 failed tasks, 2 causes"]),
    "Where did the time go?": (failed_last, ["at most 4 at once", "frame 7", "41.0s!"]),
    "What changed since it last worked?": (observatory, ["43 ✓ success", "~ parameters.fit.tolerance  1e-06 → 0.0001"]),
    "What is different between two runs?": (observatory, ["44 ✓ success", "46 ▶ running", "parameters.fit.tolerance"]),
    "Has this file been processed with this configuration?": (
        observatory,
        ["processed with the configuration in force in run 46."],
    ),
    "What do all the failed ones have in common?": (
        loose_ones_failed,
        ["goes with failure", "parameters.fit.tolerance"],
    ),
}
"""In which books each question is asked, and what must stand on the screen then."""


def test_every_question_of_the_readme_has_its_answer_here() -> None:
    assert set(asked()) == set(ANSWERS)


@pytest.mark.parametrize("question", ANSWERS)
async def test_the_keys_that_the_readme_names_lead_to_the_answer(question: str) -> None:
    books, words = ANSWERS[question]
    async with sitting(books(), size=(80, 24)) as desk:
        await go(desk, [*asked()[question], *TYPED.get(question, "")])
        for part in words:
            await desk.sees(part)
