"""Runs the migrations of one bind on the open connection that `outflow_core.schema` hands over."""

from alembic import context

handed_over = context.config.attributes
context.configure(
    connection=handed_over["connection"],
    version_table=handed_over["version_table"],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
