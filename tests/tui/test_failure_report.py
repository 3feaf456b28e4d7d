"""The failure report: what stands in it, what must not, and that foreign text stays code."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outflow_core.masking import mask_said
from outflow_core.rows import BlockDetail, ExceptionRow
from outflow_core.states import State
from outflow_tui.failure_report import Failed, compared, failure_of, failure_report
from outflow_tui.markdown import code, fenced, shortened
from outflow_tui.snapshot import Focus
from tests.tui.story import FakeSource, configuration, exception, run, task, traceback_of

OLD = configuration(1, {"fit": {"tolerance": 1e-6}})
NEW = configuration(2, {"fit": {"tolerance": 1e-4}})
FAILED = task(3, "calibrate", failed=traceback_of("ValueError: no gain"), inputs={"file": '"night.fits"'})


def told(**changes: Any) -> Failed:
    """A failure after a success of the same command, with what a test changes of the block."""
    source = FakeSource([run(46, state=State.FAILED, tasks=[FAILED], config=NEW), run(45, config=OLD)])
    snapshot = source.look(Focus(46, 3))
    snapshot = source.look(Focus(46, 3, configurations_of=compared(snapshot, 46)))
    assert snapshot.detail is not None
    failed = failure_of(snapshot, 46, snapshot.detail._replace(**changes), ("map_frames",))
    assert failed is not None
    return failed


def test_the_report_tells_all_that_an_issue_needs() -> None:
    report = failure_report(told())
    for words in (
        "### `ValueError` in `calibrate`, run 46 of `reduce_night`",
        "run 46: failed, 2026-11-23 11:46:00 to 2026-11-23 11:48:14 (2m14s), host `nid001`",
        "task 3: `calibrate` of plugin `reduce`, failed, 2026-11-23 11:30:03",
        "- inside: `map_frames`",
        f"- configuration: `{NEW.hash}`",
        'file: "night.fits"',
        '    gain = float(header["GAIN"])\nValueError: no gain\n```',
        "What differs from run 45, the last success of this command",
        "~ config: fit.tolerance  1e-06 -> 0.0001",
    ):
        assert words in report


def test_what_is_not_known_is_said() -> None:
    assert "is not known" in failure_report(replace(told(), its_configuration=None))
    assert "No run of this command" in failure_report(replace(told(), last_success=None))
    assert "without a recorded exception" in failure_report(told(exceptions=()))


def test_secrets_are_masked_wherever_they_are_spoken() -> None:
    text = traceback_of("ConnectionError: postgresql://me:hunter2@host refused password='hunter3'")
    text = text.replace('header["GAIN"]', 'dict(api_key="hunter4", token=hunter5)')
    report = failure_report(told(exceptions=(exception(3, text),), input_values={"note": "pwd='hunter6'"}))
    assert "hunter" not in report
    assert "refused password=******" in report


@given(st.text("ab='\":{} \npasswordtokn_", max_size=80))
def test_masking_changes_nothing_but_secrets_and_masking_twice_nothing_more(text: str) -> None:
    masked = mask_said(text)
    assert mask_said(masked) == masked
    assert masked.count("\n") == text.count("\n")


@given(st.text("`~ab\n#\x1b\r", max_size=60))
def test_nothing_leaves_its_fence(text: str) -> None:
    first, *body, last = fenced(text).split("\n")
    assert first == last
    assert set(first) == {"`"}
    assert not any(re.match(rf" {{0,3}}`{{{len(first)},}}\s*$", line) for line in body)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", fenced(text))


@given(st.text("`ab \n\x1b<@", max_size=30))
def test_nothing_leaves_its_code_span(text: str) -> None:
    span = code(text)
    assert "\n" not in span
    if span != "(empty)":
        ticks = re.match("`+", span)
        assert ticks is not None
        inner = span[len(ticks[0]) : -len(ticks[0])]
        assert ticks[0] not in re.findall("`+", inner)


def test_a_hostile_name_and_traceback_stay_code() -> None:
    hostile = "ValueError: x\n```\n</details><script>alert(1)</script>\n# @everyone\n````````"
    failed = told(exceptions=(exception(3, hostile),))
    failed = replace(failed, inside=("a`b\n# title", "``"))
    report = failure_report(failed)
    outside = re.sub(r"(?ms)^(`{3,})\n.*?^\1$", "", report)
    outside = re.sub(r"(?s)(`+)(?!`).+?(?<!`)\1(?!`)", "", outside)
    assert "script" not in outside
    assert "everyone" not in outside
    assert "# title" not in outside


def test_a_huge_report_still_fits_into_an_issue() -> None:
    long = "Traceback (most recent call last):\n" + "  x\n" * 300_000 + "ValueError: " + "y" * 100_000
    row = ExceptionRow(1, 3, "ValueError", "y", long, None)
    failed = told(exceptions=(row,), input_values={"file": "z" * 100_000})
    failed = replace(
        failed, configuration=configuration(2, {str(n): n for n in range(9_000)}), inside=("w" * 9_000,) * 3
    )
    report = failure_report(failed)
    assert len(report) < 60_000
    assert "characters left out" in report


SECRET = " s3cret" * 60_000
"""Longer than what is looked at of either end."""


@pytest.mark.parametrize(
    "said",
    [
        f"password='{SECRET}' " + "x" * 9,
        "x" * 200_000 + f"\nlogged in with token='{SECRET}'\nValueError: refused",
        "x " * 99_995 + f"password='{SECRET}' refused",
        "password=s3cret " * 60_000,
        "x " * 400_000 + "password=s3cret",
        "password=s3cret" + "\n  x" * 400_000,
    ],
    ids=["at the start", "in a line", "across both ends", "nothing else", "at the end", "far from the end"],
)
def test_no_secret_is_cut_in_two_where_a_traceback_is(said: str) -> None:
    report = failure_report(told(exceptions=(ExceptionRow(1, 3, "ValueError", said, said, None),)))
    assert "s3cret" not in report
    assert "******" in report


@given(st.text("ab\n", max_size=60), st.integers(8, 70))
def test_a_shortened_text_keeps_its_ends_and_counts_what_it_leaves_out(text: str, length: int) -> None:
    short = shortened(text, length)
    found = re.search(r"\n\.\.\. ([\d,]+) characters left out \.\.\.\n", short)
    if len(text) <= length:
        assert short == text
    else:
        assert found is not None
        assert len(short) - len(found[0]) + int(found[1].replace(",", "")) == len(text)
        assert text.startswith(short[: found.start()])
        assert text.endswith(short[found.end() :])


def test_details_without_an_exception_row_are_reported_too() -> None:
    detail = told(exceptions=())
    assert isinstance(detail.detail, BlockDetail)
    assert "**Traceback**" not in failure_report(detail)
