"""What hurts in Outflow and must not hurt here: a short demonstration of each, on real databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Column, Integer, String, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from outflow_core import Model, context, load_settings, record_run, tables
from outflow_core.db_cli import main
from outflow_core.engines import Engines, make_engine
from outflow_core.errors import BindError, ConfigError
from outflow_core.masking import MASK
from outflow_core.models import Configuration
from outflow_core.reader import Reader
from outflow_core.schema.upgrades import downgrade, status, upgrade
from outflow_core.session import RoutedSession
from outflow_core.settings import Settings
from outflow_core.stored import stored_config
from tests.core.books import grant
from tests.core.conftest import Postgres, content, write_config

pytestmark = pytest.mark.filterwarnings("ignore:This declarative base already contains a class")

FILE = {"dialect": "sqlite", "path": "archive.db"}
KEYS = ("default", "products", "archive")


@pytest.fixture
def three(postgres: Postgres, postgres_database: dict[str, str], tmp_path: Path) -> Iterator[Settings]:
    """Two databases of one server, and a SQLite file beside them."""
    second = postgres.make_database("pipeadmin", "pipeuser")
    databases = {"default": postgres_database, "products": second, "archive": FILE}
    (tmp_path / "migrations").mkdir()
    yield write_config(tmp_path, databases, migrations="migrations")
    context.close()
    postgres.superuser_sql(f"DROP DATABASE {second['database']} WITH (FORCE)")


@pytest.fixture
def product(three: Settings) -> Iterator[Any]:
    """A model in the second database, and one in the file."""

    class Product(Model):
        __bind_key__ = "products"
        id = Column(Integer, primary_key=True)
        name = Column(String(10), unique=True)

    class Old(Model):
        __bind_key__ = "archive"
        id = Column(Integer, primary_key=True)

    Product.old = Old
    upgrade(three)
    for model in (Product, Old):
        database = three.database(model.__bind_key__)
        engine = make_engine(database, "admin", create=True)
        Model.metadata.create_all(engine, tables=[Model.metadata.tables[model.__tablename__]])
        grant(engine, database)
        engine.dispose()
    context.open(three)
    yield Product
    for name in ("product", "old"):
        Model.metadata.remove(Model.metadata.tables[name])


def rows(settings: Settings, statement: Any) -> list[tuple[Any, ...]]:
    """What a reader of the default database sees."""
    reader = Reader(settings.database())
    try:
        return [tuple(row) for row in reader.rows(statement)]
    finally:
        reader.close()


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return str(caught.value)


def config(folder: Path, text_of_it: str, name: str = "config.yml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text_of_it, encoding="utf-8")
    return path


# bookkeeping shares the user's session


def test_a_failed_flush_in_user_code_is_recorded_and_nothing_stays_running(three: Settings, product: Any) -> None:
    with pytest.raises(IntegrityError):
        with record_run("reduce", config=three) as run, run.task("load"):
            context.session.add_all([product(name="one"), product(name="one")])
            context.session.flush()
    assert rows(three, select(tables.run.c.state).union_all(select(tables.block.c.state))) == [("failed",)] * 2
    assert rows(three, select(tables.runtime_exception.c.exception_type)) == [("IntegrityError",)]


@pytest.mark.parametrize("bind", KEYS)
def test_a_statement_that_fails_in_any_database_is_recorded_too(three: Settings, product: Any, bind: str) -> None:
    with record_run("reduce", config=three) as run:
        with pytest.raises(sqlalchemy.exc.DBAPIError), run.task("broken"):
            context.session.sql("SELECT nothing FROM nowhere", bind=bind)
        with run.task("next"):  # and nobody rolled back
            pass
    found = rows(three, select(tables.block.c.name, tables.block.c.state).order_by(tables.block.c.id))
    assert found == [("broken", "failed"), ("next", "success")]


# includes


def test_includes_are_relative_to_their_file_nested_and_globbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path / "here", "databases: !include secret/databases.yml\nparts: !include parts/*.yml")
    config(tmp_path / "here" / "secret", "default: !include one.yml", "databases.yml")
    config(tmp_path / "here" / "secret", "{dialect: sqlite, path: found.db}", "one.yml")
    config(tmp_path / "here" / "parts", "1", "a.yml")
    monkeypatch.chdir(tmp_path)
    found = load_settings(path.relative_to(tmp_path))
    assert found.database().path == tmp_path / "here" / "found.db" and found.content["parts"] == [1]


def test_a_circle_of_includes_is_named_and_no_url_is_opened(tmp_path: Path) -> None:
    config(tmp_path, "!include config.yml", "other.yml")
    said = refusal(config(tmp_path, "a: !include other.yml"))
    assert "config.yml:1:4: " in said and "circle" in said and "other.yml -> " in said
    assert "not the URL" in refusal(config(tmp_path, "a: !include file:///etc/passwd"))


# passwords


@pytest.mark.parametrize("password", ["p@ss", "p%40ss", ":/?#[]", "' \" \\ é"])
def test_any_password_is_sent_as_it_is(postgres: Postgres, tmp_path: Path, password: str) -> None:
    entry = {"dialect": "postgresql", "address": str(postgres.socket_dir), "database": "postgres"}
    settings = write_config(tmp_path, {"default": {**entry, "user": f"postgres:{password}"}})
    sent = {}

    def note(*arguments: Any) -> None:
        sent.update(arguments[3])

    engine = make_engine(settings.database())
    sqlalchemy.event.listen(engine, "do_connect", note)
    engine.connect().close()
    engine.dispose()
    assert sent["password"] == password


def test_without_a_password_libpq_finds_its_own_way(postgres: Postgres, tmp_path: Path) -> None:
    entry = {"dialect": "postgresql", "address": str(postgres.socket_dir), "database": "postgres", "user": "postgres"}
    settings = write_config(tmp_path, {"default": entry})
    assert RoutedSession(Engines(settings)).sql("SELECT current_user").scalar_one() == "postgres"


# configuration files


def test_a_missing_file_does_not_become_an_empty_database(tmp_path: Path) -> None:
    assert refusal(tmp_path / "config.yml").endswith("config.yml: no such file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text_of_it", "words"),
    [
        ("config.yml", "", "the file is empty"),
        ("config.yml", "databases:", "'databases:' is there, but nothing stands under it"),
        ("config.yml", "a: 1\ndatabases: {default: [\n", "config.yml:3:1: "),
        ("config.json", '{"a": 1,\n "b": }', "config.json:2:7: "),
        ("config.toml", "a = 1\nb = \n", "config.toml:2:5: "),
    ],
)
def test_a_broken_file_is_told_with_its_place(tmp_path: Path, name: str, text_of_it: str, words: str) -> None:
    assert words in refusal(config(tmp_path, text_of_it, name))


def test_a_date_is_kept_and_can_be_recorded(tmp_path: Path) -> None:
    settings = load_settings(config(tmp_path, "night: 2024-05-01\nat: {2024-05-01: 10:30:00}"))
    upgrade(settings)
    with record_run("reduce", config=settings):
        pass
    ((kept,),) = rows(settings, select(tables.configuration.c.config))
    assert kept["night"] == "2024-05-01" and "2024-05-01" in kept["at"]


# masking


def test_only_the_credentials_are_masked_not_every_text_that_equals_them(tmp_path: Path) -> None:
    servers = "databases: {default: {dialect: postgresql, database: d, user: 'reduce:reduce'}}"
    found = load_settings(config(tmp_path, f"{servers}\ncommand: reduce\napi: {{password: reduce}}"))
    stored = stored_config(found)
    assert (stored["command"], stored["api"], "databases" in stored) == ("reduce", {"password": MASK}, False)
    assert "reduce" not in found.database().shown.replace("reduce@", "")


# contact


def test_a_database_is_contacted_when_it_is_first_needed(three: Settings, product: Any, postgres: Postgres) -> None:
    name = three.database("products").database
    ask = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
    with record_run("reduce", config=three), pytest.raises(sqlalchemy.exc.DBAPIError):
        assert context.session.query(Configuration).count() == 1
        assert postgres.superuser_sql(ask) == [(0,)]
        assert context.session.query(product).count() == 0
        assert postgres.superuser_sql(ask) == [(1,)]
        context.session.sql("SELECT 1 / 0", bind="products")


# statements


def test_raw_sql_names_its_bind(three: Settings, product: Any) -> None:
    for key in KEYS:
        assert context.session.sql("SELECT 40 + :n", bind=key, values={"n": 2}).scalar_one() == 42
    with pytest.raises(BindError, match=r"bind=KEY.*known: archive, default, products"):
        context.session.execute(text("SELECT 1"))


def test_a_join_across_two_databases_of_one_server_is_refused_before_it_runs(three: Settings, product: Any) -> None:
    for other in (Configuration, product.old):
        with pytest.raises(BindError, match=r"'product' \(bind 'products'\)"):
            context.session.query(product).join(other, other.id == product.id).all()


def test_an_unknown_bind_key_shows_when_the_session_is_made(three: Settings) -> None:
    class Stray(Model):
        __bind_key__ = "archiv"
        id = Column(Integer, primary_key=True)

    try:
        with pytest.raises(BindError, match=r"'stray' wants bind key 'archiv'.*known: archive, default, products"):
            RoutedSession(Engines(three))
    finally:
        Model.metadata.remove(Model.metadata.tables["stray"])


# migrations


def migration(folder: Path, key: str, table: str) -> None:
    """A script of the pipeline's own that makes one table."""
    config(
        folder / "migrations" / key,
        f"from alembic import op\nfrom sqlalchemy import Column, Integer\nrevision = {table!r}\ndown_revision = None\n"
        f"def upgrade():\n    op.create_table({table!r}, Column('id', Integer, primary_key=True))\n"
        f"def downgrade():\n    op.drop_table({table!r})\n",
        f"{table}.py",
    )


def test_one_upgrade_is_for_all_binds_and_reports_each(three: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    for key in ("products", "archive"):
        migration(three.root, key, f"star_{key}")
    assert main(["upgrade", "--config", str(three.path)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(KEYS)
    assert "outflow_run" in content(three) and "star_products" in content(three, "products")
    assert "star_archive" in content(three, "archive")


def test_the_other_verbs_work_on_both_dialects(three: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    for key in ("products", "archive"):
        migration(three.root, key, f"star_{key}")
    upgrade(three)
    for verb in ("status", "history", "sql"):
        assert main([verb, "--config", str(three.path)]) == 0, verb
    assert [report.words for report in status(three)] == ["up to date"] * 3
    for key in KEYS:
        assert main(["downgrade", "base", "--yes", "--bind", key, "--config", str(three.path)]) == 0
        assert content(three, key) == {}
    assert downgrade(three, "default", "base").after == ()
    capsys.readouterr()


# grants


def test_rights_are_given_to_quoted_names_in_any_schema_and_for_later_tables(
    postgres: Postgres, tmp_path: Path
) -> None:
    entry = postgres.make_database('the "admin"', "the 'user'")
    settings = write_config(tmp_path, {"default": {**entry, "schema": 'my "books"'}})
    upgrade(settings)
    with record_run("reduce", config=settings):
        pass
    admin, user = (make_engine(settings.database(), role) for role in ("admin", "user"))
    with admin.begin() as connection:
        connection.execute(text("CREATE TABLE later (id SERIAL, name TEXT)"))
    with user.begin() as connection:
        connection.execute(text("INSERT INTO later (name) VALUES ('x')"))
        assert connection.execute(text("SELECT name FROM later")).scalar_one() == "x"
    for statement in ("DROP TABLE later", "TRUNCATE later", "CREATE TABLE own (id INT)"):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), user.begin() as connection:
            connection.execute(text(statement))
    for engine in (admin, user):
        engine.dispose()
    postgres.superuser_sql(f"DROP DATABASE {entry['database']} WITH (FORCE)")


# SQLAlchemy


def test_it_runs_on_sqlalchemy_2() -> None:
    assert sqlalchemy.__version__.startswith("2.")
