"""What is installed to work on this is locked, to the byte; the lock fits what is asked for."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = (ROOT / "requirements.lock", ROOT / "tests" / "real_outflow" / "requirements.lock")
_ENTRY = re.compile(
    r"^(?P<wanted>[a-z0-9].*?) \\\n(?P<hashes>(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def entries(lock: Path) -> Iterator[Requirement]:
    """What a lock file names; all of its lines are understood."""
    text = "".join(line for line in lock.read_text(encoding="utf-8").splitlines(keepends=True) if line[0] != "#")
    assert _ENTRY.sub("", text) == ""
    return (Requirement(found["wanted"]) for found in _ENTRY.finditer(text))


def is_for_here(requirement: Requirement) -> bool:
    """Whether a requirement is one on this Python and this system."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def wanted() -> list[Requirement]:
    """All that pyproject.toml asks for: to run, to develop, to build."""
    tomllib: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = (project["build-system"]["requires"], project["project"]["dependencies"])
    return [
        Requirement(text) for texts in (*named, project["project"]["optional-dependencies"]["dev"]) for text in texts
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=["development", "real Outflow"])
def test_everything_in_a_lock_is_one_version_with_its_hashes_and_no_place_to_get_it_from(lock: Path) -> None:
    for entry in entries(lock):
        assert [part.operator for part in entry.specifier] == ["=="] and entry.url is None
    assert "://" not in lock.read_text(encoding="utf-8")


def test_the_lock_holds_what_is_asked_for() -> None:
    locked = {canonicalize_name(entry.name): entry for entry in entries(LOCKS[0]) if is_for_here(entry)}
    for asked in filter(is_for_here, wanted()):
        (found,) = locked[canonicalize_name(asked.name)].specifier
        assert asked.specifier.contains(found.version), asked


def test_what_runs_here_is_what_is_locked() -> None:
    for asked in filter(is_for_here, wanted()):
        (entry,) = (one for one in entries(LOCKS[0]) if one.name == canonicalize_name(asked.name) and is_for_here(one))
        assert entry.specifier.contains(version(asked.name)), "run 'make setup'"
