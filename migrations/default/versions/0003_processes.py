"""A table of ours beside those of Outflow: which processes record a run, and when each was last heard of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "outflow_0003"
down_revision = "outflow_0002"
branch_labels = None
depends_on = None

TABLE = "outflow_core_process"


def upgrade() -> None:
    """Make the table, whoever made the others: it stands beside them and changes none."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("outflow_run.id", ondelete="CASCADE"), nullable=False),
        sa.Column("hostname", sa.String(256)),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("pid_space", sa.String(128)),
        sa.Column("start_ticks", sa.BigInteger),
        sa.Column("slurm_job_id", sa.String(64)),
        sa.Column("slurm_array_job_id", sa.String(64)),
        sa.Column("slurm_array_task_id", sa.String(64)),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("last_seen_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("beat_seconds", sa.Float, nullable=False),
    )
    op.create_index("outflow_core_process_run", TABLE, ["run_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
