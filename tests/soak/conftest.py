"""Books that real Outflow wrote, and a server, for all tests of this directory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.conftest import own_server
from tests.soak.writers import new_pipeline

__all__ = ["own_server"]


@pytest.fixture(scope="session")
def pipeline() -> Iterator[Path]:
    """A pipeline of real Outflow with some runs in its books, in memory where that can be: there commits are many."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="soak-", dir=memory) as folder:
        yield new_pipeline(Path(folder) / "pipeline")
