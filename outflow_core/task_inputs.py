"""What the tasks of a run were given, the items of Outflow's maps among them; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from outflow_core.map_items import Inside, items_of
from outflow_core.rows import BlockRow

Inputs = Mapping[str, Any]


def task_inputs(wanted: Collection[int], blocks: Sequence[BlockRow], values: Mapping[int, Any]) -> dict[int, Inputs]:
    """The inputs of the wanted blocks, where they are known: their own, or those of the item of the map around them.

    `blocks` are all of the run, by id; `values` are what is stored of the wanted ones and of all workflows.
    """
    inside = Inside(blocks)
    found = _of_items(inside, blocks, values)
    found |= {number: values[number] for number in wanted if isinstance(values.get(number), Mapping) and values[number]}
    return {number: found[number] for number in sorted(wanted) if number in found}


def _of_items(inside: Inside, blocks: Sequence[BlockRow], values: Mapping[int, Any]) -> dict[int, Inputs]:
    """The inputs of every block inside of an item of a map that Outflow ran."""
    found: dict[int, Inputs] = {}
    for number, items in values.items():
        around = inside.block(number)
        if around is None or not isinstance(items, list) or not inside.is_outflows(around):
            continue
        told = zip(items, items_of(around, len(items), blocks) or (), strict=False)
        found |= {
            block.id: inputs
            for inputs, item in told
            if isinstance(inputs, Mapping)
            for block in inside.with_all_below(item)
        }
    return found
