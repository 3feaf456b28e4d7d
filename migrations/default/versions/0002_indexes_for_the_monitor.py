"""Indexes that the monitor reads by; in a database that Outflow made they are offered, never forced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "outflow_0002"
down_revision = "outflow_0001"
branch_labels = None
depends_on = None

ORIGIN = "outflow_core_origin"
INDEXES = {
    "outflow_core_block_run": "outflow_block (run_id, id)",
    "outflow_core_block_state": "outflow_block (run_id, state, type)",
    "outflow_core_edge_downstream": "outflow_edge (downstream_block_id)",
    "outflow_core_exception_block": "outflow_runtime_exception (block_id)",
}


def upgrade() -> None:
    """Make the indexes where the mark is that `outflow_0001` made the tables."""
    statements = [f"CREATE INDEX IF NOT EXISTS {name} ON {place}" for name, place in INDEXES.items()]
    if op.get_context().as_sql:  # nothing can be asked while the SQL is only written down
        made = "; ".join(statements)
        op.execute(f"DO $$ BEGIN IF to_regclass('{ORIGIN}') IS NOT NULL THEN {made}; END IF; END $$")
    elif sa.inspect(op.get_bind()).has_table(ORIGIN):
        for statement in statements:
            op.execute(statement)


def downgrade() -> None:
    """Take the indexes away, also those made on request beside tables of Outflow."""
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
