"""No password leaves: everything that the programs emit is searched for those of the configuration, faults included."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from outflow_core import record_run
from outflow_core.engines import Engines, make_engine, postgresql_url
from outflow_core.errors import OutflowError
from outflow_core.reader import Reader
from outflow_core.settings import Settings, read_settings
from outflow_core.sources import find_database
from tests.core.servers import OwnServer
from tests.hostile.wire import started, terminal

USER = "uS3r-@:/%?#p4ss"
ADMIN = "aDm1n'\\\"p4ss&="
OTHER = "oTh3r-p4ss"
VARIABLE = "vAr14bl3-p4ss"
OWN = "pIp3lin3-s3cr3t"
INPUT = "iNpUt-s3cr3t"
SECRETS = (USER, ADMIN, OTHER, VARIABLE, OWN, INPUT)


def forms(secret: str) -> set[str]:
    """A secret as it could be written."""
    written = {secret, quote(secret, safe=""), quote(secret), repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    plain = {base64.b64encode(secret.encode()).decode().rstrip("="), secret.encode().hex()}
    return written | plain | {secret[: len(secret) - 2]}


def leaks(told: str) -> list[str]:
    """Which secrets stand in a text, in any form."""
    return [secret for secret in SECRETS for form in forms(secret) if form in told]


@pytest.fixture(scope="module")
def server(own_server: OwnServer) -> OwnServer:
    """A server with both roles, and a database."""
    own_server.sql("CREATE ROLE c_admin LOGIN PASSWORD %s", ADMIN)
    own_server.sql("CREATE ROLE c_user LOGIN PASSWORD %s", USER)
    own_server.sql("CREATE DATABASE c_books OWNER c_admin")
    return own_server


def content(address: str, **changed: Any) -> dict[str, Any]:
    """A configuration with a secret wherever one can stand."""
    entry = {
        "dialect": "postgresql", "address": address, "database": "c_books",
        "user": f"c_user:{USER}", "admin": f"c_admin:{ADMIN}", **changed,
    }  # fmt: skip
    other = {"dialect": "postgresql", "address": "127.0.0.1:1", "database": "x", "user": "c_other:${OTHER_PASSWORD}"}
    own = {"api_key": OWN, "url": f"https://me:{OWN}@host/x", "said": f"host=x password={OWN}"}
    return {"databases": {"default": entry, "other": other}, "service": own, "secrets": {"any": [OWN]}}


def config_at(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Passwords in the environment too, and nothing of whoever runs the tests."""
    monkeypatch.setenv("OTHER_PASSWORD", OTHER)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PGPASSFILE", "PGSERVICE", "OUTFLOW_CONFIG_PATH", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def settings(server: OwnServer, tmp_path: Path) -> Settings:
    """A configuration whose books can be read and written."""
    return read_settings(config_at(tmp_path / "config.json", content(f"127.0.0.1:{server.port}")))


def asked(words: Sequence[str], folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """What a command of either program prints, whatever happens."""
    from outflow_core import db_cli
    from outflow_tui.cli import main

    with suppress(SystemExit):
        (db_cli.main if words[0] == "db" else main)(list(words[1:]))
    told = capfd.readouterr()
    assert "Traceback" not in told.err, told.err
    return told.out + told.err


def commands(config: Path) -> Iterator[list[str]]:
    """Every question of both programs about a configuration."""
    named = ["--source", str(config)]
    for words in (["runs"], ["show", "last"], ["failures", "last"], ["config", "last"], ["diff", "1", "2"]):
        for form in ([], ["--json"], ["--markdown"]):
            yield ["tui", words[0], *named, *form, *words[1:]]
    for sought in (USER[:6], OWN, INPUT, "password"):
        yield ["tui", "search", *named, "--json", f"x{sought}"[1:]]
    yield ["tui", "processed", *named, "file=n1"]
    yield ["tui", "wait", *named, "--timeout", "0", "last"]
    yield ["tui", str(config)]
    for verb in (["status"], ["status", "--json"], ["history"], ["check"], ["sql"], ["replay"], ["indexes"]):
        yield ["db", *verb, "--config", str(config)]


def fail_with_secrets(settings: Settings) -> str:
    """A run that is given secrets and raises one; what the pipeline itself would print of it."""
    with pytest.raises(ValueError) as raised, record_run("reduce", config=settings) as run:
        with run.task("fit", inputs={"file": "n1", "password": INPUT, "url": f"ftp://me:{INPUT}@host/n1"}):
            raise ValueError(f"cannot log in: password={INPUT} at https://me:{INPUT}@host")
    return "".join(traceback.format_exception(raised.value)).replace(INPUT, "")


def test_no_command_tells_a_password_while_all_is_well(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    assert settings.path is not None
    told = asked(["db", "upgrade", "--config", str(settings.path), "--bind", "default"], settings.root, capfd)
    for _ in range(2):
        assert leaks(fail_with_secrets(settings)) == []
    told_by: dict[str, str] = {}
    for words in commands(settings.path):
        found = asked(words, settings.root, capfd)
        if words[1] == "search":  # what somebody typed is told again
            found = found.replace(words[-1], "")
        if leaks(found):
            told_by[" ".join(words)] = found[:2000]
    assert not told_by, "\n".join(f"{name}: {told}" for name, told in told_by.items())
    assert leaks(told) == []


def entries(server: OwnServer) -> dict[str, Callable[[], Any]]:
    """Configurations in which something is wrong right beside a password."""
    good = f"127.0.0.1:{server.port}"
    url = f"postgresql://c_user:{USER}@{good}/c_books"
    return {
        "wrong password": lambda: content(good, user=f"c_user:{OTHER}", admin=f"c_admin:{OTHER}"),
        "server down": lambda: content("127.0.0.1:1"),
        "unknown host": lambda: content("nowhere.invalid:5432"),
        "no such database": lambda: content(good, database="nowhere"),
        "bad port": lambda: content("127.0.0.1:port"),
        "password in the address": lambda: content(f"c_user:{USER}@{good}"),
        "URL as address": lambda: content(url),
        "URL as database": lambda: content(good, database=url),
        "encryption": lambda: content(good, sslmode="require"),
        "bad encryption": lambda: content(good, sslmode=OTHER),
        "password among options": lambda: content(good, options={"password": OTHER}),
        "unknown option": lambda: content(good, options={f"pasword{OTHER}"[:7]: OTHER}),
        "bad option": lambda: content(good, options={"connect_timeout": OTHER}),
        "unknown driver": lambda: content(good, dialect=f"postgres://me:{OTHER}@host"),
        "driver with password": lambda: content(good, dialect=f"mysql+x://me:{OTHER}@host"),
        "unknown key": lambda: content(good, password=OTHER),
        "user is a list": lambda: content(good, user=["c_user", USER]),
        "user is a mapping": lambda: content(good, user={"c_user": USER}),
        "only a password": lambda: content(good, user=f":{USER}"),
        "no variable": lambda: content(good, user=f"c_user:{OTHER}${{NOT_SET}}"),
        "databases is a URL": lambda: {"databases": f"postgresql://me:{OTHER}@host/x"},
        "entry is a URL": lambda: {"databases": {"default": f"postgresql://me:{OTHER}@host/x"}},
        "key is a URL": lambda: {"databases": {f"postgresql://me:{OTHER}@host/x": {"path": "a.db"}}, "a": 1},
        "broken JSON": lambda: '{"databases": {"default": {"user": "c_user:' + OTHER + '", oops}}}',
        "NUL": lambda: content(good, user=f"c_user:{OTHER}\0"),
    }


BROKEN_YAML = {
    "tab": f"databases:\n  default:\n\tuser: c_user:{OTHER}\n",
    "quote": f'databases:\n  default:\n    user: "c_user:{OTHER}\n    dialect: x\n',
    "tag": f"databases:\n  default:\n    user: !secret c_user:{OTHER}\n",
    "alias": f"databases:\n  default:\n    user: *{OTHER}\n",
    "anchor": f"databases:\n  default:\n    user: &x{OTHER}: c_user\n",
    "include": f"databases: !include postgresql://me:{OTHER}@host/x\n",
    "missing include": f"databases: !include {{password: {OTHER}}}\n",
    "twice": f"databases:\n  default:\n    user: c_user:{OTHER}\n    user: c_user:{OTHER}\n",
    "mapping in password": f"databases:\n  default:\n    user: c_user: {OTHER}\n",
    "TOML": f'[databases.default]\nuser = "c_user:{OTHER}\n',
}


QUESTIONS = (
    ["tui", "runs", "-s"],
    ["tui"],
    ["db", "status", "--config"],
    ["db", "upgrade", "--config"],
    ["db", "roles", "--apply", "--as", f"postgresql://me:{OTHER}@127.0.0.1:1/x", "--config"],
)


def test_no_fault_of_a_configuration_tells_a_password(
    server: OwnServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found: dict[str, Path] = {}
    for name, made in entries(server).items():
        found[name] = config_at(tmp_path / f"{len(found)}.json", made())
    for name, words in BROKEN_YAML.items():
        found[name] = config_at(tmp_path / f"{len(found)}.{'toml' if name == 'TOML' else 'yml'}", words)
    told_by: dict[str, str] = {}
    for name, config in found.items():
        for question in QUESTIONS:
            told = asked([*question, str(config)], tmp_path, capfd)
            if leaks(told):
                told_by[f"{name}, {question[:2]}"] = told
    assert not told_by, "\n".join(f"{name}: {told}" for name, told in told_by.items())


def test_no_fault_of_a_url_tells_its_password(
    server: OwnServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    quoted, place = quote(USER, safe=""), f"127.0.0.1:{server.port}"
    told_by: dict[str, str] = {}
    for url in (
        f"postgresql://c_user:{quoted}@{place}/nowhere", f"postgresql://c_user:{quoted}@127.0.0.1:1/x",
        f"postgresql://c_user:{OTHER}@{place}/c_books", f"postgresql://c_user:{USER}@{place}/c_books",
        f"postgresql://c_user:{OTHER}@{place}:x/y", f"postgresql://c_user:{OTHER}@[::1/y", f"mysql://me:{OTHER}@host/x",
        f"postgresql://{place}/x?user=me&password={OTHER}", f"postgresql://me@{place}/x?sslpassword={OTHER}",
        f"c_user:{OTHER}@{place}/x", f"host=x user=me password={OTHER}", f"host=x password='{OTHER}'",
        f"postgres:me:{OTHER}@x",
    ):  # fmt: skip
        for words in (["tui", "runs", "-s", url], ["tui", url], ["tui", "wait", "-s", url, "--timeout", "0", "1"]):
            told = asked(words, tmp_path, capfd)
            if leaks(told):
                told_by[" ".join(words)] = told
    assert not told_by, "\n".join(f"{name}: {told}" for name, told in told_by.items())


def test_nothing_that_the_core_hands_out_shows_a_password(settings: Settings) -> None:
    database, engines = settings.database(), Engines(settings)
    reader = Reader(database)
    engine = make_engine(database)
    url = postgresql_url(database, database.user)
    for thing in (
        settings,
        database,
        database.user,
        engines,
        reader,
        engine,
        url,
        engine.pool,
        find_database(str(settings.path)),
    ):
        assert leaks(f"{thing!r} {thing!s} {thing:}") == [], type(thing)
    with pytest.raises(OutflowError) as raised:
        Reader(read_settings(config_at(settings.root / "w.json", content("127.0.0.1:1"))).database()).pulse()
    shown = "".join(traceback.format_exception(raised.value))
    assert leaks(f"{shown} {raised.value!r} {pickle.loads(pickle.dumps(raised.value))!r} {raised.value.__dict__}") == []
    engines.dispose()


def test_no_error_that_reaches_a_pipeline_holds_a_password(settings: Settings) -> None:
    away = read_settings(config_at(settings.root / "w.json", content("127.0.0.1:1")))
    for what in (away, settings.root / "missing.json"):
        try:
            with record_run("reduce", config=what) as run, run.task("fit"):
                pass
        except Exception as error:
            assert leaks("".join(traceback.format_exception(error)) + repr(error)) == []
    journals = [
        path for path in settings.root.rglob("*") if path.is_file() and path.name not in ("config.json", "w.json")
    ]
    for path in journals:
        assert leaks(path.read_bytes().decode("utf-8", "replace")) == [], path
        assert path.stat().st_mode & 0o077 == 0, path


CRASHES = """
import sys
from outflow_tui.screens.runs import RunsScreen
def broken(self, *_):
    password = connection = {"user": sys.argv[2]}
    raise RuntimeError("password=" + sys.argv[2])
RunsScreen.action_mark = RunsScreen.on_key = broken
from outflow_tui.cli import main
sys.exit(main(sys.argv[1:2]))
"""


def test_a_fault_of_the_screen_is_told_without_what_stood_in_its_variables(settings: Settings) -> None:
    with started([sys.executable, "-c", CRASHES, str(settings.path), VARIABLE]) as running:
        running.settles(1.0)
        running.press("z")
        assert running.ends() == 1
        told = running.written.decode("utf-8", "replace")
        assert "RuntimeError at" in told and "please report it" in told
        assert leaks(told) == [] and "Traceback" not in told and "locals" not in told


def test_the_screen_its_files_and_its_process_tell_no_password(settings: Settings, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "outflow_core.db_cli", "upgrade", "--config", str(settings.path)],
        check=False,
        capture_output=True,
    )
    fail_with_secrets(settings)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nenv > "$0.env"; echo "$@" > "$0.words"\n')
    editor.chmod(0o700)
    place = tmp_path / "seen"
    place.mkdir()
    with terminal(str(settings.path), "--every", "0.3", folder=place, VISUAL=str(editor)) as running:
        running.sees("reduce")
        words = Path(f"/proc/{running.pid}/cmdline").read_bytes().decode()
        for keys, sees in (
            ("enter", "ValueError"),
            ("y", "Copied"),
            ("e", ""),
            ("E", "all lines"),
            ("enter", "Saved"),
            ("4", "configuration"),
        ):
            running.press(keys)
            while keys == "e" and not Path(f"{editor}.words").exists():
                assert running.read(0.1)
            if sees:
                running.sees(sees)
            running.settles()
        copied = [
            base64.b64decode(told.rpartition(";")[2]).decode() for number, told in running.screen.told if number == "52"
        ]
    files = "".join(path.read_text() for path in place.rglob("*") if path.is_file())
    assert files and copied
    assert leaks(words + running.written.decode("utf-8", "replace") + files + "".join(copied)) == []
    children = Path(f"{editor}.env").read_text() + Path(f"{editor}.words").read_text()
    assert leaks(children.replace(f"OTHER_PASSWORD={OTHER}", "")) == []  # the user's own environment is the user's
