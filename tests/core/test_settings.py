"""Which configuration file is read, what it may say, and what of it is stored."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sqlalchemy import make_url

from outflow_core.engines import postgresql_url
from outflow_core.errors import ConfigError
from outflow_core.masking import MASK
from outflow_core.settings import Settings, find_config, for_workers, load_settings, read_settings
from outflow_core.sources import find_database
from outflow_core.stored import configuration_hash, stored_config
from tests.core.books import patient
from tests.faults.rights import no_special_rights

SQLITE = "databases: {default: {dialect: sqlite, path: here.db}}\n"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests decides which file is read."""
    monkeypatch.delenv("OUTFLOW_CONFIG_PATH", raising=False)
    monkeypatch.delenv("PIPELINE_ROOT_DIRECTORY", raising=False)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the many files of a property."""
    return tmp_path_factory.mktemp("properties")


def config(folder: Path, text: str, name: str = "config.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def settings_of(folder: Path, content: dict[str, Any]) -> Settings:
    """The settings that a JSON file with this content gives."""
    return read_settings(config(folder, json.dumps(content), "config.json"))


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    return str(caught.value)


def refused_entry(folder: Path, **entry: Any) -> str:
    """What is said of a broken entry under `databases`."""
    return refusal(config(folder, json.dumps({"databases": {"default": entry}}), "config.json"))


# which file


def test_the_file_named_by_the_caller_is_read(tmp_path: Path) -> None:
    assert load_settings(config(tmp_path, SQLITE, "mine.yml")).database().path == tmp_path / "here.db"


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTFLOW_CONFIG_PATH", str(config(tmp_path, SQLITE, "mine.yml")))
    assert load_settings().path == tmp_path / "mine.yml"


def test_in_the_directory_json_comes_before_yml_before_yaml_before_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("config.toml", "config.yaml", "config.yml", "config.json"):
        config(tmp_path, "", name)
        assert find_config().name == name


def test_the_root_directory_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    config(root, "a: 1")
    monkeypatch.setenv("PIPELINE_ROOT_DIRECTORY", str(root))
    assert load_settings().path == root / "config.yml"
    assert load_settings(config(elsewhere, SQLITE)).database().path == root / "here.db"


def test_without_a_file_it_is_told_what_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigError, match=r"OUTFLOW_CONFIG_PATH.*config\.json, config\.yml, config\.yaml or config\.toml"
    ):
        load_settings()


def test_a_named_file_that_is_missing_does_not_become_an_empty_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yml: no such file"):
        load_settings(tmp_path / "gone.yml")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.yml", "databases:\n  default: {dialect: sqlite, path: x.db}\nn: 1\n"),
        ("config.json", '{"databases": {"default": {"dialect": "sqlite", "path": "x.db"}}, "n": 1}'),
        ("config.toml", 'n = 1\n[databases.default]\ndialect = "sqlite"\npath = "x.db"\n'),
    ],
)
def test_yaml_json_and_toml_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    found = read_settings(config(tmp_path, text, name))
    assert (found.database().path, found.content["n"]) == (tmp_path / "x.db", 1)


# what it may say


def test_a_relative_path_is_relative_to_the_file_not_to_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    config(tmp_path / "a", SQLITE)
    monkeypatch.chdir(tmp_path)
    assert read_settings(Path("a/config.yml")).database().path == tmp_path / "a" / "here.db"


def test_without_databases_the_books_are_outflow_db(tmp_path: Path) -> None:
    assert read_settings(config(tmp_path, "a: 1")).database().path == tmp_path / "outflow.db"


def test_another_database_leaves_the_default_one_alone(tmp_path: Path) -> None:
    found = settings_of(tmp_path, {"databases": {"archive": {"dialect": "sqlite", "path": "a.db"}}})
    assert [found.database(key).path for key in ("default", "archive")] == [tmp_path / "outflow.db", tmp_path / "a.db"]


def test_an_unknown_bind_key_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    found = settings_of(tmp_path, {"databases": {"archive": {"dialect": "sqlite"}}})
    with pytest.raises(ConfigError, match=r"unknown bind key 'archiv' \(known: archive, default\)"):
        found.database("archiv")


def test_credentials_may_come_from_an_included_file(tmp_path: Path) -> None:
    config(tmp_path, "default: {dialect: postgresql, address: 'db:5433', user: 'u:p', database: d}", "databases.yml")
    found = read_settings(config(tmp_path, "databases: !include databases.yml")).database()
    assert (found.host, found.port, found.database) == ("db", 5433, "d")
    assert found.user is not None and (found.user.name, found.user.password) == ("u", "p")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("localhost:5432", ("localhost", 5432)),
        ("localhost", ("localhost", None)),
        ("[::1]:5432", ("::1", 5432)),
        ("/run/postgresql", ("/run/postgresql", None)),
        ("", (None, None)),
    ],
)
def test_an_address_is_a_host_with_or_without_a_port_or_a_sockets_folder(
    tmp_path: Path, address: str, place: tuple[str | None, int | None]
) -> None:
    entry = {"dialect": "postgresql", "address": address, "database": "d"}
    found = settings_of(tmp_path, {"databases": {"default": entry}}).database()
    assert (found.host, found.port) == place


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("[1, 2]", "holds a list where sections"),
        ("text", "holds text where sections"),
        ("databases:\n", "nothing stands under it"),
        ("databases: [1]", "must be a mapping of bind keys, not a list"),
        ("databases: {default: }", "databases.default: must be a mapping"),
        ("databases: {default: {dialect: oracle}}", "'oracle' is not known (known: sqlite, postgresql)"),
        ("databases: {default: {dialect: [sqlite]}}", "is not known"),
        ("databases: {default: {dialect: sqlite, pth: x}}", "unknown key 'pth'; did you mean 'path'?"),
        ("databases: {default: {dialect: postgresql}}", "'database' is missing"),
        ("databases: {default: {dialect: postgresql, database: 2024-01-01}}", "must be text, not a date"),
        ("databases: {default: {dialect: postgresql, database: d, user: {n: p}}}", "must be 'name:password'"),
        ("databases: {default: {dialect: postgresql, database: d, address: 'h:p'}}", "'h:p' is not host:port"),
        ("databases: {default: {dialect: postgresql, database: d, address: '[::1'}}", "'[::1' is not host:port"),
        ("databases: {default: {dialect: sqlite, path: ~nobodyhere/x.db}}", "home of nobody"),
        ("databases: {default: {dialect: sqlite, path: }}", "'path' is missing"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_place(tmp_path: Path, text: str, words: str) -> None:
    said = refusal(config(tmp_path, text))
    assert said.startswith(f"{tmp_path / 'config.yml'}:") and words in said


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.json", "{'a': 1}", "config.json:1:2: not JSON"),
        ("config.json", "[" * 100_000, "config.json: nested too deeply"),
        ("config.json", "1" * 5_000, "config.json: not JSON"),
        ("config.json", " \n", "the file is empty"),
        (
            "config.json",
            '{"a": {\n\t"b": 1, "b": 2}}',
            "config.json:2:10: the key 'b' stands here twice (first in line 2)",
        ),
        ("config.json", '{"a":' + "[" * 900 + "]" * 900 + "}", "nested more than 60 levels"),
        ("config.toml", "a = ", "config.toml:1:5: not TOML"),
        ("config.toml", "a = 1\nb = [1,\n\n c", "config.toml:4:2: not TOML"),
        ("config.toml", "a = 1\nb = 'x\n", "config.toml:2:7: not TOML"),
        ("config.toml", "[a]\n[a]\n", "config.toml:2:3: not TOML"),
        ("config.toml", "a = " + "[" * 100 + "]" * 100, "nested more than 60 levels"),
        ("config.toml", "b = 1\n" + "a." * 20_000 + "b = 1", "config.toml:2:1: nested more than 60 levels"),
        ("config.toml", "a = " + "1" * 5_000, "config.toml: not TOML"),
        ("config.toml", "a = " + "[" * 100_000, "config.toml: nested too deeply"),
    ],
)
def test_broken_json_and_toml_are_told_too(tmp_path: Path, name: str, text: str, words: str) -> None:
    assert words in refusal(config(tmp_path, text, name))


@patient
@given(st.text())
@example("[::1")
@example("ℂ℀:1")
@example("host:99999")
@example("host:٣")
def test_any_address_is_understood_or_refused_in_words(scratch: Path, address: str) -> None:
    entry = {"dialect": "postgresql", "address": address, "database": "d"}
    try:
        settings_of(scratch, {"databases": {"default": entry}})
    except ConfigError as error:
        assert "databases.default.address" in str(error)


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "dialect": st.sampled_from(["sqlite", "postgresql"]) | JSON_VALUES,
        "path": JSON_VALUES,
        "address": JSON_VALUES,
        "database": JSON_VALUES,
        "user": JSON_VALUES,
        "admin": JSON_VALUES,
        "sslmode": JSON_VALUES,
    },
)


@patient
@given(JSON_VALUES | st.fixed_dictionaries({"databases": st.dictionaries(st.text(max_size=5), ENTRIES | JSON_VALUES)}))
def test_any_content_gives_settings_or_a_config_error(scratch: Path, content: Any) -> None:
    try:
        found = settings_of(scratch, content)
    except ConfigError as error:
        assert "config.json" in str(error)
    else:
        configuration_hash(stored_config(found), {})
        assert all(database.shown for database in found.databases.values())


# passwords

SENDABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
"""What PostgreSQL can be sent: anything but half characters and NUL."""
PASSWORDS = st.text(SENDABLE, max_size=30).map(lambda text: f"Zq{text}qZ")


@patient
@given(PASSWORDS)
@example("Zq%40@:/?#[]!$&'()*+,;= \"\\qZ")
@example("Zq\n\r\tqZ")
def test_a_password_of_any_characters_reaches_the_driver_and_is_shown_nowhere(scratch: Path, password: str) -> None:
    entry = {
        "dialect": "postgresql",
        "address": "h:1",
        "database": "d",
        "user": f"me:{password}",
        "admin": f"a:{password}",
    }
    found = settings_of(scratch, {"databases": {"default": entry}})
    database = found.database()
    for role in (database.user, database.admin):
        url = postgresql_url(database, role)
        assert url.password == password
        assert make_url(url.render_as_string(hide_password=False)).password == password
        for shown in (str(url), repr(url), repr(role), str(role)):
            assert password not in shown and password[:6] not in shown
    for value in (database, found, database.shown):
        assert "Zq" not in f"{value} {value!r}"
    assert "Zq" not in json.dumps(stored_config(found))


URLS = ["postgresql://me:{}@host/db", "postgres://me:{}@host:x/db", "mysql://me:{}@h/d", "postgresql://:{}@/"]
URLS += ["postgresql://me:{}@[::1/db", "postgresql://me:{}@host/db?bad=1"]


@patient
@given(PASSWORDS, st.sampled_from(URLS))
@example("Zq/?#@qZ", "postgresql://me:{}@host/db")
def test_a_password_in_a_url_is_not_told_when_the_url_is_refused(password: str, url: str) -> None:
    try:
        found = find_database(url.format(password))
    except ConfigError as error:
        assert "Zq" not in str(error)
    else:
        assert "Zq" not in f"{found.shown} {found!r}"


def test_a_current_directory_that_may_not_be_entered_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    monkeypatch.chdir(closed)
    monkeypatch.delenv("OUTFLOW_CONFIG_PATH", raising=False)
    closed.chmod(0)
    words = f"No configuration found: the directory {closed} may not be entered; ask its owner.* Go to the pipeline's"
    with no_special_rights():
        for source in (None, str(closed)):
            with pytest.raises(ConfigError, match=words):
                find_database(source)
    closed.chmod(0o700)


def test_a_password_among_the_options_of_a_url_is_not_told() -> None:
    with pytest.raises(ConfigError) as caught:
        find_database("postgresql://me@host/db?password=s3cret")
    assert "s3cret" not in str(caught.value) and "'password'" in str(caught.value)


@patient
@given(PASSWORDS)
def test_a_quoted_password_in_a_url_reaches_the_driver(password: str) -> None:
    found = find_database(f"postgresql://me:{quote(password, safe='')}@host:5433/db")
    assert found.user is not None and found.user.password == password
    assert (found.host, found.port, found.database) == ("host", 5433, "db")


def test_a_role_without_a_password_leaves_that_to_libpq(tmp_path: Path) -> None:
    entry = {"dialect": "postgresql", "database": "d", "user": "me"}
    database = settings_of(tmp_path, {"databases": {"default": entry}}).database()
    assert postgresql_url(database, database.user).password is None
    assert postgresql_url(database, None).username is None


@patient
@given(st.text(SENDABLE, min_size=1).filter(lambda text: text.strip("/") and ":" not in text))
def test_a_sockets_folder_reaches_the_driver_whatever_its_name(scratch: Path, folder: str) -> None:
    entry = {"dialect": "postgresql", "address": f"/{folder}", "database": "d"}
    database = settings_of(scratch, {"databases": {"default": entry}}).database()
    assert make_url(str(postgresql_url(database, None))).query["host"] == f"/{folder}"


# what a user may name


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u%00:s3cret@h/d",
        "postgresql://u:s3%00cret@h/d",
        "postgresql://u:s3cret@h/d%00",
        "postgresql://u:s3cret@h/d?host=a%00b",
        "postgresql://u:s3cret@h/d?sslrootcert=%00",
        "sqlite:///a%00b.db",
    ],
)
def test_a_url_with_a_nul_is_refused_in_words_and_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="holds a NUL character") as refused:
        find_database(url)
    assert not any(part in str(refused.value) for part in ("s3", "cret", "\0"))


def test_a_url_whose_bytes_are_no_text_is_refused_for_a_server_alone() -> None:
    with pytest.raises(ConfigError, match="no UTF-8 text"):
        find_database("postgresql://u\udcff@h/d")
    assert find_database("sqlite:////data/\udcff.db").path == Path("/data/\udcff.db")


def test_a_source_can_be_a_file_a_folder_a_database_or_a_url(tmp_path: Path) -> None:
    config(tmp_path, SQLITE)
    (tmp_path / "books").write_bytes(b"SQLite format 3\0")
    assert find_database(str(tmp_path)).path == tmp_path / "here.db"
    assert find_database(str(tmp_path / "config.yml")).path == tmp_path / "here.db"
    assert find_database(str(tmp_path / "books")).path == tmp_path / "books"
    assert find_database(f"sqlite:///{tmp_path}/books").path == tmp_path / "books"
    assert find_database("postgresql+psycopg2://me@/db?host=/run/pg").host == "/run/pg"


def test_a_folder_with_an_outflow_db_and_no_config_will_do(tmp_path: Path) -> None:
    (tmp_path / "outflow.db").touch()
    assert find_database(str(tmp_path)).path == tmp_path / "outflow.db"


@pytest.mark.parametrize(
    "source", ["/no/such/thing", "~nobodyhere/x.db", "x" * 5_000, "ftp://host/x", "postgresql://[", "\0"]
)
def test_a_source_that_is_none_is_refused_in_words(source: str) -> None:
    with pytest.raises(ConfigError):
        find_database(source)


# what is stored


def test_the_stored_configuration_begins_with_name_and_path_and_keeps_the_order_of_the_file(tmp_path: Path) -> None:
    path = config(tmp_path, "z: 1\nlogging: {a: 1}\nname: mine\na: {c: 1, b: 2}\ndatabases: {}\nm: 3\n")
    stored = stored_config(read_settings(path))
    assert list(stored.items()) == [
        ("name", "mine"),
        ("_CONFIG_FILEPATH", str(path)),
        ("z", 1),
        ("a", {"c": 1, "b": 2}),
        ("m", 3),
        ("secrets", {}),
    ]
    assert list(stored["a"]) == ["c", "b"]


def test_a_configuration_without_a_name_gets_outflows_own(tmp_path: Path) -> None:
    assert stored_config(settings_of(tmp_path, {}))["name"] == "__pipeline_config__"


def test_every_leaf_under_secrets_is_masked_in_its_place_and_a_list_is_one_leaf(tmp_path: Path) -> None:
    secrets = {"user": "me", "nested": {"token": "t", "list": ["a", "b"]}, "port": 5432, "none": None}
    stored = stored_config(settings_of(tmp_path, {"a": 1, "secrets": secrets, "z": 2}))
    assert list(stored) == ["name", "_CONFIG_FILEPATH", "a", "secrets", "z"]
    assert stored["secrets"] == {"user": MASK, "nested": {"token": MASK, "list": MASK}, "port": MASK, "none": MASK}


def test_secrets_elsewhere_are_masked_too(tmp_path: Path) -> None:
    stored = stored_config(settings_of(tmp_path, {"api": {"password": "p"}, "url": "ftp://me:pw@h"}))
    assert (stored["api"], stored["url"]) == ({"password": MASK}, f"ftp://me:{MASK}@h")


def test_what_yaml_knows_and_json_does_not_is_stored_as_text(tmp_path: Path) -> None:
    path = config(
        tmp_path, "day: 2024-05-01\nmoment: 2024-05-01 10:00:00\n1: one\nset: !!set {b, a}\nraw: !!binary YQ==\n"
    )
    stored = stored_config(read_settings(path))
    assert (stored["day"], stored["moment"], stored["1"]) == ("2024-05-01", "2024-05-01T10:00:00", "one")
    assert stored["set"] == ["a", "b"]
    json.dumps(stored)


def test_a_set_gives_the_same_hash_in_every_process(tmp_path: Path) -> None:
    path = config(tmp_path, "set: !!set {a, b, c, d, e, f, g}")
    script = (
        "import sys; from pathlib import Path; from outflow_core.settings import read_settings;"
        "from outflow_core.stored import configuration_hash, stored_config;"
        "print(configuration_hash(stored_config(read_settings(Path(sys.argv[1]))), {}))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script, str(path)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(hashes) == 1


@patient
@given(st.dictionaries(st.text(), JSON_VALUES), st.dictionaries(st.text(), JSON_VALUES))
def test_the_hash_is_that_of_outflow(config: dict[str, Any], settings: dict[str, Any]) -> None:
    text = json.dumps(config) + json.dumps(settings)
    assert configuration_hash(config, settings) == hashlib.sha256(text.encode()).hexdigest()


def test_another_order_of_keys_is_another_hash() -> None:
    assert configuration_hash({"a": 1, "b": 2}, {}) != configuration_hash({"b": 2, "a": 1}, {})


@patient
@given(st.dictionaries(st.text(), JSON_VALUES))
def test_storing_never_shows_a_database_or_the_logging(scratch: Path, content: dict[str, Any]) -> None:
    assume(not {"databases", "logging"} & content.keys())
    stored = stored_config(settings_of(scratch, {**content, "databases": {}, "logging": {"x": 1}}))
    assert not {"databases", "logging"} & stored.keys()
    assert list(stored)[:2] == ["name", "_CONFIG_FILEPATH"]


def test_environment_variables_stand_for_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKS_PASSWORD", "p:@ ${x}")
    monkeypatch.delenv("BOOKS_HOST", raising=False)
    text = """
databases:
  default:
    dialect: postgresql
    address: ${BOOKS_HOST:-localhost}:5433
    user: "me:${BOOKS_PASSWORD}"
    admin: "boss:$${BOOKS_PASSWORD}"
    database: books
"""
    found = read_settings(config(tmp_path, text)).database()
    assert found.user is not None and found.user.password == "p:@ ${x}"
    assert found.admin is not None and found.admin.password == "${BOOKS_PASSWORD}"
    assert (found.host, found.port) == ("localhost", 5433)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOOKS_PASSWORD", raising=False)
    text = "databases: {default: {dialect: postgresql, database: books, user: 'me:${BOOKS_PASSWORD}'}}"
    with pytest.raises(
        ConfigError, match=r"databases\.default\.user: the environment variable BOOKS_PASSWORD is not set"
    ):
        read_settings(config(tmp_path, text))


def test_workers_are_told_of_one_database_and_of_nothing_else(tmp_path: Path) -> None:
    databases = {
        "default": {
            "dialect": "postgresql",
            "address": "h",
            "database": "d",
            "user": "me:mine",
            "admin": "root:s3cret",
        },
        "archive": {"dialect": "postgresql", "address": "h", "database": "a", "admin": "root:s3cret"},
    }
    content = {"databases": databases, "journal": "waiting", "api": {"token": "s3cret"}, "stars": ["x"] * 1_000}
    settings = settings_of(tmp_path, content)
    told = for_workers(settings)
    assert (told.path, told.root, dict(told.content)) == (settings.path, settings.root, {"journal": "waiting"})
    assert told.database().login == settings.database().login and list(told.databases) == ["default"]
    assert b"s3cret" not in pickle.dumps(told) and len(pickle.dumps(told)) < 2_000
    assert for_workers(settings, "archive").database("archive") == settings.database("archive")
