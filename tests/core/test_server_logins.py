"""Every way to log in to a server that asks for passwords, and what the connection options do there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from outflow_core import context, record_run, run_queries
from outflow_core.engines import Engines, make_engine
from outflow_core.errors import OutflowError
from outflow_core.reader import Reader
from outflow_core.schema.upgrades import status, upgrade
from outflow_core.settings import Database, Settings, read_settings
from outflow_core.sources import find_database
from tests.core.servers import OwnServer

HOSTILE = "@:/%#?' \"\\ é ${x} =;&[]%40"
WITHIN_FILES = HOSTILE.replace("\\", "\\\\").replace(":", "\\:")
"""The password as a .pgpass file wants it written."""


@pytest.fixture(scope="module")
def server(own_server: OwnServer) -> OwnServer:
    """A server with the roles `owner` and `worker` of the hostile password, and a database."""
    for role in ("owner", "worker"):
        own_server.sql(f"CREATE ROLE {role} LOGIN PASSWORD %s", HOSTILE)
    own_server.sql("CREATE DATABASE books OWNER owner")
    return own_server


@pytest.fixture(autouse=True)
def nothing_else_helps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No password and no service of whoever runs the tests; a home that holds nothing."""
    for name in ("PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGCONNECT_TIMEOUT", "PGOPTIONS", "PGUSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def address(server: OwnServer) -> str:
    return f"127.0.0.1:{server.port}"


def settings_with(folder: Path, **entry: Any) -> Settings:
    path = folder / "config.json"
    path.write_text(json.dumps({"databases": {"default": {"dialect": "postgresql", **entry}}}), encoding="utf-8")
    path.chmod(0o600)
    return read_settings(path)


def logged_in(settings: Settings) -> None:
    """Both roles come in: the tables are made by one, a run is recorded by the other and read by a reader."""
    assert [report.words for report in upgrade(settings) if report.is_trouble] == []
    with record_run("reduce", config=settings):
        pass
    reader = Reader(settings.database())
    assert run_queries.runs(reader, count=1)[0].command == "reduce"
    reader.close()


def file_of_mine(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    return path


PASSWORDS = {
    "owner": f"*:*:*:owner:{WITHIN_FILES}\n",
    "worker": f"*:*:*:worker:{WITHIN_FILES}\n",
}


def test_a_hostile_password_in_the_configuration(tmp_path: Path, address: str) -> None:
    password = HOSTILE.replace("${", "$${")
    logged_in(
        settings_with(tmp_path, address=address, database="books", user=f"worker:{password}", admin=f"owner:{password}")
    )


def test_a_hostile_password_in_yaml(tmp_path: Path, address: str) -> None:
    quoted = json.dumps(HOSTILE.replace("${", "$${"))[1:-1]
    entry = f'dialect: postgresql, address: "{address}", database: books'
    path = file_of_mine(
        tmp_path / "config.yml",
        f'databases: {{default: {{{entry}, user: "worker:{quoted}", admin: "owner:{quoted}"}}}}',
    )
    logged_in(read_settings(path))


def test_a_hostile_password_in_a_variable(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKS_PASSWORD", HOSTILE)
    roles = {"user": "worker:${BOOKS_PASSWORD}", "admin": "owner:${BOOKS_PASSWORD}"}
    logged_in(settings_with(tmp_path, address=address, database="books", **roles))


def test_a_pgpass_file_in_the_home(tmp_path: Path, address: str) -> None:
    file_of_mine(tmp_path / ".pgpass", "".join(PASSWORDS.values()))
    logged_in(settings_with(tmp_path, address=address, database="books", user="worker", admin="owner"))


def test_a_pgpass_file_that_the_environment_names(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(file_of_mine(tmp_path / "passwords", "".join(PASSWORDS.values()))))
    logged_in(settings_with(tmp_path, address=address, database="books", user="worker", admin="owner"))


def test_a_pgpass_file_that_the_configuration_names(tmp_path: Path, address: str) -> None:
    file_of_mine(tmp_path / "passwords", "".join(PASSWORDS.values()))
    options = {"passfile": "passwords"}
    logged_in(settings_with(tmp_path, address=address, database="books", user="worker", admin="owner", options=options))


def test_a_pgpass_file_that_others_may_read_is_told_in_words_and_not_across_the_screen(
    tmp_path: Path, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file_of_mine(tmp_path / ".pgpass", "".join(PASSWORDS.values())).chmod(0o640)
    reader = Reader(settings_with(tmp_path, address=address, database="books", user="worker").database())
    with pytest.raises(OutflowError, match=r"no password supplied.*others have rights on .*chmod 600 \S*\.pgpass"):
        reader.pulse()
    assert capfd.readouterr().err == ""
    (tmp_path / ".pgpass").chmod(0o600)
    assert reader.pulse()
    reader.close()


def test_pgpassword(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", HOSTILE)
    logged_in(settings_with(tmp_path, address=address, database="books", user="worker", admin="owner"))


SERVICE = """[books]
host=127.0.0.1
port={port}
dbname=books
user=worker
options=-c default_transaction_read_only=off -c statement_timeout=1h
target_session_attrs=read-write
"""


@pytest.fixture
def service_file(server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = file_of_mine(tmp_path / "services.conf", SERVICE.format(port=server.port))
    monkeypatch.setenv("PGSERVICEFILE", str(path))
    file_of_mine(tmp_path / ".pgpass", "".join(PASSWORDS.values()))
    return path


def test_a_service_file_for_the_user_and_an_admin_on_top(tmp_path: Path, service_file: Path) -> None:
    logged_in(settings_with(tmp_path, service="books", user="worker", admin="owner"))


def test_a_service_alone_is_all_that_a_reader_needs(tmp_path: Path, service_file: Path) -> None:
    logged_in(settings_with(tmp_path, service="books", user="worker", admin="owner"))
    reader = Reader(settings_with(tmp_path, service="books").database())
    assert run_queries.runs(reader, count=1)
    reader.close()
    reader = Reader(find_database("postgresql:///?service=books"))
    assert run_queries.runs(reader, count=1)
    reader.close()


def test_what_the_configuration_says_comes_before_the_service(
    tmp_path: Path, service_file: Path, server: OwnServer
) -> None:
    service_file.write_text("[books]\nhost=nowhere.invalid\nport=1\ndbname=postgres\nuser=nobody\n")
    entry = {"service": "books", "address": f"127.0.0.1:{server.port}", "database": "books"}
    logged_in(settings_with(tmp_path, user="worker", admin="owner", **entry))


def test_a_service_that_is_not_there_is_told(tmp_path: Path, service_file: Path) -> None:
    (found,) = status(settings_with(tmp_path, service="other"))
    assert found.is_trouble and 'service "other" not found' in found.words


def test_a_socket_and_its_port(tmp_path: Path, server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", HOSTILE)
    place = f"{server.folder}:{server.port}"
    logged_in(settings_with(tmp_path, address=place, database="books", user="worker", admin="owner"))


@pytest.mark.parametrize("bracketed", [True, False])
def test_ipv6(tmp_path: Path, server: OwnServer, monkeypatch: pytest.MonkeyPatch, bracketed: bool) -> None:
    if not server.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    monkeypatch.setenv("PGPASSWORD", HOSTILE)
    monkeypatch.setenv("PGPORT", str(server.port))
    place = f"[::1]:{server.port}" if bracketed else "::1"
    logged_in(settings_with(tmp_path, address=place, database="books", user="worker", admin="owner"))


def test_a_url_for_the_monitor_leaves_the_password_to_pgpass(tmp_path: Path, address: str) -> None:
    file_of_mine(tmp_path / ".pgpass", "".join(PASSWORDS.values()))
    logged_in(settings_with(tmp_path, address=address, database="books", user="worker", admin="owner"))
    reader = Reader(find_database(f"postgresql://worker@{address}/books?connect_timeout=20"))
    assert run_queries.runs(reader, count=1)
    reader.close()


@pytest.mark.parametrize("user", ["worker", "worker:wrong", "worker:wrong${x}"])
def test_a_password_that_is_missing_or_wrong_is_told_without_it(
    tmp_path: Path, address: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("x", "Zq")
    settings = settings_with(tmp_path, address=address, database="books", user=user)
    reader = Reader(settings.database())
    for ask in (reader.pulse, lambda: record_run("x", config=settings).__enter__()):
        with pytest.raises(OutflowError, match="password") as caught:
            ask()
        assert "wrong" not in str(caught.value)
    (found,) = status(settings)
    assert found.is_trouble and "wrong" not in found.words


# connection options


def parameters(database: Database, role: Any = "user") -> dict[str, str]:
    """What the driver says of a connection that writes."""
    engine = make_engine(database, role)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        found = driver.get_dsn_parameters()
    engine.dispose()
    return dict(found)


OPTIONS = {
    "connect_timeout": 20,
    "keepalives_idle": 42,
    "application_name": "mine",
    "sslrootcert": "root.pem",
    "target_session_attrs": "read-write",
    "tcp_user_timeout": 77_000,
    "keepalives": True,
}


@pytest.fixture
def with_options(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A configuration with connection options, open in `context`."""
    monkeypatch.setenv("PGPASSWORD", HOSTILE)
    entry = {"address": address, "database": "books", "user": "worker", "admin": "owner", "sslmode": "prefer"}
    settings = settings_with(tmp_path, options=OPTIONS, **entry)
    upgrade(settings)
    context.open(settings)
    yield settings
    context.close()


@pytest.mark.parametrize("role", ["user", "admin"])
def test_the_options_hold_for_both_roles_that_write(with_options: Settings, tmp_path: Path, role: str) -> None:
    found = parameters(with_options.database(), role)
    wanted = {name: str(int(value) if value is True else value) for name, value in OPTIONS.items()}
    wanted |= {"sslrootcert": str(tmp_path / "root.pem"), "sslmode": "prefer"}
    assert {name: found.get(name) for name in wanted} == wanted


def test_the_options_hold_for_a_pipelines_session_and_its_admin(with_options: Settings) -> None:
    for session in (context.session, context.admin_session):
        assert session.sql("SELECT current_setting('application_name')").scalar_one() == "mine"


NOW = text(
    "SELECT current_setting('default_transaction_read_only'), current_setting('statement_timeout'), "
    "current_setting('application_name')"
)


def reader_parameters(reader: Reader) -> dict[str, str]:
    assert reader._connection is not None
    driver: Any = reader._connection.connection.driver_connection
    return dict(driver.get_dsn_parameters())


def test_the_options_hold_for_a_reader_but_its_own_bounds_win(with_options: Settings, tmp_path: Path) -> None:
    reader = Reader(with_options.database())
    assert [tuple(row) for row in reader.rows(NOW)] == [("on", "15s", "outflow-tui")]
    found = reader_parameters(reader)
    assert (found["connect_timeout"], found["sslrootcert"]) == ("20", str(tmp_path / "root.pem"))
    assert (found["tcp_user_timeout"], found["keepalives"], found["keepalives_idle"]) == ("15000", "1", "10")
    assert found["target_session_attrs"] == "primary"
    reader.close()


def test_a_reader_waits_for_no_server_for_ever(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", HOSTILE)
    entry = {"address": address, "database": "books", "user": "worker", "admin": "owner"}
    settings = settings_with(tmp_path, **entry, options={"connect_timeout": 0, "keepalives": False})
    upgrade(settings)
    reader = Reader(settings.database())
    reader.pulse()
    assert reader_parameters(reader)["connect_timeout"] == "5" and reader_parameters(reader)["keepalives"] == "1"
    reader.close()


def test_a_service_cannot_make_a_reader_write(tmp_path: Path, service_file: Path) -> None:
    settings = settings_with(tmp_path, service="books", user="worker", admin="owner")
    upgrade(settings)
    reader = Reader(settings.database())
    assert [tuple(row)[:2] for row in reader.rows(NOW)] == [("on", "15s")]
    reader.close()


def test_an_encryption_that_the_server_has_not_is_told(tmp_path: Path, address: str) -> None:
    entry = {"address": address, "database": "books", "user": f"worker:{HOSTILE.replace('${', '$${')}"}
    (found,) = status(settings_with(tmp_path, sslmode="require", **entry))
    assert found.is_trouble and "SSL" in found.words and HOSTILE not in found.words


# a server that is restarted


def test_after_a_restart_the_next_statement_works_for_sessions_recorders_and_readers(
    with_options: Settings, server: OwnServer
) -> None:
    reader, engines = Reader(with_options.database()), Engines(with_options)
    context.session.sql("SELECT 1")
    context.admin_session.sql("SELECT 1")
    for session in (context.session, context.admin_session):
        session.commit()
    before = reader.pulse()
    with engines.engine("default").connect() as connection:
        connection.execute(text("SELECT 1"))
    with record_run("long", config=with_options) as run:
        server.restart()
        with run.task("after the restart"):
            assert context.session.sql("SELECT 2").scalar_one() == 2
        assert context.admin_session.sql("SELECT 3").scalar_one() == 3
    assert reader.pulse() != before
    assert run_queries.runs(reader, count=1)[0].command == "long"
    with engines.engine("default").connect() as connection:
        assert connection.execute(text("SELECT 4")).scalar_one() == 4
    engines.dispose()
    reader.close()


def test_a_transaction_that_a_restart_cut_is_lost_and_the_session_works_after_rollback(
    with_options: Settings, server: OwnServer
) -> None:
    context.session.sql("SELECT 1")
    server.restart()
    with pytest.raises(Exception, match=r"terminat|closed"):
        context.session.sql("SELECT 2")
    context.session.rollback()
    assert context.session.sql("SELECT 3").scalar_one() == 3


def test_a_server_that_is_down_is_told_and_read_again_when_it_is_back(
    with_options: Settings, server: OwnServer
) -> None:
    reader = Reader(with_options.database())
    reader.pulse()
    server.stop()
    try:
        with pytest.raises(OutflowError, match=r"Cannot read postgresql://worker@.*refused"):
            reader.pulse()
    finally:
        server.start()
    assert reader.pulse()
    reader.close()
