"""The scenes of the pictures: one night at an observatory's pipeline, always the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from outflow_core.states import BlockType, State
from tests.tui.story import NOW, FakeSource, Told, ToldRun, configuration, run, task, traceback_of, workflow


@dataclass(frozen=True)
class Scene:
    """A name, a window, and the keys from the start to what is to be seen."""

    name: str
    size: tuple[int, int]
    keys: Sequence[str] = ()


SCENES = (
    Scene("runs", (100, 16)),
    Scene("run", (120, 28), ("down", "enter")),
    Scene("traceback", (100, 24), ("down", "enter", "enter")),
    Scene("failures", (110, 10), ("down", "enter", "2")),
    Scene("timeline", (110, 24), ("down", "enter", "3", "home")),
    Scene("diff", (100, 14), ("space", "down", "space", "d")),
    Scene("search", (100, 18), ("ctrl+f", *"night_0004")),
    Scene("configuration", (100, 24), ("c",)),
)
FIT: dict[str, Any] = {"parameters": {"fit": {"tolerance": 1e-06, "max_iter": 20}, "detectors": ["a", "b"]}}
LOOSE: dict[str, Any] = {
    "parameters": {"fit": {"tolerance": 0.0001, "max_iter": 200, "clip": 3.0}, "detectors": ["a", "b", "c"]}
}
SETTINGS = {"BACKENDS": {"default": "local"}, "MAIN_DATABASE": "default"}
SECRETS = {"instrument": {"name": "spectrograph", "gain": 1.5}, "secrets": {"archive_token": "******"}}


def observatory() -> FakeSource:
    """The books of the scenes."""
    old = configuration(52, FIT | SECRETS, SETTINGS)
    new = configuration(73, LOOSE | SECRETS, SETTINGS)
    return FakeSource(
        [
            run(46, state=State.RUNNING, tasks=frames(0, 120, done=55), config=new),
            failed_night(45, old._replace(id=old.id)),
            run(44, "calibrate", tasks=frames(2000, 12), config=old, host="login1"),
            run(43, tasks=frames(3000, 120, broken={17, 93}), config=old),
            earlier(run(42, "archive", State.RUNNING, tasks=frames(4000, 8, done=3), config=old, silent_minutes=190)),
            earlier(run(41, "calibrate", tasks=frames(5000, 12), config=old, host="login1")),
        ]
    )


def earlier(told: ToldRun) -> ToldRun:
    """The same run, four hours before."""
    row, hours = told.row, timedelta(hours=4)
    begun, ended = row.start_time, row.end_time
    return replace(told, row=row._replace(start_time=begun and begun - hours, end_time=ended and ended - hours))


def frames(first: int, count: int, *, done: int | None = None, broken: set[int] | None = None) -> list[Told]:
    """A map over frames, some of them broken, the last ones perhaps not done yet."""
    over = count if done is None else done
    inputs = [{"file": f'"night_{number:04d}.fits"'} for number in range(count)]
    outer = workflow(first + 3, "map_frames", State.SUCCESS if done is None else State.RUNNING)
    told = [task(first + 2, "load_catalog", seconds=0.4), replace(outer, inputs=inputs)]
    for number in range(1, count + 1):
        told.append(_frame(first, number, over, broken or set()))
    return told


def _frame(first: int, number: int, over: int, broken: set[int]) -> Told:
    place: dict[str, Any] = {
        "parent": first + 3,
        "inputs": {"file": f'"night_{number:04d}.fits"'},
        "seconds": 11.5 + number % 7 / 5,
    }
    if number in broken:
        text = traceback_of("ValueError: could not convert string to float: 'n/a'", file="/data/reduce/calibrate.py")
        told = task(first + 10 + number, "frame", failed=text, **place)
    else:
        state = State.SUCCESS if number <= over else State.RUNNING if number <= over + 2 else State.PENDING
        told = task(first + 10 + number, "frame", state, **place)
    return replace(told, upstream=(first + 2,))


def failed_night(number: int, config: Any) -> ToldRun:
    """A night that ended with a failure, after some broken frames."""
    told = frames(1000, 24, broken={4, 9, 21})
    level = traceback_of(
        "RuntimeError: level 1712.4 is not between 1400 and 1600", file="/data/reduce/night.py", line=41
    )
    summary = workflow(1100, "summary", State.FAILED)
    told += [
        summary,
        task(1101, "stack", parent=1100, seconds=2.2),
        task(1102, "check_level", parent=1100, failed=level),
    ]
    told += [task(1103, "publish", State.PENDING)]
    night = run(number, state=State.FAILED, tasks=told, config=config)
    return in_time(replace(night, last_sign=NOW - timedelta(minutes=11)), {1017: 41.0})


def in_time(night: ToldRun, slow: Mapping[int, float], hosts: int = 4) -> ToldRun:
    """The run with its tasks laid out over hosts: each one begins where a host is free first."""
    begin = night.row.start_time or NOW
    free = dict.fromkeys((f"nid{number:03d}" for number in range(1, hosts + 1)), begin)
    told = []
    for block in night.blocks:
        row = block.row
        if row.end_time is not None and row.start_time is not None and row.type is BlockType.TASK:
            host = min(free, key=lambda name: free[name])
            took = timedelta(seconds=slow[row.id]) if row.id in slow else row.end_time - row.start_time
            row = row._replace(start_time=free[host], end_time=free[host] + took, hostname=host)
            free[host] += took + timedelta(seconds=0.6)
        told.append(replace(block, row=row))
    return replace(night, row=night.row._replace(end_time=max(free.values())), blocks=tuple(told))
