"""What became of inputs in one run: the blocks that hold them become processings; pure.

Our recorder gives each task of an item the item's inputs, beside the list of them at the map.
Outflow's tasks hold none: there the place in the list tells which blocks are the item's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from outflow_core.map_items import Inside, items_of, state_of
from outflow_core.rows import BlockRow, ProcessingRow, RunRow
from outflow_core.states import BlockType, State
from outflow_core.wanted_inputs import Holder

_Inputs = Mapping[str, Any]
_Place = tuple[int | None, str]


def processings_of(run: RunRow, held: Sequence[Holder], blocks: Sequence[BlockRow]) -> list[ProcessingRow]:
    """The processings of one run, newest first, each once.

    `blocks` are at least the holders and what they stand in, by id; all of the run when it
    `has_untold_items` or there are workflows inside a map.
    """
    inside = Inside(blocks)
    maps = [(around, holder) for holder in held if holder.size and (around := inside.block(holder.block_id))]
    unclear = {around.id for around, _ in maps if not _is_settled(_nested(around, inside), inside)}
    found = {place: _of_tasks(run, *own, inside, unclear) for place, own in _by_inputs(held, inside).items()}
    rows = list(found.values())
    for around, holder in maps:
        if inside.is_outflows(around):
            rows += _of_outflows_map(run, around, holder, blocks, inside)
        else:
            rows += _of_our_map(run, around, holder, inside, found.keys())
    return sorted(rows, key=lambda row: row.blocks[-1:], reverse=True)


def has_untold_items(held: Sequence[Holder], blocks: Sequence[BlockRow]) -> bool:
    """Whether an item of a map has no tasks with inputs of its own, so that all blocks of the run are needed."""
    told = _by_inputs(held, Inside(blocks))
    maps = (holder for holder in held if holder.size is not None)
    return any((holder.block_id, _sign(inputs)) not in told for holder in maps for _, inputs in holder.fitting)


def _by_inputs(held: Sequence[Holder], inside: Inside) -> dict[_Place, tuple[list[BlockRow], _Inputs]]:
    """The tasks that were given the same inputs at the same place: they are one processing."""
    found: dict[_Place, tuple[list[BlockRow], _Inputs]] = {}
    for holder in held:
        task = inside.block(holder.block_id)
        if task is not None and holder.size is None:
            _, inputs = holder.fitting[0]
            found.setdefault((task.parent_id, _sign(inputs)), ([], inputs))[0].append(task)
    return found


def _sign(inputs: _Inputs) -> str:
    """A text that is equal for equal inputs, in whatever order of keys."""
    return json.dumps(inputs, sort_keys=True, default=repr)


def _of_tasks(
    run: RunRow, tasks: Sequence[BlockRow], inputs: _Inputs, inside: Inside, unclear: Collection[int]
) -> ProcessingRow:
    """Tasks with inputs of their own; of several with one name the last counts: it tried again."""
    last = {task.name: task for task in sorted(tasks, key=lambda task: task.id)}
    parts = sorted(last.values(), key=lambda task: task.id)
    parent = inside.block(parts[0].parent_id)
    state = state_of(inside.with_all_below(parts))
    if parent is not None and parent.id in unclear and state is State.SUCCESS:
        return _of_whole_map(run, parent, inputs)
    return _row(run, parent, inputs, parts, state)


def _nested(around: BlockRow, inside: Inside) -> list[BlockRow]:
    """The workflows in a map: in one of ours nobody knows to which item each belongs."""
    return [child for child in inside.children(around) if child.type is BlockType.WORKFLOW]


def _is_settled(blocks: Sequence[BlockRow], inside: Inside) -> bool:
    """Whether all of these, and what is inside them, is over and well."""
    return all(block.state in (State.SUCCESS, State.SKIPPED) for block in inside.with_all_below(blocks))


def _of_outflows_map(
    run: RunRow, around: BlockRow, holder: Holder, blocks: Sequence[BlockRow], inside: Inside
) -> Iterator[ProcessingRow]:
    """The items of a map whose tasks hold no inputs."""
    items = items_of(around, holder.size or 0, blocks)
    for index, inputs in holder.fitting:
        if items is None:
            yield _of_whole_map(run, around, inputs)
        else:
            yield _row(run, around, inputs, items[index], state_of(inside.with_all_below(items[index])))


def _of_our_map(
    run: RunRow, around: BlockRow, holder: Holder, inside: Inside, told: Collection[_Place]
) -> Iterator[ProcessingRow]:
    """The items of a map of our recorder that no task of theirs tells of: not begun, or made of workflows."""
    nested = _nested(around, inside)
    untold = {sign: inputs for _, inputs in holder.fitting if (around.id, sign := _sign(inputs)) not in told}
    for inputs in untold.values():
        if not nested and around.state is not State.SUCCESS:
            yield _row(run, around, inputs, (), State.PENDING)
        elif nested and around.state is State.SUCCESS and _is_settled(inside.children(around), inside):
            yield _row(run, around, inputs, (around,), State.SUCCESS)
        else:
            yield _of_whole_map(run, around, inputs)


def _of_whole_map(run: RunRow, around: BlockRow, inputs: _Inputs) -> ProcessingRow:
    return _row(run, around, inputs, (around,), around.state)._replace(is_whole_map=True)


def _row(
    run: RunRow, around: BlockRow | None, inputs: _Inputs, blocks: Sequence[BlockRow], state: State
) -> ProcessingRow:
    starts = [block.start_time for block in blocks if block.start_time is not None]
    ends = [block.end_time for block in blocks if block.end_time is not None]
    return ProcessingRow(
        run=run,
        inputs=inputs,
        state=state,
        workflow=around.name if around is not None and not around.is_top_level else None,
        tasks=tuple(dict.fromkeys(block.name for block in blocks if block is not around)),
        blocks=tuple(block.id for block in blocks),
        start_time=min(starts, default=None),
        end_time=max(ends, default=None) if state.is_final else None,
    )
