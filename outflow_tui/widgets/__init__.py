"""Widgets: given rows they show them and say what the user wants; they know no screen and no database."""
