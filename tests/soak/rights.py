"""Without the right to write: the files of another user, in a directory of another user, or on a read-only mount."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534
_DROP = 24
"""PR_CAPBSET_DROP of prctl."""
_OF_ROOT = (1, 2, 3)
"""CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER: by which root may write everywhere."""


def give_up_rights() -> None:
    """Become as powerless as anybody, for the program that this process is about to become."""
    if os.geteuid() == 0:
        prctl = ctypes.CDLL(None).prctl
        for right in _OF_ROOT:
            assert prctl(_DROP, right, 0, 0, 0) == 0


def belongs_to_another(folder: Path) -> None:
    """Give everything in a directory to another user; who is not root can only take the rights from himself."""
    for path in (*folder.rglob("*"), folder):
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
            path.chmod(0o755 if path.is_dir() else 0o644)
        else:
            path.chmod(0o555 if path.is_dir() else 0o444)


def may_write(folder: Path) -> bool:
    """Whether a powerless program can make a file in a directory."""
    command = ["sh", "-c", 'echo x > "$0"/probe 2>/dev/null', str(folder)]
    return subprocess.run(command, preexec_fn=give_up_rights).returncode == 0


@contextmanager
def read_only_mount(content: Path, place: Path) -> Iterator[Path | None]:
    """A directory's content on a read-only file system; None where nothing may be mounted."""
    place.mkdir()
    if not _mounted("-t", "tmpfs", "outflow-soak", str(place)):
        yield None
        return
    try:
        shutil.copytree(content, place, dirs_exist_ok=True)
        yield place if _mounted("-o", "remount,ro", str(place)) else None
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _mounted(*words: str) -> bool:
    try:
        return subprocess.run(["mount", *words], capture_output=True).returncode == 0
    except OSError:
        return False
