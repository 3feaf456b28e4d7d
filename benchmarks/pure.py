"""What comparing configurations costs: two of ten thousand leaves each, against a bare recursive walk."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml as pyyaml

from benchmarks.ratios import Figure, Work, compared
from benchmarks.registry import Bench, figures
from outflow_core.config_diff import diff
from outflow_core.configuration_queries import configuration_row
from outflow_core.yaml_bounds import Parser
from outflow_core.yaml_include import load_yaml

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
        rows = [configuration_row(number, str(number), text, "{}") for number, text in enumerate(texts)]
        return len(diff(rows[0], rows[1]))

    assert ours() == bare() == CHANGED
    what, wanted = f"diff of {LEAVES:,} leaves", "1.5 x json.loads and a bare walk"
    yield compared(
        what, lambda: processor(ours), lambda: processor(bare), wanted=wanted, limit=1.5, rounds=bench.rounds(15)
    )


@figures("yaml")
def yaml(bench: Bench) -> Iterator[Figure]:
    """A configuration file in YAML: bounds, places and includes, against the two loaders that PyYAML brings."""
    leaves = LEAVES // 10 if bench.quick else LEAVES
    what, rounds = f"YAML of {LEAVES:,} leaves", bench.rounds(5)
    bounds: dict[Any, tuple[str, float]] = {Parser: ("1.5 x", 1.5), pyyaml.SafeLoader: ("1 x", 1.0)}
    with TemporaryDirectory(prefix="outflow-bench-") as folder:
        file = Path(folder, "config.yml")
        file.write_text(pyyaml.safe_dump(configuration(leaves)), encoding="utf-8")
        text = file.read_text(encoding="utf-8")
        assert load_yaml(file) == pyyaml.load(text, Loader=Parser)
        for loader, (words, limit) in bounds.items():
            bare = partial(processor, partial(pyyaml.load, text, Loader=loader))
            wanted = f"{words} PyYAML's {loader.__name__} alone"
            yield compared(
                what, lambda: processor(lambda: load_yaml(file)), bare, wanted=wanted, limit=limit, rounds=rounds
            )


def processor(work: Work) -> float:
    """Seconds of the processor that some work takes: what else the machine does is not in them."""
    start = time.process_time()
    work()
    return time.process_time() - start
