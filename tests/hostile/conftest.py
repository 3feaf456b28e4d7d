"""The servers of the tests of the core."""

from tests.core.conftest import own_server as own_server
