"""The smallest SQLAlchemy Core program that prints the rows of `outflow-tui runs --json`."""

import json
import sys
from datetime import datetime

from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, create_engine, func, select

metadata = MetaData()
run = Table(
    "outflow_run",
    metadata,
    *(Column(name, String) for name in ("uuid", "command_name", "state", "hostname")),
    *(Column(name, DateTime) for name in ("start_time", "end_time")),
    *(Column(name, Integer) for name in ("id", "configuration_id")),
)
block = Table(
    "outflow_block",
    metadata,
    *(Column(name, Integer) for name in ("id", "run_id")),
    Column("state", String),
    Column("type", String),
)
exception = Table("outflow_runtime_exception", metadata, Column("block_id", Integer))
STATES = ("pending", "running", "failed", "success", "skipped")


def iso(when: datetime | None) -> str | None:
    """A time as text."""
    return when.isoformat() if when else None


with create_engine(sys.argv[1]).connect() as connection:
    rows = connection.execute(select(run).order_by(run.c.id.desc()).limit(50)).all()
    ids = [row.id for row in rows]
    query = select(block.c.run_id, block.c.state, func.count()).where(block.c.type == "task", block.c.run_id.in_(ids))
    counts = {
        (run_id, state): n for run_id, state, n in connection.execute(query.group_by(block.c.run_id, block.c.state))
    }
    of_run = select(block.c.run_id, func.count()).join(exception, exception.c.block_id == block.c.id)
    failures: dict[int, int] = dict(
        connection.execute(of_run.where(block.c.run_id.in_(ids)).group_by(block.c.run_id)).all()
    )
print(
    json.dumps(
        [
            {
                "id": row.id,
                "uuid": row.uuid,
                "command": row.command_name,
                "state": row.state,
                "start_time": iso(row.start_time),
                "end_time": iso(row.end_time),
                "hostname": row.hostname,
                "configuration_id": row.configuration_id,
                "tasks": {state: counts.get((row.id, state), 0) for state in STATES},
                "exceptions": failures.get(row.id, 0),
                "life": None,
            }
            for row in rows
        ],
        indent=2,
    )
)
