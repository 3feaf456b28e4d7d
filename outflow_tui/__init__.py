"""A terminal monitor for the books that `outflow_core` keeps: it shows them and never writes."""
