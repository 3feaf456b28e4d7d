"""Who is warned of a password in a file that others may read, how often, and in which words."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outflow_core import exposure
from outflow_core.settings import read_settings
from outflow_core.sources import find_database

SERVER = "{dialect: postgresql, database: d, user: 'me:s3cret'}"


@pytest.fixture(autouse=True)
def nobody_was_warned(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Each test begins as a process does."""
    caplog.set_level(logging.WARNING, "outflow_core")
    before = set(exposure._warned)
    exposure._warned.clear()
    yield
    exposure._warned.update(before)


def file(folder: Path, text: str, name: str = "config.yml", mode: int = 0o644) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o444])
def test_a_password_that_others_may_read_earns_one_warning_with_the_way_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    path = file(tmp_path, f"databases: {{default: {SERVER}}}", mode=mode)
    read_settings(path)
    read_settings(path)
    (said,) = caplog.messages
    assert said.startswith(f"{path}: holds the password of databases.default.user, and others may read")
    assert f"(mode {mode:o}); run 'chmod 600 {path}', or write ${{NAME}}" in said and "~/.pgpass" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (f"databases: {{default: {SERVER}}}", 0o600),
        (f"databases: {{default: {SERVER}}}", 0o700),
        ("databases: {default: {dialect: postgresql, database: d, user: me}}", 0o644),
        ("databases: {default: {dialect: postgresql, database: d, user: 'me:'}}", 0o644),
        ("databases: {default: {dialect: postgresql, database: d, user: 'me:${PW}'}}", 0o644),
        ("databases: {default: {dialect: postgresql, database: d, user: 'me:${PW:-default}'}}", 0o644),
        ("databases: {default: {dialect: sqlite}}\napi: {user: 'me:s3cret'}", 0o644),
    ],
    ids=["only mine", "mine to run", "no password", "an empty one", "a variable", "set, with a default", "elsewhere"],
)
def test_nobody_is_warned_without_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, text: str, mode: int
) -> None:
    monkeypatch.setenv("PW", "s3cret")
    read_settings(file(tmp_path, text, mode=mode))
    assert caplog.messages == []


def test_a_default_that_stands_in_the_file_is_a_password_in_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PW", raising=False)
    read_settings(file(tmp_path, "databases: {default: {dialect: postgresql, database: d, user: 'me:${PW:-s3cret}'}}"))
    assert len(caplog.messages) == 1 and "s3cret" not in caplog.text


def test_the_included_file_that_holds_the_password_is_named_and_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file(tmp_path, f"default: {SERVER}", "databases.yml")
    file(tmp_path, "1", "other.yml")
    read_settings(file(tmp_path, "databases: !include databases.yml\nother: !include other.yml"))
    (said,) = caplog.messages
    assert said.startswith(f"{tmp_path / 'databases.yml'}: ")


def test_a_closed_file_included_by_an_open_one_is_no_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file(tmp_path, f"default: {SERVER}", "databases.yml", mode=0o600)
    read_settings(file(tmp_path, "databases: !include databases.yml"))
    assert caplog.messages == []


def test_a_login_that_is_included_alone_is_found_where_it_stands(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file(tmp_path, '"me:s3cr\\u00e9t"', "user of mine.yml")
    read_settings(
        file(tmp_path, "databases: {default: {dialect: postgresql, database: d, user: !include 'user of mine.yml'}}")
    )
    (said,) = caplog.messages
    assert f"chmod 600 '{tmp_path}/user of mine.yml'" in said


@pytest.mark.parametrize("name", ["config.json", "config.toml"])
def test_json_and_toml_are_looked_at_too(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    entry = {"dialect": "postgresql", "database": "d", "admin": "boss:s3cret"}
    toml = "".join(f"{key} = '{value}'\n" for key, value in entry.items())
    text = f"[databases.default]\n{toml}" if name.endswith("toml") else json.dumps({"databases": {"default": entry}})
    read_settings(file(tmp_path, text, name))
    assert caplog.messages[0].startswith(f"{tmp_path / name}: holds the password of databases.default.admin")


def test_who_only_looks_is_not_warned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    find_database(str(file(tmp_path, f"databases: {{default: {SERVER}}}")))
    assert caplog.messages == []


def run(*command: str) -> str:
    """What a program says on standard error."""
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=60).stderr


def test_where_nobody_set_up_logging_it_is_one_plain_line(tmp_path: Path) -> None:
    text = "databases: {default: {dialect: sqlite}, other: {dialect: postgresql, address: /nowhere, "
    path = file(tmp_path, text + "database: d, user: 'me:s3cret'}}")
    script = f"import outflow_core as o; o.load_settings({str(path)!r}); o.load_settings({str(path)!r})"
    (line,) = run("-c", script).splitlines()
    assert line.startswith(f"{path}: holds the password of databases.other.user")
    lines = run("-m", "outflow_core.db_cli", "status", "--config", str(path)).splitlines()
    assert lines[0] == line and [other for other in lines[1:] if "holds the password" in other] == []


def test_the_monitor_says_nothing_on_its_screen(tmp_path: Path) -> None:
    path = file(
        tmp_path, "databases: {default: {dialect: postgresql, address: /nowhere, database: d, user: 'me:s3cret'}}"
    )
    said = run("-m", "outflow_tui.cli", "runs", "-s", str(path))
    assert said.startswith("outflow-tui: Cannot read") and "holds the password" not in said
