"""Runs the migrations of one bind on what is handed over to it: an open connection, or a dialect."""

from alembic import context

context.configure(render_as_batch=True, **context.config.attributes["configure"])
with context.begin_transaction():
    context.run_migrations()
