"""The five tables of Outflow 0.7 to 0.9, so that Outflow itself can keep its books here too."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "outflow_0001"
down_revision = None
branch_labels = None
depends_on = None

ORIGIN = "outflow_core_origin"
STATES = ("pending", "running", "failed", "success", "skipped")
BLOCK_TYPES = ("task", "workflow")


def upgrade() -> None:
    _make_types()
    _make_configuration()
    _make_run()
    _make_block()
    _make_edge()
    _make_runtime_exception()
    _mark_as_ours()
    _tell_outflow()


def downgrade() -> None:
    """Take away what `upgrade` made; tables that Outflow made stay, for they lack the mark."""
    if not sa.inspect(op.get_bind()).has_table(ORIGIN):
        return
    for table in ("runtime_exception", "edge", "block", "run", "configuration"):
        op.drop_table(f"outflow_{table}")
    if _is_postgresql():
        op.execute("DROP TYPE stateenum")
        op.execute("DROP TYPE blocktypeenum")
    op.drop_table(ORIGIN)
    _untell_outflow()


def _is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _make_types() -> None:
    if _is_postgresql():
        for name, values in (("stateenum", STATES), ("blocktypeenum", BLOCK_TYPES)):
            op.execute(f"CREATE TYPE {name} AS ENUM ({', '.join(repr(value) for value in values)})")


def _enum(values: tuple[str, ...], name: str) -> sa.Enum:
    """A varchar on SQLite; on PostgreSQL the type of that name, which two tables share."""
    return sa.Enum(*values, name=name).with_variant(
        postgresql.ENUM(*values, name=name, create_type=False), "postgresql"
    )


def _times_and_state() -> list[sa.Column[Any]]:
    return [
        sa.Column("uuid", sa.String(36), nullable=False, unique=True),
        sa.Column("start_time", sa.DateTime),
        sa.Column("end_time", sa.DateTime),
        sa.Column("state", _enum(STATES, "stateenum"), nullable=False),
        sa.Column("hostname", sa.String(256)),
    ]


def _make_configuration() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "outflow_configuration",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("config", json, nullable=False),
        sa.Column("settings", json, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
    )


def _make_run() -> None:
    op.create_table(
        "outflow_run",
        sa.Column("id", sa.Integer, primary_key=True),
        *_times_and_state(),
        sa.Column("configuration_id", sa.Integer, sa.ForeignKey("outflow_configuration.id"), nullable=False),
        sa.Column("command_name", sa.String),
    )


def _make_block() -> None:
    op.create_table(
        "outflow_block",
        sa.Column("id", sa.Integer, primary_key=True),
        *_times_and_state(),
        sa.Column("type", _enum(BLOCK_TYPES, "blocktypeenum"), nullable=False),
        sa.Column("plugin", sa.String(256)),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("outflow_run.id"), nullable=False),
        sa.Column("input_targets", sa.JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("output_targets", sa.JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("input_values", sa.JSON, server_default=sa.text("'{}'")),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("outflow_block.id")),
    )


def _make_edge() -> None:
    op.create_table(
        "outflow_edge",
        sa.Column("upstream_block_id", sa.Integer, sa.ForeignKey("outflow_block.id"), primary_key=True),
        sa.Column("downstream_block_id", sa.Integer, sa.ForeignKey("outflow_block.id"), primary_key=True),
    )


def _make_runtime_exception() -> None:
    op.create_table(
        "outflow_runtime_exception",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("block_id", sa.Integer, sa.ForeignKey("outflow_block.id")),
        sa.Column("exception_type", sa.String(64), nullable=False),
        sa.Column("exception_msg", sa.Text, nullable=False),
        sa.Column("traceback", sa.Text, nullable=False),
        sa.Column("time", sa.DateTime, nullable=False),
    )


def _mark_as_ours() -> None:
    """Only tables made here may be dropped by a downgrade; an adopted database never gets this mark."""
    op.create_table(ORIGIN, sa.Column("tables_made_by", sa.String(64), primary_key=True))
    op.execute(f"INSERT INTO {ORIGIN} VALUES ('{revision}')")


def _tell_outflow() -> None:
    """Tell Outflow's own migrations that nothing is left to do, for they would fail on these tables.

    A table of that name that holds rows belongs to somebody else, who would not know this one.
    """
    op.execute(
        "CREATE TABLE IF NOT EXISTS alembic_version "
        "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    op.execute(
        "INSERT INTO alembic_version (version_num) "
        "SELECT '6739ea807c29' WHERE NOT EXISTS (SELECT 1 FROM alembic_version)"
    )


def _untell_outflow() -> None:
    op.execute("DELETE FROM alembic_version WHERE version_num = '6739ea807c29'")
    if not op.get_bind().execute(sa.text("SELECT 1 FROM alembic_version")).first():
        op.drop_table("alembic_version")
