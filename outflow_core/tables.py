"""The five tables of Outflow 0.7 to 0.9 and ours beside them, for SQLAlchemy Core: reading them needs no ORM."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Enum,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

from outflow_core.states import BlockType, State

metadata = MetaData()


class BinaryJson(TypeDecorator[Any]):
    """JSON; on PostgreSQL jsonb, of which nothing is imported for a SQLite file."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type of the database that is asked."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON())
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> Any:
        """What stands in brackets behind the column is a key, not JSON."""
        return self.impl_instance.coerce_compared_value(op, value)


def _enum(kind: type[State] | type[BlockType], name: str) -> Enum:
    """Stored by value; varchar on SQLite, a named type on PostgreSQL."""
    return Enum(kind, name=name, values_callable=lambda members: [member.value for member in members])


def _times_and_state() -> list[Column[Any]]:
    return [
        Column("uuid", String(36), nullable=False, unique=True),
        Column("start_time", DateTime),
        Column("end_time", DateTime),
        Column("state", _enum(State, "stateenum"), nullable=False),
        Column("hostname", String(256)),
    ]


configuration = Table(
    "outflow_configuration",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("config", BinaryJson, nullable=False),
    Column("settings", BinaryJson, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)

run = Table(
    "outflow_run",
    metadata,
    Column("id", Integer, primary_key=True),
    *_times_and_state(),
    Column("configuration_id", Integer, ForeignKey("outflow_configuration.id"), nullable=False),
    Column("command_name", String),
)

block = Table(
    "outflow_block",
    metadata,
    Column("id", Integer, primary_key=True),
    *_times_and_state(),
    Column("type", _enum(BlockType, "blocktypeenum"), nullable=False),
    Column("plugin", String(256)),
    Column("name", String(256), nullable=False),
    Column("run_id", Integer, ForeignKey("outflow_run.id"), nullable=False),
    Column("input_targets", JSON, nullable=False, server_default=text("'{}'")),
    Column("output_targets", JSON, nullable=False, server_default=text("'{}'")),
    Column("input_values", JSON, server_default=text("'{}'")),
    Column("parent_id", Integer, ForeignKey("outflow_block.id")),
)

edge = Table(
    "outflow_edge",
    metadata,
    Column("upstream_block_id", Integer, ForeignKey("outflow_block.id"), primary_key=True),
    Column("downstream_block_id", Integer, ForeignKey("outflow_block.id"), primary_key=True),
)

runtime_exception = Table(
    "outflow_runtime_exception",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("block_id", Integer, ForeignKey("outflow_block.id")),
    Column("exception_type", String(64), nullable=False),
    Column("exception_msg", Text, nullable=False),
    Column("traceback", Text, nullable=False),
    Column("time", DateTime, nullable=False),
)

process = Table(
    "outflow_core_process",  # may be absent: in databases that Outflow made and nobody upgraded
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("outflow_run.id", ondelete="CASCADE"), nullable=False),
    Column("hostname", String(256)),
    Column("pid", Integer, nullable=False),
    Column("pid_space", String(128)),
    Column("start_ticks", BigInteger),
    Column("slurm_job_id", String(64)),
    Column("slurm_array_job_id", String(64)),
    Column("slurm_array_task_id", String(64)),
    Column("started_at", DateTime, nullable=False),
    Column("last_seen_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Column("beat_seconds", Float, nullable=False),
)
"""The processes that record runs. Unlike all other times these are UTC, by the database's clock."""

OUTFLOW_TABLES = (configuration, run, block, edge, runtime_exception)
