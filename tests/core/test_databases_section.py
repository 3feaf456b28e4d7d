"""What may stand under `databases`, and in which words everything else is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outflow_core.engines import habits_of, make_engine, postgresql_url
from outflow_core.errors import ConfigError
from outflow_core.libpq_options import ALLOWED
from outflow_core.settings import Database, read_settings
from outflow_core.sources import find_database
from outflow_core.stored import stored_config
from tests.core.books import patient

SERVER = {"dialect": "postgresql", "database": "d"}


def database_of(folder: Path, **entry: Any) -> Database:
    """The default database of a configuration that says this of it."""
    path = folder / "config.json"
    path.write_text(json.dumps({"databases": {"default": {**SERVER, **entry}}}), encoding="utf-8")
    return read_settings(path).database()


def refusal(folder: Path, **entry: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        database_of(folder, **entry)
    said = str(caught.value)
    assert said.startswith(f"{folder / 'config.json'}: databases.default")
    return said


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"addres": "h"}, "unknown key 'addres'; did you mean 'address'?"),
        ({"passwrd": "p"}, "unknown key 'passwrd'; known: dialect, address,"),
        ({"dialect": "postgres"}, "'postgres' is not known; did you mean 'postgresql'?"),
        ({"database": True}, "database: must be text, not yes or no; put it in quotes"),
        ({"database": None}, "'database' is missing"),
        ({"user": 754}, "user: must be 'name:password' or 'name', in quotes, not a number"),
        ({"user": ":s3cret"}, "user: a password without a name in front of it"),
        ({"user": "me:a\0b"}, "user: holds a NUL character"),
        ({"user": "me:\ud800"}, "user: holds bytes that are no UTF-8"),
        ({"address": 5432}, "address: must be 'host:port' in quotes, not a number"),
        ({"address": "me:s3cret@host:1"}, "address: what stands here is not host:port"),
        ({"address": "postgresql://me:s3cret@host/d"}, "address: what stands here is not host:port"),
        ({"address": "host/d"}, "address: 'host/d' is not host:port (IPv6: [::1]:5432"),
        ({"address": "/run/pg:70000"}, "'/run/pg:70000' is not host:port"),
        ({"service": "books", "admin": "boss"}, "'user' is missing; beside 'admin' the role must be named"),
        ({"options": "connect_timeout=20"}, "options: must be a mapping such as {connect_timeout: 20}, not text"),
        (
            {"options": {"conect_timeout": 20}},
            "options: unknown option 'conect_timeout'; did you mean 'connect_timeout'?",
        ),
        ({"options": {"sslrootcet": "x"}}, "did you mean 'sslrootcert'?"),
        ({"options": {"zzz": "x"}}, "unknown option 'zzz'; known: "),
        ({"options": {"password": "s3cret"}}, "the option 'password' carries a secret; passwords belong under 'user'"),
        ({"options": {"sslpassword": "s3cret"}}, "the option 'sslpassword' carries a secret"),
        ({"options": {"user": "x"}}, "the option 'user' is the key 'user' of the database"),
        ({"options": {"host": "x"}}, "is the key 'address' of the database"),
        ({"options": {"dbname": "x"}}, "is the key 'database' of the database"),
        ({"options": {"sslmode": "require"}}, "'sslmode' is a key of the database itself"),
        ({"options": {"options": "-c x=1"}}, "'options' is needed here"),
        ({"options": {"connect_timeout": "soon"}}, "options.connect_timeout: must be a whole number"),
        ({"options": {"keepalives": 2}}, "options.keepalives: must be yes or no"),
        ({"options": {"sslcert": "~nobodyhere/x"}}, "options.sslcert: '~nobodyhere/x' begins with the home of nobody"),
        ({"options": {"sslcert": ["a"]}}, "options.sslcert: must be text, not a list"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_without_a_password(
    tmp_path: Path, entry: dict[str, Any], words: str
) -> None:
    said = refusal(tmp_path, **entry)
    assert words in said and "s3cret" not in said


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("::1", ("::1", None)),
        ("fe80::1%eth0", ("fe80::1%eth0", None)),
        ("[fe80::1%eth0]:5433", ("fe80::1%eth0", 5433)),
        (":5433", (None, 5433)),
        ("/run/postgresql:5433", ("/run/postgresql", 5433)),
        (None, (None, None)),
    ],
)
def test_an_address_may_be_ipv6_or_a_port_or_a_socket_with_its_port(
    tmp_path: Path, address: str | None, place: tuple[str | None, int | None]
) -> None:
    found = database_of(tmp_path, address=address)
    assert (found.host, found.port) == place


def test_the_options_reach_the_driver_as_it_wants_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE", "node7")
    options = {
        "connect_timeout": 20,
        "keepalives": False,
        "keepalives_idle": "30",
        "sslrootcert": "certs/root.pem",
        "sslkey": "/etc/key.pem",
        "application_name": "reduce on ${NODE}",
        "gssencmode": None,
    }
    query = postgresql_url(database_of(tmp_path, options=options, sslmode="verify-full"), None).query
    assert dict(query) == {
        "sslmode": "verify-full",
        "connect_timeout": "20",
        "keepalives": "0",
        "keepalives_idle": "30",
        "sslrootcert": str(tmp_path / "certs" / "root.pem"),
        "sslkey": "/etc/key.pem",
        "application_name": "reduce on node7",
    }


def test_the_certificates_of_the_system_are_no_file(tmp_path: Path) -> None:
    assert database_of(tmp_path, options={"sslrootcert": "system"}).options == (("sslrootcert", "system"),)


def test_what_nobody_said_is_a_habit_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    said = database_of(tmp_path, options={"connect_timeout": 20})
    ours = habits_of(database_of(tmp_path))
    assert (ours["connect_timeout"], ours["application_name"]) == (5, "outflow_core") and "keepalives_idle" in ours
    assert habits_of(said) == {name: value for name, value in ours.items() if name != "connect_timeout"}
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "60")
    assert "connect_timeout" not in habits_of(database_of(tmp_path))


def test_a_service_needs_no_database_and_brings_its_own_user(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("databases: {default: {dialect: postgresql, service: books}}")
    found = read_settings(path).database()
    assert (found.service, found.database, found.login) == ("books", None, None)
    assert postgresql_url(found, found.login).query == {"service": "books"}
    assert found.shown == "postgresql:///?service=books"


def test_a_url_may_carry_options_and_a_service_but_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_database("postgresql://me@host/d?connect_timeout=20&sslrootcert=%2Fa%20b&service=books")
    assert found.options == (("connect_timeout", "20"), ("sslrootcert", "/a b"))
    assert found.service == "books"
    with pytest.raises(ConfigError, match=r"unknown option 'conect_timeout'; did you mean 'connect_timeout'\?"):
        find_database("postgresql://me@host/d?conect_timeout=20")


def test_two_keys_that_are_the_same_as_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("databases: {1: {dialect: sqlite}, '1': {dialect: sqlite}}")
    with pytest.raises(ConfigError, match="the bind key '1' stands here twice"):
        read_settings(path)


@pytest.mark.parametrize("key", ["true", "~", "2024-01-01", "1.5"])
def test_a_bind_key_is_text(tmp_path: Path, key: str) -> None:
    path = tmp_path / "config.yml"
    path.write_text(f"databases: {{{key}: {{dialect: sqlite}}}}")
    with pytest.raises(ConfigError, match=r"a bind key must be text, not .*; put .* in quotes"):
        read_settings(path)


def test_an_empty_path_is_not_the_directory(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("databases: {default: {dialect: sqlite, path: ''}}")
    with pytest.raises(ConfigError, match=r"databases\.default\.path: is empty"):
        read_settings(path)


def test_other_sections_are_the_pipelines_own_and_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("when: 2024-05-01\nsites: {no: 1, ~: 2, 1.5: 3, 2024-05-01: 4, 7: 5}\ndatabase: x\n")
    found = read_settings(path)
    assert found.content["sites"][False] == 1
    assert stored_config(found)["sites"] == {"false": 1, "null": 2, "1.5": 3, "2024-05-01": 4, "7": 5}
    assert stored_config(found)["when"] == "2024-05-01"


def test_a_key_that_is_no_text_is_stored_as_outflow_stores_it(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("sites: {no: 1, ~: 2, 1.5: 3, .nan: 4, 7: 5}\n")
    found = read_settings(path)
    assert json.dumps(stored_config(found)["sites"]) == json.dumps(found.content["sites"])


SECRETS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20).map(
    lambda text: f"Zq{text}qZ"
)
PLACES = ["user", "admin", "address", "schema", "service", "sslmode", "option", "refused option"]


@patient
@given(SECRETS, st.lists(st.sampled_from(PLACES), unique=True, max_size=3), st.sampled_from(ALLOWED))
@example("Zq@:/?#qZ", ["option"], "passfile")
@example("Zq${qZ", [], "passfile")
@example("Zq${NAME}qZ", ["service"], "sslkey")
def test_no_password_is_shown_whatever_else_the_section_holds(
    tmp_path_factory: pytest.TempPathFactory, secret: str, places: list[str], option: str
) -> None:
    """The places hold what is wrong there, or what else may stand there."""
    wrong: dict[str, Any] = {"user": {"me": secret}, "admin": f":{secret}", "address": f"me:{secret}@host"}
    entry: dict[str, Any] = {"user": f"me:{secret}", "admin": f"boss:{secret}", "address": "127.0.0.1:1"}
    entry |= {place: wrong.get(place, "x") for place in places if "option" not in place}
    options = {option: "1"} if "option" in places else {}
    options |= {"password": secret} if "refused option" in places else {}
    try:
        found = database_of(tmp_path_factory.mktemp("section"), **entry, options=options)
    except ConfigError as error:
        assert "Zq" not in str(error)
    else:
        engines = [make_engine(found, role) for role in ("user", "admin")]
        assert "Zq" not in f"{found} {found!r} {found.shown} {found.login!r} {engines!r}"
