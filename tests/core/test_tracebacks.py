"""Tracebacks taken apart: real ones, made by raising."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outflow_core.tracebacks import Frame, headline, origin, parse
from tests.core.books import patient


def text_of(action: Callable[[], object]) -> str:
    """The traceback of what an action raises."""
    try:
        action()
    except BaseException as error:
        return "".join(traceback.format_exception(error))
    raise AssertionError("nothing was raised")


def fail(message: str = "no") -> None:
    raise ValueError(message)


def fail_in_a_library() -> None:
    import json

    json.loads("{")


def fail_because() -> None:
    try:
        fail("first")
    except ValueError as error:
        raise KeyError("second") from error


def fail_meanwhile() -> None:
    try:
        fail("first")
    finally:
        fail_in_a_library()


def fail_again(times: int = 300) -> None:
    if times:
        fail_again(times - 1)
    fail("deep")


def fail_to_compile() -> None:
    compile("x = (\n", "script.py", "exec")


def functions(text: str) -> list[str]:
    """The names of the functions in a traceback's frames."""
    return [part.frame.function for part in parse(text) if part.frame]


def test_each_frame_is_a_part_with_its_place() -> None:
    text = text_of(fail)
    assert functions(text) == ["text_of", "fail"]
    assert [part.kind for part in parse(text)] == ["header", "frame", "frame", "message"]


def test_the_place_is_the_innermost_frame_of_the_pipeline_not_of_a_library() -> None:
    found = origin(parse(text_of(fail_in_a_library)))
    assert found is not None
    assert (found.function, found.file, found.is_own) == ("fail_in_a_library", __file__, True)


@pytest.mark.parametrize(
    ("action", "function", "words"),
    [(fail_because, "fail_because", "KeyError: 'second'"), (fail_meanwhile, "fail_in_a_library", "json.decoder")],
)
def test_of_chained_exceptions_the_last_one_counts(action: Callable[[], None], function: str, words: str) -> None:
    parts = parse(text_of(action))
    found = origin(parts)
    assert found is not None and found.function == function
    assert headline(parts).startswith(words)
    assert [part.kind for part in parts].count("link") == 1


def test_repeated_frames_stay_with_the_frame_they_repeat() -> None:
    parts = parse(text_of(fail_again))
    assert [part.kind for part in parts if any("Previous line repeated" in line for line in part.lines)] == ["frame"]


def test_a_message_of_several_lines_is_one_part() -> None:
    parts = parse(text_of(lambda: fail("one\n\ntwo\n  three")))
    assert parts[-1].lines == ("ValueError: one", "", "two", "  three")
    assert headline(parts) == "ValueError: one"


def test_a_syntax_error_points_into_the_script() -> None:
    found = origin(parse(text_of(fail_to_compile)))
    assert found is not None and (found.file, found.function) == ("script.py", "")


@pytest.mark.parametrize("text", ["", "\n", "killed", "no traceback\nhere"])
def test_text_that_is_no_traceback_is_one_message(text: str) -> None:
    assert [part.kind for part in parse(text)] == ["message"]
    assert origin(parse(text)) is None


def test_an_exception_group_keeps_its_text_and_has_a_place() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/data/p/tasks.py", line 3, in both\n'
        "  |     raise ExceptionGroup('two', [...])\n"
        "  | ExceptionGroup: two (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | ValueError: a\n"
        "    +------------------------------------\n"
    )
    parts = parse(text)
    assert origin(parts) == Frame("/data/p/tasks.py", 3, "both")
    assert "".join(f"{line}\n" for part in parts for line in part.lines) == text


def test_what_an_exception_group_failed_of_stands_inside_it() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/opt/lib/python3.12/asyncio/taskgroups.py", line 145, in __aexit__\n'
        "  |     raise me from None\n"
        "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/data/p/tasks.py", line 5, in fit\n'
        "    |     header['GAIN']\n"
        '    |   File "/opt/lib/python3.12/json/decoder.py", line 353, in raw_decode\n'
        "    |     obj, end = self.scan_once(s, idx)\n"
        "    | KeyError: 'GAIN'\n"
        "    +------------------------------------\n"
    )
    parts = parse(text)
    assert [part.frame.is_own for part in parts if part.frame] == [False, True, False]
    assert origin(parts) == Frame("/data/p/tasks.py", 5, "fit")
    assert headline(parts) == "KeyError: 'GAIN'"


TRACEBACK_SCRAPS = st.sampled_from(
    [
        "Traceback (most recent call last):",
        '  File "/a/b.py", line 3, in f',
        '  File "x", line 1',
        "    code()",
        "    ^^^^",
    ]
    + [
        "ValueError: no",
        "",
        "  [Previous line repeated 3 more times]",
        '  | File "y", line 2, in g',
        "  +---",
        "\r",
        "\x1b[0m",
    ]
    + ["During handling of the above exception, another exception occurred:", '  File "z", line ' + "9" * 5_000]
)


@patient
@given(st.text() | st.lists(TRACEBACK_SCRAPS | st.text(max_size=5)).map("\n".join))
@example('  File "x", line ' + "9" * 10_000 + ", in f")
def test_no_line_of_any_text_is_lost(text: str) -> None:
    parts = parse(text)
    assert "\n".join(line for part in parts for line in part.lines) == text.removesuffix("\n")
    headline(parts)
    origin(parts)
