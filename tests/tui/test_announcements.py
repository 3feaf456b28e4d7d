"""What is told outside of the screen: the title of the terminal, and the end of a run that somebody waits for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core.states import State
from outflow_tui import announcements
from tests.tui.desk import Desk, sitting
from tests.tui.story import FakeSource, run, task, traceback_of


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("VTE_VERSION", raising=False)


def written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the terminal besides the screen from now on."""
    sent: list[str] = []
    monkeypatch.setattr(desk.app, "write_to_terminal", sent.append)
    return sent


async def test_a_run_that_is_waited_for_rings_once_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = task(1, failed=traceback_of("ValueError: x"))
    async with sitting(FakeSource([run(46, state=State.RUNNING, tasks=[task(1)])])) as desk:
        await desk.sees("46")
        sent = written(desk, monkeypatch)
        await desk.press("t")
        await desk.sees("The terminal will ring when run 46 ends.")
        await desk.answers([run(46, state=State.FAILED, tasks=[failed])])
        await desk.sees("Run 46 reduce_night failed, 1 failed task")
        rung = [sequence for sequence in sent if sequence.startswith("\x07")]
        assert rung == ["\x07\x1b]9;run 46 reduce_night failed, 1 failed task\x07"]
        await desk.answers([run(46, state=State.FAILED, tasks=[failed, task(2)])])
        assert [sequence for sequence in sent if sequence.startswith("\x07")] == rung


async def test_the_same_key_takes_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(FakeSource([run(46, state=State.RUNNING)])) as desk:
        await desk.sees("46")
        sent = written(desk, monkeypatch)
        await desk.press("enter", "t", "t")
        await desk.sees("Run 46 will end without a word.")
        await desk.answers([run(46)])
        assert not any(sequence.startswith("\x07") for sequence in sent)


async def test_a_run_that_is_over_is_not_waited_for() -> None:
    async with sitting(FakeSource([run(46)])) as desk:
        await desk.sees("46")
        await desk.press("t")
        await desk.sees("Run 46 is over.")


async def test_the_title_says_how_many_runs_are_in_which_state_and_only_when_that_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with sitting(FakeSource([run(46, state=State.RUNNING), run(45)])) as desk:
        await desk.sees("46")
        sent = written(desk, monkeypatch)
        await desk.answers([run(46), run(45)])
        await desk.misses("running")
        await desk.answers([run(46, host="nid002"), run(45)])
        await desk.sees("nid002")
        assert sent == [announcements.title("outflow: 2 success")]


def test_a_terminal_without_a_title_is_sent_none() -> None:
    assert not announcements.has_title({"TERM": "linux"}) and not announcements.has_title({})
    assert announcements.has_title({"TERM": "xterm"})


@given(st.text(st.characters()), st.sampled_from([{}, {"VTE_VERSION": "1"}]))
def test_foreign_words_cannot_end_a_sequence_or_begin_another(words: str, environment: dict[str, str]) -> None:
    for sequence in (announcements.title(words), announcements.notice(words, environment)):
        body = sequence.removeprefix("\x07")
        assert body.startswith("\x1b]") and body.endswith("\x07")
        inside = body[2:-1]
        assert not {unicodedata.category(letter) for letter in inside} & {"Cc", "Cf", "Cs"}
        assert inside.count(";") == (3 if inside.startswith("777") else 1)
