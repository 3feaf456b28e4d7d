"""No password leaves: everything that the programs emit is searched for those of the configuration, faults included."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
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
from tests.hostile.wire import WatchedTerminal, started, terminal
from tests.leaks import leaked

USER = "uS3r-@:/%?#p4ss"
ADMIN = "aDm1n'\\\"p4ss&="
OTHER = "oTh3r-p4ss"
VARIABLE = "vAr14bl3-p4ss"
OWN = "pIp3lin3-s3cr3t"
INPUT = "iNpUt-s3cr3t"
PLACES = {
    "PGPASSWORD": "f0r-l1bpq-@:\\p4ss",
    "PGPASSFILE": "1n-a-f1le-@:\\p4ss",
    "~/.pgpass": "at-h0me-@:\\p4ss",
    "an included file": "1nclud3d-p4ss",
}
"""Where else a password may stand than in the configuration, and the one that stands there."""
SECRETS = (USER, ADMIN, OTHER, VARIABLE, OWN, INPUT, *PLACES.values())


def leaks(told: str) -> list[str]:
    """Which secrets stand in a text, in any form."""
    return leaked(told, SECRETS)


@pytest.fixture(scope="module")
def server(own_server: OwnServer) -> OwnServer:
    """A server with both roles, and a database."""
    own_server.sql("CREATE ROLE c_admin LOGIN PASSWORD %s", ADMIN)
    own_server.sql("CREATE ROLE c_user LOGIN PASSWORD %s", USER)
    for number, password in enumerate(PLACES.values()):
        own_server.sql(f"CREATE ROLE c_user{number} LOGIN PASSWORD %s IN ROLE c_user", password)
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
RunsScreen.handle_key = broken
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


def copied(seat: WatchedTerminal) -> list[str]:
    """What was sent to the terminal's clipboard."""
    return [base64.b64decode(words.rpartition(";")[2]).decode() for kind, words in seat.screen.told if kind == "52"]


def test_the_screen_its_files_and_its_process_tell_no_password(settings: Settings, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "outflow_core.db_cli", "upgrade", "--config", str(settings.path)],
        check=False,
        capture_output=True,
    )
    fail_with_secrets(settings)
    vi = tmp_path / "editor"
    editor(vi)
    place = tmp_path / "seen"
    place.mkdir()
    with terminal(str(settings.path), "--every", "0.3", folder=place, VISUAL=str(vi)) as running:
        running.sees("reduce")
        words = Path(f"/proc/{running.pid}/cmdline").read_bytes().decode()
        for keys, sees in (
            ("enter", "ValueError"),
            ("y", "Copied"),
            ("e", ""),
            ("E", "all lines"),
            ("enter", "Saved"),
            ("4", "configuration"),
            ("E", "all lines"),
            ("s", ".svg"),
        ):
            running.press(keys)
            while keys == "e" and not Path(f"{vi}.words").exists():
                assert running.read(0.1)
            if sees:
                running.sees(sees)
            running.settles()
        copies = copied(running)
    files = "".join(path.read_text() for path in place.rglob("*") if path.is_file())
    assert {path.suffix for path in place.iterdir()} == {".txt", ".svg"} and copies
    assert leaks(words + running.written.decode("utf-8", "replace") + files + "".join(copies)) == []
    children = Path(f"{vi}.env").read_text() + Path(f"{vi}.words").read_text()
    assert leaks(children.replace(f"OTHER_PASSWORD={OTHER}", "")) == []  # the user's own environment is the user's


def configured(server: OwnServer, folder: Path, where: str) -> dict[str, str]:
    """A configuration in a folder whose user has its password elsewhere; what must be in the environment for it."""
    number, password = list(PLACES).index(where), PLACES[where]
    user, config = f"c_user{number}", content(f"127.0.0.1:{server.port}")
    config["databases"]["default"]["user"] = user if where != "an included file" else f"{user}:{password}"
    if where == "an included file":
        config_at(folder / "part.yml", config["databases"])
        told = {name: json.dumps(value) for name, value in config.items()} | {"databases": "!include part.yml"}
        config_at(folder / "config.yml", "".join(f"{name}: {value}\n" for name, value in told.items()))
    else:
        config_at(folder / "config.yml", config)
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    pgpass = config_at(folder / ".pgpass", f"127.0.0.1:{server.port}:*:{user}:{escaped}\n")
    return {
        "PGPASSWORD": {"PGPASSWORD": password},
        "PGPASSFILE": {"PGPASSFILE": str(pgpass)},
        "~/.pgpass": {"HOME": str(folder)},
    }.get(where, {})


@dataclass
class Looked:
    """Somebody who looks at the books, on the screen and by `watch`."""

    folder: Path
    environment: dict[str, str]
    screen: WatchedTerminal
    watch: WatchedTerminal

    def told(self) -> str:
        """All that came of it: what was written, copied and saved, and what everybody on the machine may see."""
        seats = (self.screen, self.watch)
        written = b"".join(bytes(seat.written) for seat in seats).decode("utf-8", "replace")
        saved = [path.read_text() for path in self.folder.iterdir() if path.suffix in (".svg", ".json", ".words")]
        shown = [Path(f"/proc/{seat.pid}/cmdline").read_text() for seat in seats]
        copies = copied(self.screen)
        assert copies and len(saved) == 3
        return "".join([written, *copies, *saved, *shown])

    def environments(self) -> str:
        """What the programs and the editor that one of them began have in their environment, besides what was given."""
        pids = (self.screen.pid, self.watch.pid)
        found = [Path(f"/proc/{pid}/environ").read_text() for pid in pids] + [(self.folder / "editor.env").read_text()]
        given = {**self.environment, "OTHER_PASSWORD": OTHER}
        lines = [line for words in found for line in words.replace("\0", "\n").splitlines()]
        return "\n".join(line for line in lines if line not in {f"{name}={value}" for name, value in given.items()})


def test_passwords_that_stand_elsewhere_are_not_told_either(
    settings: Settings,
    server: OwnServer,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What libpq finds, and what a configuration includes; while all is well, and while the server is away."""
    asked(["db", "upgrade", "--config", str(settings.path)], tmp_path, capfd)
    fail_with_secrets(settings)
    with ExitStack() as stack:
        looked: dict[str, Looked] = {}
        for number, where in enumerate(PLACES):
            folder = tmp_path / str(number)
            folder.mkdir()
            environment = configured(server, folder, where)
            editor(folder / "editor")
            begun = partial(terminal, folder=folder, VISUAL="./editor", **environment)
            screen = stack.enter_context(begun("config.yml", "--every", "0.2"))
            form = ["--json"] * (number % 2)
            watch = stack.enter_context(begun("watch", "-s", "config.yml", "--every", "0.2", *form))
            looked[where] = Looked(folder, environment, screen, watch)
        for each in looked.values():
            each.screen.sees("reduce")
            prints(each.watch, "watching ")
            walk_and_keep(each.screen, each.folder)
        fail_with_secrets(settings)
        for each in looked.values():
            prints(each.watch, "cannot log in")
        server.stop()
        stack.callback(server.start)
        for each in looked.values():
            each.screen.sees("trying again")
            prints(each.watch, "Cannot read")
        for where, each in looked.items():
            assert leaks(each.told()) == [], where
            assert leaks(each.environments()) == [], where
    for where, each in looked.items():
        with monkeypatch.context() as given:
            for name, value in each.environment.items():
                given.setenv(name, value)
            for words in (
                ["tui", "runs", "-s"],
                ["tui", "config", "last", "--json", "-s"],
                ["db", "status", "--config"],
            ):
                told = asked([*words, str(each.folder / "config.yml")], tmp_path, capfd)
                assert told and leaks(told) == [], (where, words)


def editor(path: Path) -> None:
    """An editor that tells what it was given."""
    path.write_text('#!/bin/sh\nenv > "$0.env"; echo "$@" > "$0.words"\n')
    path.chmod(0o700)


def prints(seat: WatchedTerminal, words: str) -> None:
    """Wait until words were written, on lines of any length."""
    seat.reads_until(lambda: words.encode() in seat.written, f"{words!r} is not printed")


def walk_and_keep(seat: WatchedTerminal, folder: Path) -> None:
    """Open a run, edit, copy a report, save its configuration as a picture and as JSON."""
    for key, sees in (("enter", "ValueError"), ("e", ""), ("Y", "Copied"), ("4", "configuration")):
        seat.press(key)
        if key == "e":
            seat.reads_until((folder / "editor.words").exists)
        seat.sees(sees)
        seat.settles()
    for key, ending in (("s", ".svg"), ("J", ".json")):
        seat.press("E")
        seat.sees("all lines")
        seat.press(key)
        seat.sees(f"{ending};")
