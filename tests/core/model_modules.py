"""Modules of models that tests write, as a pipeline has them; each load is a module of its own."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outflow_core.binds import Model

_NUMBERS = itertools.count()
_HEAD = """from sqlalchemy import Column, Enum, ForeignKey, Integer, JSON, String, Table, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from outflow_core import Model


"""


class Pipeline:
    """A pipeline's directory, in which models are written and written again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._others = set(Model.metadata.tables)

    def has_models(self, body: str) -> list[str]:
        """Let the pipeline's models be these, in place of those before; the name of their module."""
        self.forget()
        name = f"survey_{next(_NUMBERS)}"
        (self.folder / f"{name}.py").write_text(_HEAD + body, encoding="utf-8")
        return [name]

    def forget(self) -> None:
        """Take the models' tables out of this process."""
        for name in set(Model.metadata.tables) - self._others:
            Model.metadata.remove(Model.metadata.tables[name])


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline's directory; its models are forgotten afterwards."""
    found = Pipeline(tmp_path)
    yield found
    found.forget()
    for name in [name for name in sys.modules if name.startswith("survey_")]:
        del sys.modules[name]
