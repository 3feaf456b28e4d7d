"""The same terminal for all tests of faults."""

from tests.tui.conftest import usual_terminal as usual_terminal
