"""Everything about the tables: made, adopted, changed, compared with models; the only rooms that know alembic."""
