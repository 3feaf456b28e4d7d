"""What comparing configurations costs: two of ten thousand leaves each, against a bare recursive walk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.ratios import Figure, ratio
from benchmarks.registry import Bench, figures
from outflow_core import queries
from outflow_core.config_diff import diff

LEAVES = 10_000
CHANGED = 50


def configuration(leaves: int, changed: int = 0) -> dict[str, Any]:
    """A nested configuration of so many leaves, of which some differ from those of another one."""
    config: dict[str, Any] = {}
    for number in range(leaves):
        section = config.setdefault(f"stage_{number // 100}", {}).setdefault(f"step_{number // 10 % 10}", {})
        is_changed = changed and number % (leaves // changed) == 7
        section[f"option_{number % 10}"] = (
            -number if is_changed else (number, f"value {number}", number / 7)[number % 3]
        )
    return config


def walk(old: Any, new: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths at which two values differ: the least that a comparison does."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from walk(old.get(key), new.get(key), (*path, key))
    elif old != new:
        yield path


@figures("diff")
def diffs(bench: Bench) -> Iterator[Figure]:
    """From the texts of two configurations to what differs."""
    texts = [json.dumps(configuration(LEAVES, changed)) for changed in (0, CHANGED)]

    def bare() -> int:
        return len(list(walk(json.loads(texts[0]), json.loads(texts[1]))))

    def ours() -> int:
        rows = [queries._configuration(number, str(number), text, "{}") for number, text in enumerate(texts)]
        return len(diff(rows[0], rows[1]))

    assert ours() == bare() == CHANGED
    what, wanted = f"diff of {LEAVES:,} leaves", "1.5 x json.loads and a bare walk"
    yield ratio(what, ours, bare, wanted=wanted, limit=1.5, rounds=bench.rounds(9))
