"""Networks between a program and its server that can be interrupted: what is sent is taken, and never arrives."""

from __future__ import annotations

import ctypes
import os
import selectors
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
CLONE_NEWNET = 0x40000000


class Proxy:
    """Forwards connections to a port of this machine, until it stops: then it takes nothing and tells nobody."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self._others: dict[socket.socket, socket.socket] = {}
        self._flows = threading.Event()
        self._flows.set()
        self._is_over = False
        self._thread = threading.Thread(target=self._forward, name="proxy")
        self._thread.start()

    def interrupt(self) -> None:
        """Forward nothing more."""
        self._flows.clear()

    def restore(self) -> None:
        """Forward again, also what was sent meanwhile."""
        self._flows.set()

    def inside(self, work: Callable[[], Result]) -> Result:
        """Do something behind this network, where everybody is."""
        return work()

    def close(self) -> None:
        """End every connection."""
        self._is_over = True
        self.restore()
        self._thread.join()
        for each in (self._listener, *self._others):
            each.close()

    def _forward(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._listener, selectors.EVENT_READ)
            while not self._is_over:
                for key, _ in ready.select(0.05):
                    self._flows.wait()
                    self._serve(ready, key.fileobj)

    def _serve(self, ready: selectors.BaseSelector, side: object) -> None:
        assert isinstance(side, socket.socket)
        if side is self._listener:
            ends = side.accept()[0], socket.create_connection(("127.0.0.1", self._to))
            self._others |= {ends[0]: ends[1], ends[1]: ends[0]}
            for end in ends:
                ready.register(end, selectors.EVENT_READ)
        elif side in self._others and not self._pass_on(side):
            for end in (side, self._others.pop(side)):
                self._others.pop(end, None)
                ready.unregister(end)
                end.close()

    def _pass_on(self, side: socket.socket) -> bytes:
        with suppress(OSError):
            sent = side.recv(65536)
            self._others[side].sendall(sent)
            return sent
        return b""


@dataclass
class Namespace:
    """A network namespace of its own, joined to this one by a pair of virtual cables."""

    name: str
    host: str
    """This side, as the namespace sees it."""
    guest: str
    port: int = 0

    @property
    def _ends(self) -> tuple[tuple[list[str], str, str], ...]:
        """Each end: how to reach its namespace, its device, and the address of the other end."""
        return (([], f"{self.name}a", self.guest), (["-n", self.name], f"{self.name}b", self.host))

    def interrupt(self) -> None:
        """Each end sends to a card that nobody has."""
        for where, device, other in self._ends:
            _ip(*where, "neigh", "replace", other, "lladdr", "02:00:00:00:00:99", "dev", device, "nud", "permanent")

    def restore(self) -> None:
        """Let each end find out again where the other is."""
        for where, device, other in self._ends:
            _ip(*where, "neigh", "del", other, "dev", device)

    def inside(self, work: Callable[[], Result]) -> Result:
        """Do something in this thread, which from now on lives in the namespace."""
        with Path("/run/netns", self.name).open() as place:
            if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return work()


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    """A proxy before a port of this machine."""
    made = Proxy(port)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A namespace; OSError where none may be made."""
    number = os.getpid() % 60_000
    net, first = f"198.18.{number // 63 % 256}", number % 63 * 4
    made = Namespace(f"of{number}", f"{net}.{first + 1}", f"{net}.{first + 2}")
    _ip("netns", "add", made.name)
    try:
        _ip("link", "add", f"{made.name}a", "type", "veth", "peer", "name", f"{made.name}b", "netns", made.name)
        for where, device, address in (([], "a", made.host), (["-n", made.name], "b", made.guest)):
            _ip(*where, "addr", "add", f"{address}/30", "dev", f"{made.name}{device}")
            _ip(*where, "link", "set", f"{made.name}{device}", "up")
        yield made
    finally:
        _ip("netns", "del", made.name)


def may_make_namespaces() -> bool:
    """Whether this user, on this machine, may make network namespaces and cables."""
    try:
        with namespace():
            return True
    except OSError:
        return False


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr}")
