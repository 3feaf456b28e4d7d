"""Runs the migrations of one bind on what `outflow_core.revisions` hands over: an open connection, or a dialect."""

from alembic import context

context.configure(render_as_batch=True, **context.config.attributes["configure"])
with context.begin_transaction():
    context.run_migrations()
