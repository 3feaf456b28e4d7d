"""What all tests have: numbers told at the end of the run."""

from __future__ import annotations

from tests.tally import pytest_addoption, pytest_configure, tally

__all__ = ["pytest_addoption", "pytest_configure", "tally"]
