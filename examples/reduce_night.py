"""A small pipeline that really computes: it reduces the frames of a night and keeps its own books.

    python examples/reduce_night.py --config config.yml --frames 40

Each frame is a file of numbers; some of them are broken, as frames are. A broken frame is recorded
with its traceback, and the night goes on without it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outflow_core import OutflowError, load_settings, record_run
from outflow_core.records import Scope


def write_frames(folder: Path, count: int, seed: int) -> list[Path]:
    """Make the frames of a night: 200 counts each; some headers hold `n/a`, some frames are cut short."""
    chance = random.Random(seed)
    paths = []
    for number in range(count):
        gain = "n/a" if chance.random() < 0.06 else f"{chance.gauss(1.5, 0.05):.4f}"
        pixels = [f"{chance.gauss(1000, 30):.2f}" for _ in range(3 if chance.random() < 0.04 else 200)]
        path = folder / f"night_{number:04d}.txt"
        path.write_text("\n".join([f"GAIN {gain}", *pixels]))
        paths.append(path)
    return paths


def read_frame(path: Path) -> tuple[float, list[float]]:
    """The gain and the counts of a frame."""
    header, *pixels = path.read_text().splitlines()
    return parse_gain(header), [float(pixel) for pixel in pixels]


def parse_gain(header: str) -> float:
    """The gain that a header names."""
    return float(header.removeprefix("GAIN "))


def calibrate(path: Path, fit: dict[str, Any]) -> float:
    """The clipped mean of a frame, in electrons."""
    gain, pixels = read_frame(path)
    if len(pixels) < fit["min_pixels"]:
        raise ValueError(f"{path.name}: {len(pixels)} pixels, at least {fit['min_pixels']} are needed")
    for _ in range(int(fit["max_iter"])):
        centre, width = statistics.fmean(pixels), statistics.stdev(pixels)
        kept = [pixel for pixel in pixels if abs(pixel - centre) < 3 * width]
        if len(kept) == len(pixels) or width / centre < float(fit["tolerance"]):
            break
        pixels = kept
    return statistics.fmean(pixels) * gain


def reduce_night(config: Path, folder: Path, count: int, pause: float, seed: int) -> None:
    """Record and run the whole night."""
    settings = load_settings(config)
    fit = settings.content["parameters"]["fit"]
    with record_run("reduce_night", config=settings, settings={"frames": count, "seed": seed}) as run:
        with run.task("load_catalog", output_targets={"frames": {"type": "list"}}) as catalog:
            paths = write_frames(folder, count, seed)
        inputs = [{"file": path.name} for path in paths]
        with run.workflow("map_frames", inputs=inputs, tasks=["calibrate"], upstream=[catalog]) as frames:
            means = [mean for item in frames if (mean := one_frame(item, folder, fit, pause)) is not None]
        with run.workflow("summary", upstream=[frames]) as summary:
            with summary.task("stack", inputs={"frames": len(means)}):
                level = statistics.fmean(means)
            with summary.task("check_level", inputs={"level": round(level, 3)}):
                check_level(level, settings.content["parameters"]["expected"])
            summary.skip("publish")


def one_frame(item: Scope, folder: Path, fit: dict[str, Any], pause: float) -> float | None:
    """The level of one frame, None for a broken one: the books hold why."""
    try:
        with item.task("calibrate"):
            time.sleep(pause)
            return calibrate(folder / item.inputs["file"], fit)
    except (ValueError, ArithmeticError):
        return None


def check_level(level: float, expected: dict[str, float]) -> None:
    """Refuse a night whose level is out of range."""
    if not expected["low"] <= level <= expected["high"]:
        raise RuntimeError(f"level {level:.1f} is not between {expected['low']} and {expected['high']}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the night from the command line."""
    parser = argparse.ArgumentParser(description="Reduce the frames of a night.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration file")
    parser.add_argument("--folder", type=Path, required=True, help="where the frames are made")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds to wait in each frame")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        reduce_night(options.config, options.folder, options.frames, options.pause, options.seed)
    except (OutflowError, RuntimeError) as error:
        print(f"reduce_night: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
