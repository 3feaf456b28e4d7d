"""The network between the program and its server is interrupted: nobody says so, what is sent is simply lost."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from outflow_core import reader
from outflow_core.reader import Reader
from outflow_tui import poller
from tests.core.servers import OwnServer
from tests.faults.network import Namespace, Proxy, may_make_namespaces, namespace, proxy
from tests.faults.stage import Stage, new_stage
from tests.faults.table import Fault
from tests.faults.watching import has_read, no_more_than_before, tells, watching

Network = Proxy | Namespace
BY_PROXY = "a proxy that forwards nothing"
BY_NAMESPACE = "a network namespace cut off"
WAYS = [BY_PROXY, *([BY_NAMESPACE] if may_make_namespaces() else [])]
CLIENT = "SELECT host(client_addr) FROM pg_stat_activity WHERE application_name = 'outflow-tui'"
if len(WAYS) == 1:
    WAYS = [f"{BY_PROXY} (namespaces are not permitted here)"]


@pytest.fixture
def stage(server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(poller, "LONGEST_WAIT", 0.5)
    monkeypatch.setattr(reader, "PULSE_SECONDS", 0.4)
    return new_stage(server, tmp_path, "books")


@pytest.fixture(params=WAYS)
def network(request: pytest.FixtureRequest, server: OwnServer) -> Iterator[Network]:
    """A network to the server, that can be interrupted."""
    if request.param != BY_NAMESPACE:
        with proxy(server.port) as between:
            yield between
        return
    with namespace() as cable:
        server.more_hosts, cable.port = (cable.host,), server.port
        server.restart()
        yield cable
        server.more_hosts = ()


@contextmanager
def interrupted(network: Network) -> Iterator[None]:
    network.interrupt()
    try:
        yield
    finally:
        network.restore()


FAULTS = (
    Fault(
        "The network between monitor and server is interrupted.",
        "no answer for … s: the server hangs, or the network between is interrupted",
        "by itself: it is tried again at least every 30 s",
        interrupted,
    ),
)


async def test_an_interrupted_network_is_told_and_the_screen_comes_back_by_itself(
    stage: Stage, network: Network
) -> None:
    outside = Stage(stage.server, stage.name, stage.config.with_name("outside.json"))
    outside.configure()
    stage.configure(host=network.host, port=network.port)
    (fault,) = FAULTS
    async with watching(str(stage.config), inside=network.inside) as desk:
        await desk.sees("reduce")
        await has_read(desk)
        assert stage.ask(CLIENT) == [(getattr(network, "guest", "127.0.0.1"),)]
        async with no_more_than_before(desk):
            with fault.breaks(network):
                await tells(desk, fault)
                await desk.sees("timeout expired")
                assert "reduce" in desk.text()
            outside.record("sunrise")
            await desk.sees("sunrise")
            await desk.misses("Since")
            await desk.until(lambda: len(stage.monitors()) == 1, "the connections before are not gone")


def test_a_connection_on_which_nothing_is_said_is_looked_after_by_the_kernel(stage: Stage) -> None:
    asking = Reader(stage.settings.database())
    asking.pulse()
    assert asking._connection is not None
    descriptor = asking._connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as line:
        names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        said = {name: line.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names}
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    asking.close()
    assert said == {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 15_000}
