"""Looking for a text: what is found is what stands there, whatever the lines are cut into."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from outflow_core.sought import folded
from outflow_tui import search as searches
from outflow_tui import text
from outflow_tui.lines import Line, plain
from outflow_tui.search import Haystack, is_exact, marked, search

LETTERS = "aAbB .(\\İßΣσς\x1b日"
some_text = st.text(LETTERS, max_size=30)
wanted_text = st.text("aAbB .(σΣ", min_size=1, max_size=3)


def lines_of(texts: list[str]) -> list[Line]:
    return [Line(place, ((words[:3], "dim"), (words[3:], ""))) for place, words in enumerate(texts)]


def by_force(shown: str, wanted: str) -> list[int]:
    """Where a text stands in a line, tried letter by letter."""
    whole, sought = (shown, wanted) if is_exact(wanted) else (folded(shown), folded(wanted))
    found, place = [], 0
    while place + len(sought) <= len(whole):
        if whole[place : place + len(sought)] == sought:
            found.append(place)
            place += len(sought)
        else:
            place += 1
    return found


@given(st.lists(some_text, max_size=6), wanted_text)
def test_what_is_found_is_what_a_look_at_every_letter_finds(texts: list[str], wanted: str) -> None:
    lines = lines_of(texts)
    haystack = Haystack(lines)
    expected = [
        haystack.starts[number] + place
        for number, line in enumerate(lines)
        for place in by_force(plain(line.pieces), wanted)
    ]
    assert list(haystack.find(wanted)) == expected


@given(st.text("ab ", max_size=60), st.integers(1, 9), wanted_text)
def test_a_line_that_is_cut_for_the_window_is_searched_whole(words: str, width: int, wanted: str) -> None:
    cut = [Line(n, ((piece, ""),), joint=joint) for n, (piece, joint) in enumerate(text.wrapped(words, width))]
    whole = Haystack([Line(0, ((words, ""),))])
    assert Haystack(cut).find(wanted) == whole.find(wanted)


@given(st.lists(some_text, min_size=1, max_size=6), wanted_text)
def test_marks_leave_the_text_as_it_is_and_cover_what_was_found(texts: list[str], wanted: str) -> None:
    lines = lines_of(texts)
    found = search(wanted, Haystack(lines))
    covered = 0
    for line in lines:
        pieces = marked(line.pieces, found.spans(line.key))
        assert plain(pieces) == plain(line.pieces)
        covered += sum(len(piece) for piece, look in pieces if look.endswith(("match", "here")))
    assert covered == len(found.found) * len(wanted)


@given(st.lists(some_text, min_size=1, max_size=6), wanted_text)
def test_walking_on_meets_every_match_once_and_comes_round(texts: list[str], wanted: str) -> None:
    start = search(wanted, Haystack(lines_of(texts)))
    met, here = [], start
    for _ in start.found:
        met.append(here.at)
        assert here.line is not None
        here = here.step(1, here.line)
    assert met == list(range(len(start.found)))
    assert here.at == start.at
    assert bool(here.turned) == bool(start.found)


@given(st.lists(some_text, min_size=1, max_size=6), wanted_text, st.integers(0, 5))
def test_a_step_from_elsewhere_goes_to_the_nearest_match(texts: list[str], wanted: str, line: int) -> None:
    found = search(wanted, Haystack(lines_of(texts)))
    line %= len(texts)
    if not found.found or line == found.line:
        return
    down, up = found.step(1, line), found.step(-1, line)
    assert down.line is not None
    assert up.line is not None
    assert (down.line >= line) != (down.turned == "from the top")
    assert (up.line < line) != (up.turned == "from the end")


def test_capitals_are_told_apart_only_when_they_are_wanted() -> None:
    haystack = Haystack(lines_of(["gain GAIN Gain"]))
    assert len(haystack.find("gain")) == 3
    assert len(haystack.find("Gain")) == 1


def test_what_is_wanted_is_text_and_no_pattern() -> None:
    haystack = Haystack(lines_of(["a.c abc a.c", "[0-9]+ ("]))
    assert len(haystack.find("a.c")) == 2
    assert len(haystack.find("[0-9]+ (")) == 1


def test_letters_that_grow_when_small_do_not_shift_what_follows() -> None:
    haystack = Haystack(lines_of(["İİİ gain"]))
    (place,) = haystack.find("gain")
    assert place - haystack.starts[0] == 4


def test_twenty_thousand_lines_are_searched_in_a_moment() -> None:
    haystack = Haystack(lines_of([f"  line {number}: gain = float(header['GAIN'])" for number in range(20_000)]))
    began = time.perf_counter()
    found = search("gain", haystack)
    assert len(found.found) == 40_000
    assert found.spans(19_999)
    assert time.perf_counter() - began < 1.0
    assert searches.search("20000", haystack).words() == "no match"
