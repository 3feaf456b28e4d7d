"""Root without the rights of root: files that may not be read cannot be read, by anybody in this thread."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION = 0x20080522
_READ_ANYTHING = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: to pass over the rights of files and directories."""


@contextmanager
def no_special_rights() -> Iterator[None]:
    """The kernel asks for rights on files, also of root; in this thread and in those that begin in here."""
    if os.geteuid() != 0:
        yield
        return
    found = _capabilities()
    _set_effective(found, found[0] & ~_READ_ANYTHING)
    try:
        yield
    finally:
        _set_effective(found, found[0])


def _capabilities() -> ctypes.Array[ctypes.c_uint32]:
    """Effective, permitted and inheritable ones, twice: the second three are those from 32 on."""
    found = (ctypes.c_uint32 * 6)()
    _call("capget", found)
    return found


def _set_effective(known: ctypes.Array[ctypes.c_uint32], effective: int) -> None:
    wanted = (ctypes.c_uint32 * 6)(*known)
    wanted[0] = effective
    _call("capset", wanted)


def _call(name: str, data: ctypes.Array[ctypes.c_uint32]) -> None:
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    if getattr(ctypes.CDLL(None, use_errno=True), name)(header, data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
