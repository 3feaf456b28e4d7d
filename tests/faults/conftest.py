"""The same terminal and the same server for all tests of faults."""

from tests.faults.stage import server as server
from tests.tui.conftest import usual_terminal as usual_terminal
