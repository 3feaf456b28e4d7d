"""What a PostgreSQL server's refusal means to somebody who only wants to look, and the way out; pure."""

from __future__ import annotations

import re
from typing import Final

_WAYS_OUT: Final = (
    (
        r"password authentication failed",
        "if it was changed, change it where the program has it from: the configuration and ~/.pgpass are read again "
        "at each try",
    ),
    (r"^permission denied", "its owner may grant SELECT on the tables to this role"),
    (r"lock timeout", "somebody holds a table, as a migration does; it is read when that is over"),
    (r"statement timeout", "the server is slow; where the monitor's indexes are missing, 'outflow-db indexes' helps"),
    (
        r"connection slots|too many (clients|connections)",
        "one is needed: end another program, or let there be more (max_connections)",
    ),
    (r"database .* does not exist", "make it again, or name another database"),
    (r"timeout expired", "the server hangs, or the network to it is interrupted"),
)


def way_out(words: str) -> str:
    """What to do about a refusal, to be said after it; '' when its own words tell.

    >>> way_out("canceling statement due to lock timeout")
    '; somebody holds a table, as a migration does; it is read when that is over'
    >>> way_out("Connection refused Is the server running on that host and accepting TCP/IP connections?")
    ''
    """
    return next((f"; {way}" for pattern, way in _WAYS_OUT if re.search(pattern, words)), "")
