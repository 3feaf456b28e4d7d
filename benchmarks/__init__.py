"""Measurements behind the figures in the README: always a ratio to a bare program, taken in the same run."""
