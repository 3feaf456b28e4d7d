"""What all tests have: numbers told at the end of the run, and Ctrl-C, which a shell takes from what it runs behind."""

from __future__ import annotations

import signal

from tests.tally import pytest_addoption, pytest_configure, tally

__all__ = ["pytest_addoption", "pytest_configure", "tally"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
