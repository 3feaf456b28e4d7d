"""The tables of Outflow as models, for pipelines that query them: no behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped

from outflow_core import tables
from outflow_core.binds import Model
from outflow_core.states import BlockType, State


class Configuration(Model):
    """A configuration that some run used; one row for each content, told apart by `hash`."""

    __table__ = tables.configuration
    id: Mapped[int]
    config: Mapped[dict[str, Any]]
    settings: Mapped[dict[str, Any]]
    hash: Mapped[str]


class Run(Model):
    """One execution of a pipeline's command."""

    __table__ = tables.run
    id: Mapped[int]
    uuid: Mapped[str]
    start_time: Mapped[datetime | None]
    end_time: Mapped[datetime | None]
    state: Mapped[State]
    hostname: Mapped[str | None]
    configuration_id: Mapped[int]
    command_name: Mapped[str | None]


class Block(Model):
    """One task or workflow of a run."""

    __table__ = tables.block
    id: Mapped[int]
    uuid: Mapped[str]
    start_time: Mapped[datetime | None]
    end_time: Mapped[datetime | None]
    state: Mapped[State]
    hostname: Mapped[str | None]
    type: Mapped[BlockType]
    plugin: Mapped[str | None]
    name: Mapped[str]
    run_id: Mapped[int]
    input_targets: Mapped[Any]
    output_targets: Mapped[Any]
    input_values: Mapped[Any]
    parent_id: Mapped[int | None]


class Edge(Model):
    """`downstream_block_id` needs what `upstream_block_id` gives."""

    __table__ = tables.edge
    upstream_block_id: Mapped[int]
    downstream_block_id: Mapped[int]


class RuntimeException(Model):
    """An exception that ended a block."""

    __table__ = tables.runtime_exception
    id: Mapped[int]
    block_id: Mapped[int | None]
    exception_type: Mapped[str]
    exception_msg: Mapped[str]
    traceback: Mapped[str]
    time: Mapped[datetime]
