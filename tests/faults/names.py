"""A name server that does not answer, for single threads and for programs: they see other files in /etc."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
HOST = "books.invalid"


@dataclass(frozen=True)
class Names:
    """Where names are looked for: in a file of hosts, and then at a name server that says nothing."""

    folder: Path

    def know(self, address: str) -> None:
        """The file of hosts tells the address of the host; "" when it does not."""
        (self.folder / "hosts").write_text(f"{address} {HOST}\n" if address else "")

    def enter(self) -> None:
        """From now on this thread, and all that it begins, looks for names here."""
        libc = ctypes.CDLL(None, use_errno=True)
        root, places = b"/", [(self.folder / name, Path("/etc", name)) for name in ("hosts", "resolv.conf")]
        failed = libc.unshare(CLONE_NEWNS) or libc.mount(None, root, None, MS_REC | MS_PRIVATE, None)
        for ours, usual in places:
            failed = failed or libc.mount(os.fsencode(ours), os.fsencode(usual), None, MS_BIND, None)
        if failed:
            raise OSError(ctypes.get_errno(), "other files in /etc")

    def inside(self, work: Callable[[], Result]) -> Result:
        """Do something in this thread, which from now on looks for names here."""
        self.enter()
        return work()


@contextmanager
def silent_names(folder: Path, seconds: int) -> Iterator[Names]:
    """A name server that says nothing, and is given up after some seconds; OSError where there may be none."""
    address = f"127.53.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        options = f"options timeout:{seconds} attempts:1 ndots:0"
        (folder / "resolv.conf").write_text(f"nameserver {address}\n{options}\n")
        made = Names(folder)
        made.know("")
        yield made


def may_be_silent() -> bool:
    """Whether this user, on this machine, may have a name server and other files in /etc."""
    return os.geteuid() == 0 and Path("/etc/resolv.conf").exists() and os.uname().sysname == "Linux"
