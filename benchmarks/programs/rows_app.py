"""The smallest Textual app that shows 50 rows through SQLAlchemy Core."""

import sys

from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, select
from textual.app import App, ComposeResult
from textual.widgets import Static

run = Table(
    "outflow_run",
    MetaData(),
    *(Column(name, String) for name in ("uuid", "command_name", "state", "start_time", "end_time", "hostname")),
    Column("id", Integer, primary_key=True),
)


class RowsApp(App[None]):
    """Fifty rows."""

    def compose(self) -> ComposeResult:
        """All of them as one text."""
        with create_engine(sys.argv[1]).connect() as connection:
            rows = connection.execute(select(*run.c).order_by(run.c.id.desc()).limit(50)).all()
        yield Static("\n".join("  ".join(map(str, row)) for row in rows), markup=False)


RowsApp().run()
