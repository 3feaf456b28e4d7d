"""Models in two databases, and the one session that reaches both."""

from __future__ import annotations

import gc
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    column,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import aliased

from outflow_core import Model, context, engines, record_run
from outflow_core.engines import Engines, make_engine
from outflow_core.errors import BindError, ConfigError, SourceError
from outflow_core.models import Block, Configuration, Run
from outflow_core.routing import bind_of
from outflow_core.session import RoutedSession
from outflow_core.settings import Settings
from outflow_core.states import State
from tests.core.books import POSTGRESQL, SQLITE, configure, entry, grant, make_tables

pytestmark = pytest.mark.filterwarnings("ignore:This declarative base already contains a class")  # one for each test


@dataclass(frozen=True)
class Models:
    """The models of a pipeline."""

    user: Any
    loose: Any


@pytest.fixture
def models() -> Iterator[Models]:
    """What a pipeline person writes; forgotten afterwards, as other tests know no `another_db`."""

    class User(Model):
        __bind_key__ = "another_db"
        id = Column(Integer, primary_key=True)
        username = Column(String(80), unique=True)

    class TableWithoutBind(Model):
        id = Column(Integer, primary_key=True)
        some_field = Column(Integer)

    yield Models(User, TableWithoutBind)
    forget("user", "table_without_bind")


def forget(*names: str) -> None:
    """Take tables out of the metadata that all models share."""
    for name in names:
        if name in Model.metadata.tables:
            Model.metadata.remove(Model.metadata.tables[name])


PAIRS = [(SQLITE, SQLITE), (SQLITE, POSTGRESQL), (POSTGRESQL, SQLITE)]


@pytest.fixture(params=PAIRS, ids=lambda pair: " beside ".join(pair))
def two(request: pytest.FixtureRequest, tmp_path: Path, models: Models) -> Iterator[Settings]:
    """Two databases with the models' tables, open in `context`."""
    default, another = request.param
    databases = {"default": entry(request, default), "another_db": entry(request, another, "another.db")}
    yield from opened(configure(tmp_path, databases))


@pytest.fixture
def two_files(tmp_path: Path, models: Models) -> Iterator[Settings]:
    """Two SQLite files with the models' tables, open in `context`."""
    files = {
        "default": {"dialect": SQLITE, "path": "books.db"},
        "another_db": {"dialect": SQLITE, "path": "another.db"},
    }
    yield from opened(configure(tmp_path, files))


def opened(settings: Settings) -> Iterator[Settings]:
    make_tables(settings.database())
    for key in ("default", "another_db"):
        engine = make_engine(settings.database(key), "admin", create=True)
        wanted = [table for table in Model.metadata.sorted_tables if table.info.get("bind_key", "default") == key]
        Model.metadata.create_all(engine, tables=wanted)
        grant(engine, settings.database(key))
        engine.dispose()
    context.open(settings)
    yield settings
    context.close()


def fill(models: Models) -> None:
    """A row in each database, and a configuration."""
    context.session.add(models.user(username="ada"))
    context.session.add(models.loose(some_field=7))
    context.session.add(Configuration(config={"a": 1}, settings={}, hash="h"))
    context.session.commit()


def tables_of(path: Path | None) -> set[str]:
    """The tables of a SQLite file that hold a row."""
    assert path is not None
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name for name in names if connection.execute(f'SELECT 1 FROM "{name}"').fetchone()}
    connection.close()
    return found


def test_the_lines_that_a_pipeline_person_writes_work(two: Settings, models: Models) -> None:
    fill(models)
    assert context.session.query(models.user.username).all() == [("ada",)]
    assert context.session.query(models.loose.some_field).all() == [(7,)]
    (stored,) = context.session.query(Configuration).all()
    assert (stored.config, stored.hash) == ({"a": 1}, "h")
    asked = context.session.query(Configuration).filter(Configuration.config["a"].as_integer() == 1)
    assert asked.one() is stored


def test_each_row_is_in_the_database_of_its_model(two_files: Settings, models: Models) -> None:
    fill(models)
    assert tables_of(two_files.database().path) == {"table_without_bind", "outflow_configuration"}
    assert tables_of(two_files.database("another_db").path) == {"user"}


def test_objects_can_be_changed_and_deleted_in_both_databases_at_once(two: Settings, models: Models) -> None:
    fill(models)
    context.session.query(models.user).one().username = "grace"
    context.session.delete(context.session.query(models.loose).one())
    context.session.commit()
    assert context.session.query(models.user.username).all() == [("grace",)]
    assert context.session.query(models.loose).all() == []
    assert context.session.get(models.user, 1) is not None


def one_bind_statements(models: Models) -> dict[str, Any]:
    """Statements that stay in `another_db`, however they are written."""
    user, table = models.user, models.user.__table__
    other, part = aliased(user), select(user.id).where(user.id > 0)
    named, inner = part.cte("named"), part.subquery()
    return {
        "entity": select(user),
        "column": select(user.username),
        "core": select(table.c.id),
        "count": select(func.count()).select_from(user),
        "alias": select(other.id),
        "self join": select(user.id).join(other, user.id == other.id),
        "subquery": select(inner.c.id),
        "alias of a subquery": select(inner.alias().c.id),
        "cte": select(named.c.id),
        "exists": select(exists().where(user.id == 1)),
        "scalar": select(part.scalar_subquery()),
        "union": union_all(part, part),
        "in": select(user).where(user.id.in_(part)),
        "insert": insert(user).values(username="x"),
        "update": update(user).values(username="y"),
    }


ONE_BIND = [
    "entity",
    "column",
    "core",
    "count",
    "alias",
    "self join",
    "subquery",
    "alias of a subquery",
    "cte",
    "exists",
]
ONE_BIND += ["scalar", "union", "in", "insert", "update"]


@pytest.mark.parametrize("name", ONE_BIND)
def test_a_statement_finds_its_database_through_whatever_stands_around_the_table(
    two_files: Settings, models: Models, name: str
) -> None:
    statement = one_bind_statements(models)[name]
    assert bind_of(statement) == "another_db"
    context.session.execute(statement)


def spanning_statements(models: Models) -> dict[str, Any]:
    """Statements that no single database can answer."""
    user, loose = models.user, models.loose
    ids = select(loose.id)
    named = ids.cte("named")
    return {
        "product": select(user.id, loose.id),
        "join": select(user).join(loose, user.id == loose.id),
        "where": select(user).where(user.id == loose.id),
        "in": select(user).where(user.id.in_(ids)),
        "exists": select(user).where(exists().where(loose.id == user.id)),
        "scalar": select(user.id, ids.scalar_subquery()),
        "cte": select(user.id).join(named, named.c.id == user.id),
        "subquery": select(user.id, ids.subquery()),
        "alias": select(user.id, aliased(loose).id),
        "union": union_all(select(user.id), ids),
        "insert from select": insert(user).from_select(["id"], ids),
        "update": update(user).where(user.id.in_(ids)).values(username="x"),
        "order by": select(user).order_by(ids.scalar_subquery()),
    }


SPANNING = ["product", "join", "where", "in", "exists", "scalar", "cte", "subquery", "alias", "union"]
SPANNING += ["insert from select", "update", "order by"]


@pytest.mark.parametrize("name", SPANNING)
def test_a_statement_that_spans_two_databases_is_refused_naming_both(
    two_files: Settings, models: Models, name: str
) -> None:
    with pytest.raises(BindError) as caught:
        context.session.execute(spanning_statements(models)[name])
    assert "'user' (bind 'another_db')" in str(caught.value)
    assert "'table_without_bind' (bind 'default')" in str(caught.value)


def test_a_legacy_query_that_spans_two_databases_is_refused_too(two_files: Settings, models: Models) -> None:
    with pytest.raises(BindError, match=r"another_db.*default"):
        context.session.query(models.user).join(models.loose, models.loose.id == models.user.id).all()


def test_raw_sql_goes_where_it_says(two: Settings, models: Models) -> None:
    fill(models)
    asked = context.session.sql('SELECT username FROM "user" WHERE id = :id', bind="another_db", values={"id": 1})
    assert asked.all() == [("ada",)]
    assert context.session.sql("SELECT some_field FROM table_without_bind").all() == [(7,)]


@pytest.mark.parametrize(
    "statement",
    [
        text('SELECT * FROM "user"'),
        text('SELECT id FROM "user"').columns(column("id")),
        select(literal_column("id")).select_from(text('"user"')),
    ],
    ids=["text", "text with columns", "text as a table"],
)
def test_raw_sql_that_does_not_tell_its_database_is_refused(two_files: Settings, statement: Any) -> None:
    with pytest.raises(BindError, match=r"bind=KEY.*known: another_db, default"):
        context.session.execute(statement)


def test_raw_sql_with_one_database_needs_no_bind(tmp_path: Path) -> None:
    settings = configure(tmp_path, {"default": {"dialect": SQLITE, "path": "books.db"}})
    make_tables(settings.database())
    assert RoutedSession(Engines(settings)).execute(text("SELECT 1")).scalar_one() == 1


def test_raw_sql_with_an_unknown_bind_is_refused(two_files: Settings) -> None:
    with pytest.raises(ConfigError, match=r"unknown bind key 'archiv' \(known: another_db, default\)"):
        context.session.sql("SELECT 1", bind="archiv")


def test_an_unknown_bind_key_is_refused_when_the_session_is_made(tmp_path: Path) -> None:
    class Stray(Model):
        __bind_key__ = "nowhere"
        id = Column(Integer, primary_key=True)

    try:
        settings = configure(tmp_path, {"default": {"dialect": SQLITE}})
        with pytest.raises(BindError, match=r"config\.json: .*'stray' wants bind key 'nowhere'.*\(known: default\)"):
            RoutedSession(Engines(settings))
    finally:
        forget("stray")


def clash(**names: Any) -> Callable[[], object]:
    """Declares a model called TableWithoutBind once more."""
    return lambda: type("TableWithoutBind", (Model,), {"id": Column(Integer, primary_key=True), **names})


@pytest.mark.parametrize(
    ("declare", "table"),
    [
        (clash(), "table_without_bind"),
        (clash(__bind_key__="another_db"), "table_without_bind"),
        (clash(__tablename__="user"), "user"),
        (clash(__tablename__="outflow_run"), "outflow_run"),
    ],
    ids=["same class name", "in another bind", "named by hand", "one of Outflow's"],
)
def test_a_table_name_is_taken_once_across_all_databases(models: Models, declare: Any, table: str) -> None:
    before = Model.metadata.tables[table]
    with pytest.raises(BindError, match=rf"the table name '{table}' is taken already.*Set __tablename__"):
        declare()
    assert Model.metadata.tables[table] is before


def test_a_refused_model_can_be_declared_under_another_name(models: Models) -> None:
    with pytest.raises(BindError):
        clash()()
    try:
        made: Any = clash(__tablename__="second_table")()
        assert made.__table__.name == "second_table"
    finally:
        forget("second_table")


def test_a_model_that_adds_no_key_shares_the_table_of_its_parent() -> None:
    class Vehicle(Model):
        id = Column(Integer, primary_key=True)
        kind = Column(String)
        __mapper_args__ = {"polymorphic_on": "kind"}

    class Lorry(Vehicle):
        load = Column(Integer)
        __mapper_args__ = {"polymorphic_identity": "lorry"}

    class Tanker(Vehicle):
        id = Column(Integer, ForeignKey("vehicle.id"), primary_key=True)
        __mapper_args__ = {"polymorphic_identity": "tanker"}

    try:
        assert "lorry" not in Model.metadata.tables
        assert Model.metadata.tables["vehicle"].c.load is not None
        assert {"vehicle", "tanker"} <= Model.metadata.tables.keys()
    finally:
        forget("tanker", "vehicle")


def test_a_plain_table_tells_its_bind_in_its_info(two_files: Settings) -> None:
    plain = Table("plain", Model.metadata, Column("id", Integer), info={"bind_key": "another_db"})
    try:
        assert bind_of(select(plain)) == "another_db"
    finally:
        forget("plain")


def test_sessions_are_made_without_contacting_a_database(tmp_path: Path, models: Models) -> None:
    gone = {"dialect": POSTGRESQL, "address": str(tmp_path), "database": "gone", "user": "me"}
    settings = configure(tmp_path, {"default": {"dialect": SQLITE, "path": "books.db"}, "another_db": gone})
    make_tables(settings.database())
    session = RoutedSession(Engines(settings))
    assert session.query(Configuration).all() == []


def test_a_missing_file_is_an_error_and_no_new_file(tmp_path: Path) -> None:
    settings = configure(tmp_path, {"default": {"dialect": SQLITE, "path": "gone.db"}})
    with pytest.raises(SourceError, match=r"gone\.db: no such database; run 'outflow-db upgrade'"):
        RoutedSession(Engines(settings)).query(Run).all()
    assert not (tmp_path / "gone.db").exists()


def test_the_admin_session_may_do_what_the_user_may_not(
    request: pytest.FixtureRequest, tmp_path: Path, models: Models
) -> None:
    databases = {"default": entry(request, POSTGRESQL), "another_db": {"dialect": SQLITE, "path": "a.db"}}
    context.open(configure(tmp_path, databases))
    try:
        for statement in ("CREATE TABLE made (id int)", "DROP TABLE made", "CREATE TABLE made (id int)"):
            context.admin_session.sql(statement)
        context.admin_session.commit()
        with pytest.raises(ProgrammingError, match="must be owner"):
            context.session.sql("DROP TABLE made")
        context.session.rollback()
        with pytest.raises(ProgrammingError, match="permission denied"):
            context.session.sql("CREATE TABLE other (id int)")
    finally:
        context.close()


def test_an_admin_session_without_an_admin_role_is_refused_in_words(tmp_path: Path, models: Models) -> None:
    plain = {"dialect": POSTGRESQL, "address": str(tmp_path), "database": "d", "user": "me:p"}
    context.open(configure(tmp_path, {"default": plain, "another_db": {"dialect": SQLITE}}))
    try:
        with pytest.raises(BindError, match=r"config\.json: database 'default' has no admin role"):
            context.admin_session.query(Run).all()
    finally:
        context.close()


def test_the_admin_session_of_a_file_is_the_same_file(two_files: Settings, models: Models) -> None:
    fill(models)
    assert context.admin_session.query(models.user.username).all() == [("ada",)]


def test_a_failed_flush_in_one_database_leaves_a_session_that_works_after_rollback(
    two: Settings, models: Models
) -> None:
    fill(models)
    context.session.add(models.user(username="ada"))
    with pytest.raises(IntegrityError):
        context.session.commit()
    context.session.rollback()
    assert context.session.query(models.loose.some_field).all() == [(7,)]


def test_a_session_that_holds_the_file_while_a_task_ends_is_not_waited_for(
    two_files: Settings, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder would wait for a commit that comes when it has waited: what it writes waits instead."""
    monkeypatch.setattr(engines, "BUSY_SECONDS", 1_000)
    with record_run("reduce", config=two_files) as run:
        with run.task("load"):
            context.session.add(models.loose(some_field=1))
            context.session.flush()
        context.session.commit()
    assert [row.state for row in context.session.query(Run)] == [State.SUCCESS]
    assert [row.state for row in context.session.query(Block)] == [State.SUCCESS]


def test_each_thread_has_a_session_of_its_own(two_files: Settings) -> None:
    seen: list[RoutedSession] = []
    threads = [threading.Thread(target=lambda: seen.append(context.session)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(session) for session in [*seen, context.session]}) == 4
    assert context.session is context.session


def test_a_child_process_has_connections_of_its_own(two: Settings, models: Models) -> None:
    fill(models)
    context.session.query(models.user).all()
    child = os.fork()
    if child == 0:
        try:
            context.session.query(models.user).one().username = "child"
            context.session.commit()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    context.session.rollback()
    assert context.session.query(models.user.username).all() == [("child",)]


@pytest.mark.parametrize("use", [lambda settings: context.close(), context.open])
def test_a_child_process_that_opens_or_closes_leaves_its_parents_transaction_alone(
    two: Settings, models: Models, use: Callable[[Settings], object]
) -> None:
    context.session.add_all([models.user(username="ada"), models.loose(some_field=7)])
    context.session.flush()
    child = os.fork()
    if child == 0:
        try:
            use(two)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    context.session.commit()
    assert context.session.query(models.user.username).all() == [("ada",)]
    assert context.session.query(models.loose.some_field).all() == [(7,)]


def test_a_fork_leaves_the_transactions_of_other_threads_alone(two: Settings, models: Models) -> None:
    written, forked = threading.Event(), threading.Event()

    def write() -> None:
        context.session.add_all([models.user(username="ada"), models.loose(some_field=7)])
        context.session.flush()
        written.set()
        forked.wait(20)
        context.session.commit()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(20)
    child = os.fork()
    if child == 0:
        try:
            gc.collect()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    forked.set()
    writer.join()
    assert context.session.query(models.user.username).all() == [("ada",)]
    assert context.session.query(models.loose.some_field).all() == [(7,)]


def test_the_context_finds_its_configuration_when_it_is_first_used(
    two_files: Settings, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(models)
    context.close()
    monkeypatch.setenv("OUTFLOW_CONFIG_PATH", str(two_files.path))
    assert context.session.query(models.user.username).all() == [("ada",)]
    assert context.settings.path == two_files.path
    assert "databases" in context.configuration


def test_opening_another_configuration_gives_another_session(two_files: Settings, tmp_path: Path) -> None:
    before = context.session
    context.open(two_files)
    assert context.session is not before
