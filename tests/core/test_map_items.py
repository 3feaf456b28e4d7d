"""Which blocks are an item's: in maps as Outflow leaves them, whole, cut short and not to be told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from outflow_core.map_items import Inside, items_of, state_of
from outflow_core.rows import TOP_LEVEL, BlockRow
from outflow_core.states import BlockType, State

MAP = 10
WORDS = {"+": State.SUCCESS, "x": State.FAILED, "o": State.RUNNING, ".": State.PENDING, "-": State.SKIPPED}


def row(number: int, name: str, state: State, parent: int | None, kind: BlockType = BlockType.TASK) -> BlockRow:
    return BlockRow(number, kind, name, state, None, None, None, parent)


AROUND = row(MAP, "frames", State.RUNNING, 1, BlockType.WORKFLOW)


def blocks(words: str) -> list[BlockRow]:
    """Blocks after the map, `fit+` a success in it and `fit.` one that waits for its parent."""
    made = [
        row(MAP + k, word[:-1], WORDS[word[-1]], None if word[-1] == "." else MAP)
        for k, word in enumerate(words.split(), 1)
    ]
    return [row(1, TOP_LEVEL, State.PENDING, None, BlockType.WORKFLOW), AROUND, *made]


def states(words: str, size: int) -> list[State] | None:
    items = items_of(AROUND, size, blocks(words))
    return None if items is None else [state_of(item) for item in items]


S, F, R, P, K = (WORDS[sign] for sign in "+xo.-")


@pytest.mark.parametrize(
    ("words", "size", "wanted"),
    [
        ("a+ a+ ax", 3, [S, S, F]),
        ("a+ b+ a+ bx", 2, [S, F]),
        ("b+ a+ b. ax", 2, [S, F]),
        ("end. a+ b+ ax b. a. b.", 3, [S, F, P]),
        ("end. a+ b+ a+ bo a. b.", 3, [S, R, P]),
        ("a+ b+ a. b. later.", 2, [S, P]),
        ("a- b- a+ b-", 2, [K, S]),
        ("a+ a+ a+ ax", 2, [S, F]),
        ("end. a+ ax a.", 3, [S, F, P]),
        ("a. b. a+ b. a. b.", 3, [P, P, P]),
        ("a+", 1, [S]),
        ("end. a. a.", 2, [P, P]),
    ],
)
def test_the_place_in_the_list_tells_which_blocks_are_an_items(words: str, size: int, wanted: list[State]) -> None:
    assert states(words, size) == wanted


@pytest.mark.parametrize(
    ("words", "size"),
    [("a+ a.", 1), ("a. a+ a.", 2), ("a+ b+ c+", 2), ("a+ b+ b+ a+", 2), ("a+ ax a. a.", 2), ("a+ a+ a+", 2)],
)
def test_where_several_places_are_possible_or_none_nothing_is_said(words: str, size: int) -> None:
    assert states(words, size) is None


def test_two_tasks_of_which_the_second_never_began_are_not_taken_for_one() -> None:
    assert states("a+ b. a+ b.", 2) == [P, P]


def test_thousands_that_wait_elsewhere_are_not_gone_through_for_ever() -> None:
    assert states("a+ " + " ".join(f"w{k}." for k in range(5_000)), 1) is None


def test_a_workflow_in_an_item_brings_what_is_inside_it() -> None:
    inner = row(12, "inner", State.SUCCESS, 11, BlockType.WORKFLOW)
    nested = [AROUND, row(11, "outer", State.SUCCESS, MAP, BlockType.WORKFLOW), inner, row(13, "deep", F, 12)]
    (item,) = items_of(AROUND, 1, nested) or ()
    assert [block.id for block in item] == [11]
    assert state_of(Inside(nested).with_all_below(item)) is State.FAILED


def test_a_circle_of_parents_ends() -> None:
    circle = [row(2, "a", S, 3, BlockType.WORKFLOW), row(3, "b", S, 2, BlockType.WORKFLOW)]
    inside = Inside(circle)
    assert not inside.is_outflows(circle[0])
    assert _ids(inside.with_all_below(circle[:1])) == [2, 3]


def _ids(found: Sequence[BlockRow]) -> list[int]:
    return [block.id for block in found]


def test_only_outflow_puts_its_own_workflow_around_everything() -> None:
    assert Inside(blocks("a+")).is_outflows(AROUND)
    assert not Inside([AROUND]).is_outflows(AROUND)
