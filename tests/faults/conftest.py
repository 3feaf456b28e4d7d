"""The same terminal and the same server for all tests of faults, and how many faults were tried."""

from collections.abc import Iterator

import pytest

from tests.faults import nights, table
from tests.faults.stage import server as server
from tests.tally import Tally
from tests.tui.conftest import usual_terminal as usual_terminal


@pytest.fixture(autouse=True)
def count_of_faults(tally: Tally) -> Iterator[None]:
    """Tell which faults a test has provoked, on the screen and amid what is recorded."""
    table.tried.clear()
    nights.tried_faults.clear()
    yield
    for name in table.tried:
        tally("faults tried while the program watches or changes tables", name, how="names")
    for name in nights.tried_faults:
        tally("faults tried while a pipeline is recorded", name, how="names")
