"""Puts configurations through their use in processes that have little time and memory.

python -m tests.hostile.config_child FOLDER          reads the paths of files from its input, a line each
python -m tests.hostile.config_child FOLDER SEED N   tries N made-up inputs, in this process
"""

from __future__ import annotations

import logging
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hostile.config_inputs import inputs, make_surroundings
from tests.hostile.config_use import Outcome, told, use

SECONDS = 20
"""Of the processor, for one file: what takes more is killed."""
BYTES = 1_500_000_000
"""Of memory, above which there is none."""


def main(arguments: list[str]) -> None:
    """Do as the command line says."""
    logging.getLogger("outflow_core").addHandler(logging.NullHandler())
    folder = Path(arguments[0])
    if arguments[1:]:
        _fuzz(folder, *map(int, arguments[1:]))
    else:
        for line in sys.stdin:
            with _apart() as is_child:
                if is_child:
                    told(use(Path(line.rstrip("\n"))))


def _fuzz(folder: Path, seed: int, count: int) -> None:
    """Try inputs until one crashes, which is told; or the last one, which took the longest."""
    _bound(SECONDS + count // 20)
    make_surroundings(folder)
    longest = Outcome("read", "", 0.0)
    for name, content in inputs(seed, count):
        file = folder / name
        file.write_bytes(content)
        outcome = use(file)
        file.unlink()
        longest = max(longest, outcome, key=lambda one: one.seconds)
        if outcome.came == "crashed" or (outcome.came == "refused" and not _is_sentence(outcome.words, folder)):
            told(Outcome("crashed", f"{outcome.words} for {name}: {content!r}", outcome.seconds))
            return
    told(longest)


def _is_sentence(words: str, folder: Path) -> bool:
    return str(folder) in words and len(words) < 20_000


def _bound(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


@contextmanager
def _apart() -> Iterator[bool]:
    """Fork: yes in the child, which ends afterwards; in the parent, which waits, no, and a word if it was killed."""
    child = os.fork()
    if child == 0:
        _bound(SECONDS)
        yield True
        os._exit(0)
    yield False
    _, status = os.waitpid(child, 0)
    if status:
        told(Outcome("crashed", f"killed, status {status}", SECONDS))


if __name__ == "__main__":
    main(sys.argv[1:])
