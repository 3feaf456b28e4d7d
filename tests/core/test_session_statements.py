"""Models with everything that SQLAlchemy offers, in two databases, and the statements that one session runs on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    column,
    delete,
    exists,
    func,
    insert,
    inspect,
    select,
    table,
    text,
    union,
    update,
    values,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    Mapped,
    MappedAsDataclass,
    aliased,
    column_property,
    configure_mappers,
    foreign,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
    with_loader_criteria,
)

from outflow_core import Model, context
from outflow_core.engines import make_engine
from outflow_core.errors import BindError, ConfigError
from outflow_core.homes import bind_key_of
from outflow_core.models import Configuration, Run
from outflow_core.routing import bind_of
from outflow_core.settings import Settings, load_settings
from tests.core.books import POSTGRESQL, SQLITE, configure, entry, grant, make_tables

pytestmark = pytest.mark.filterwarnings("ignore:This declarative base already contains a class")


class Signed:
    """A mixin: its bind and its column."""

    __bind_key__ = "library"
    signed_by: Mapped[str | None]


@dataclass(frozen=True)
class Models:
    """The models of a library, and notes in the default database."""

    writer: Any
    tome: Any
    label: Any
    tome_label: Table
    loan: Any
    note: Any
    summary: Any


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    """Typed columns, relationships, an association table, dataclasses, mixins; forgotten afterwards."""
    before = set(Model.metadata.tables)
    tome_label = Table(
        "tome_label",
        Model.metadata,
        Column("tome_id", ForeignKey("tome.id"), primary_key=True),
        Column("label_id", ForeignKey("label.id"), primary_key=True),
    )

    class InLibrary(Model):
        __abstract__ = True
        __bind_key__ = "library"

    class Writer(InLibrary):
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(80))
        tomes: Mapped[list[Any]] = relationship("Tome", back_populates="writer", cascade="all, delete-orphan")

        @hybrid_property
        def loud(self) -> Any:
            return self.name + "!"

    class Tome(Model, Signed):
        __table_args__ = (UniqueConstraint("title"), {"comment": "bound"})
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]
        writer_id: Mapped[int | None] = mapped_column(ForeignKey("writer.id"))
        writer: Mapped[Any] = relationship("Writer", back_populates="tomes")
        labels: Mapped[list[Any]] = relationship("Label", secondary=tome_label)

    class Label(InLibrary):
        id: Mapped[int] = mapped_column(primary_key=True)
        word: Mapped[str]

    class Loan(MappedAsDataclass, InLibrary):
        id: Mapped[int] = mapped_column(primary_key=True, init=False)
        days: Mapped[int] = mapped_column(default=14)

    class Note(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        tome_id: Mapped[int]
        tome: Mapped[Any] = relationship(
            Tome, primaryjoin=lambda: foreign(Note.tome_id) == Tome.id, lazy="joined", viewonly=True
        )

    class Summary(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        tomes = column_property(select(func.count(Tome.id)).scalar_subquery())

    configure_mappers()
    yield Models(Writer, Tome, Label, tome_label, Loan, Note, Summary)
    for name in set(Model.metadata.tables) - before:
        Model.metadata.remove(Model.metadata.tables[name])


PAIRS = [(SQLITE, SQLITE), (SQLITE, POSTGRESQL), (POSTGRESQL, SQLITE)]


@pytest.fixture(params=PAIRS, ids=lambda pair: " beside ".join(pair))
def library(request: pytest.FixtureRequest, tmp_path: Path, models: Models) -> Iterator[Settings]:
    """Two databases with the models' tables and some rows, open in `context`."""
    default, other = request.param
    databases = {"default": entry(request, default), "library": entry(request, other, "library.db")}
    settings = configure(tmp_path, databases)
    make_tables(settings.database())
    for key in databases:
        engine = make_engine(settings.database(key), "admin", create=True)
        own = [known for known in Model.metadata.sorted_tables if bind_key_of(known) == key]
        Model.metadata.create_all(engine, tables=own)
        grant(engine, settings.database(key))
        engine.dispose()
    context.open(settings)
    m = models
    tomes = [m.tome(title="first", labels=[m.label(word="blue")]), m.tome(title="second", signed_by="ada")]
    context.session.add_all([m.writer(name="ada", tomes=tomes), m.note(tome_id=1), m.loan()])
    context.session.commit()
    yield settings
    context.close()


# SQLAlchemy's own features


def test_relationships_load_in_every_way(library: Settings, models: Models) -> None:
    session = context.session
    for way in (lazyload, joinedload, selectinload, subqueryload):
        (writer,) = session.scalars(select(models.writer).options(way(models.writer.tomes))).unique()
        assert [tome.title for tome in writer.tomes] == ["first", "second"]
        session.expunge_all()
    (first,) = session.scalars(select(models.tome).where(models.tome.labels.any(word="blue")))
    assert (first.writer.name, [label.word for label in first.labels]) == ("ada", ["blue"])


def test_an_association_table_lives_where_its_foreign_keys_lead(library: Settings, models: Models) -> None:
    assert bind_key_of(models.tome_label) == "library"
    assert context.session.execute(select(models.tome_label)).all() == [(1, 1)]


def test_hybrids_dataclasses_mixins_and_table_arguments_work(library: Settings, models: Models) -> None:
    session = context.session
    assert session.scalars(select(models.writer.loud)).all() == ["ada!"]
    assert (models.loan(days=3).days, session.scalars(select(models.loan.days)).all()) == (3, [14])
    assert session.scalars(select(models.tome.signed_by).order_by(models.tome.id)).all() == [None, "ada"]
    unique = inspect(session.get_bind(models.tome)).get_unique_constraints("tome")
    assert [constraint["column_names"] for constraint in unique] == [["title"]]


def test_a_cascade_reaches_the_children(library: Settings, models: Models) -> None:
    context.session.execute(delete(models.tome_label))
    context.session.delete(context.session.scalars(select(models.writer)).one())
    context.session.commit()
    assert context.session.scalar(select(func.count()).select_from(models.tome)) == 0


# statements of one database

Ask = Callable[[Any, Models], Any]

READS: dict[str, tuple[Ask, Any]] = {
    "entity from text": (
        lambda s, m: s.scalars(select(m.writer.name).from_statement(text("SELECT name FROM writer"))).all(),
        ["ada"],
    ),
    "text in where": (lambda s, m: s.scalars(select(m.tome.title).where(text("id > 1"))).all(), ["second"]),
    "text with a mapper": (
        lambda s, m: s.execute(text("SELECT name FROM writer"), bind_arguments={"mapper": m.writer}).scalars().all(),
        ["ada"],
    ),
    "a table by its name": (lambda s, m: s.scalars(select(column("name")).select_from(table("writer"))).all(), ["ada"]),
    "recursive cte": (
        lambda s, m: s.scalars(
            select(
                (c := select(m.writer.id).cte("c", recursive=True)).union_all(select(c.c.id + 1).where(c.c.id < 3)).c.id
            )
        ).all(),
        [1, 2, 3],
    ),
    "union as entities": (
        lambda s, m: len(s.scalars(select(m.tome).from_statement(union(select(m.tome), select(m.tome)))).all()),
        2,
    ),
    "alias of a subquery": (
        lambda s, m: s.scalars(select(aliased(m.tome, select(m.tome).subquery()).title)).all(),
        ["first", "second"],
    ),
    "legacy exists": (lambda s, m: s.query(s.query(m.tome).exists()).scalar(), True),
    "legacy count": (lambda s, m: s.query(m.tome).filter(m.tome.writer.has(name="ada")).count(), 2),
    "no table at all": (lambda s, m: s.scalar(select(func.abs(-1))), 1),
    "in slices": (lambda s, m: len(list(s.scalars(select(m.tome).execution_options(yield_per=1)))), 2),
    "its connection": (
        lambda s, m: s.connection(bind_arguments={"bind_key": "library"}).execute(select(m.writer.name)).all(),
        [("ada",)],
    ),
}


@pytest.mark.parametrize("name", READS)
def test_a_question_is_answered_by_the_database_of_its_tables(library: Settings, models: Models, name: str) -> None:
    ask, answer = READS[name]
    assert ask(context.session, models) == answer


DAYS = [{"days": number} for number in range(1200)]  # more than one batch of insertmanyvalues

WRITES: dict[str, Ask] = {
    "bulk_save_objects": lambda s, m: s.bulk_save_objects([m.loan(days=day["days"]) for day in DAYS]),
    "bulk_insert_mappings": lambda s, m: s.bulk_insert_mappings(m.loan, DAYS),
    "add_all": lambda s, m: s.add_all([m.loan(days=day["days"]) for day in DAYS]),
    "insert of a model": lambda s, m: s.execute(insert(m.loan), DAYS),
    "insert of a table": lambda s, m: s.execute(insert(m.loan.__table__), DAYS),
    "insert returning objects": lambda s, m: s.scalars(insert(m.loan).returning(m.loan), DAYS).all(),
    "insert of rows": lambda s, m: s.execute(insert(m.loan).values(DAYS)),
    "insert from select": lambda s, m: (
        s.execute(
            insert(m.loan).from_select(
                ["days"], select(values(column("d", Integer), name="v").data([(d["days"],) for d in DAYS]).c.d)
            )
        )
        if s.get_bind(m.loan).dialect.name == "postgresql"
        else s.execute(insert(m.loan), DAYS)
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_rows_in_bulk_go_where_their_model_lives(library: Settings, models: Models, name: str) -> None:
    WRITES[name](context.session, models)
    context.session.commit()
    assert context.session.scalar(select(func.count()).select_from(models.loan)) == 1 + len(DAYS)


CHANGES: dict[str, Ask] = {
    "update": lambda s, m: s.execute(update(m.loan).where(m.loan.days == 14).values(days=m.loan.days + 1)),
    "update by primary key": lambda s, m: s.execute(update(m.loan), [{"id": 1, "days": 15}]),
    "bulk_update_mappings": lambda s, m: s.bulk_update_mappings(m.loan, [{"id": 1, "days": 15}]),
    "legacy update": lambda s, m: s.query(m.loan).update({"days": 15}),
    "merge": lambda s, m: setattr(s.get_one(m.loan, 1), "days", 15),
    "update of a table": lambda s, m: s.execute(m.loan.__table__.update().values(days=15)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_rows_are_changed_where_their_model_lives(library: Settings, models: Models, name: str) -> None:
    CHANGES[name](context.session, models)
    context.session.commit()
    assert context.session.scalars(select(models.loan.days)).all() == [15]


@pytest.mark.parametrize("erase", [lambda s, m: s.execute(delete(m.loan)), lambda s, m: s.query(m.loan).delete()])
def test_rows_are_deleted_where_their_model_lives(library: Settings, models: Models, erase: Ask) -> None:
    erase(context.session, models)
    context.session.commit()
    assert context.session.scalars(select(models.loan.days)).all() == []


# statements that span

SPANNING: dict[str, Ask] = {
    "relationship, joined by the model": lambda s, m: s.scalars(select(m.note)).all(),
    "relationship, joined by get": lambda s, m: s.get(m.note, 1),
    "relationship, joined by an option": lambda s, m: s.scalars(select(m.note).options(joinedload(m.note.tome))).all(),
    "relationship, by subquery": lambda s, m: s.scalars(select(m.note).options(subqueryload(m.note.tome))).all(),
    "relationship, as a join": lambda s, m: s.execute(select(m.note.id).join(m.note.tome)).all(),
    "relationship, has": lambda s, m: s.execute(select(m.note.id).where(m.note.tome.has())).all(),
    "column property": lambda s, m: s.scalars(select(m.summary)).all(),
    "column property in a union": lambda s, m: s.execute(union(select(m.summary.id, m.summary.tomes))).all(),
    "criteria": lambda s, m: s.scalars(
        select(m.writer).options(with_loader_criteria(m.writer, m.writer.id.in_(select(m.note.id))))
    ).all(),
    "subquery as a column": lambda s, m: s.execute(select(m.writer.id, select(m.note.id).scalar_subquery())).all(),
    "exists": lambda s, m: s.execute(select(m.writer.id).where(exists(select(m.note.id)))).all(),
    "update where exists": lambda s, m: s.execute(update(m.loan).where(exists(select(m.note.id))).values(days=1)),
    "update with a subquery": lambda s, m: s.execute(update(m.loan).values(days=select(m.note.id).scalar_subquery())),
    "delete in": lambda s, m: s.execute(delete(m.loan).where(m.loan.id.in_(select(m.note.id)))),
    "insert of a row with a subquery": lambda s, m: s.execute(
        insert(m.loan).values([{"days": select(func.max(m.note.id)).scalar_subquery()}])
    ),
    "an object with a subquery": lambda s, m: (
        s.add(m.loan(days=select(func.max(m.note.id)).scalar_subquery())),
        s.flush(),
    ),
    "a connection of the other": lambda s, m: s.connection().execute(select(m.writer.id)),
    "an insert by a connection of the other": lambda s, m: s.connection().execute(insert(m.writer), [{"name": "x"}]),
    "a bind that is wrong": lambda s, m: s.execute(select(m.writer.id), bind_arguments={"bind_key": "default"}),
}


@pytest.mark.parametrize("name", SPANNING)
def test_a_statement_that_spans_binds_is_refused_with_both_names(library: Settings, models: Models, name: str) -> None:
    with pytest.raises(BindError) as caught:
        SPANNING[name](context.session, models)
    assert "cannot reach two databases" in str(caught.value)
    assert "'default'" in str(caught.value) and "'library'" in str(caught.value)
    context.session.rollback()
    assert context.session.scalars(select(models.loan.days)).all() == [14]


def test_a_relationship_between_databases_works_when_it_is_loaded_by_statements_of_its_own(
    library: Settings, models: Models
) -> None:
    session, tome = context.session, models.note.tome
    for way in (lazyload, selectinload):
        (note,) = session.scalars(select(models.note).options(way(tome)))
        assert note.tome.title == "first"
        session.expunge_all()


def test_a_table_of_nobodys_is_no_reason_to_refuse(library: Settings, models: Models) -> None:
    scratch = Table("scratch", MetaData(), Column("id", Integer))
    together = select(models.writer.name).join(scratch, scratch.c.id == models.writer.id)
    assert bind_of(together) == "library"
    context.session.sql("CREATE TEMPORARY TABLE scratch (id int)", bind="library")
    assert context.session.execute(together).all() == []


# models that are refused when they are made


def made(name: str, *bases: Any, **body: Any) -> Any:
    """Declares a class, as a `class` statement does."""
    return type(name, bases or (Model,), {"id": Column(Integer, primary_key=True), **body})


def other_table(**options: Any) -> Table:
    return Table("elsewhere", MetaData(), Column("id", Integer, primary_key=True), **options)


REFUSED: dict[str, tuple[Callable[[Models], Any], str]] = {
    "a table that has a model": (
        lambda m: type("Again", (Model,), {"__table__": m.writer.__table__}),
        r"Again: the table 'writer' has a model already",
    ),
    "one of Outflow's": (
        lambda m: type("Again", (Model,), {"__table__": Run.__table__}),
        r"'outflow_run' has a model already",
    ),
    "a table of another bind": (
        lambda m: type("Off", (Model,), {"__bind_key__": "default", "__table__": other_table(info={"bind_key": "x"})}),
        r"Off: __bind_key__ is 'default', but its table 'elsewhere' lives in bind 'x'",
    ),
    "a child in another bind": (
        lambda m: made("Poet", m.writer, __bind_key__="default", id=Column(ForeignKey("writer.id"), primary_key=True)),
        r"Poet: __bind_key__ is 'default', but its table 'writer' lives in bind 'library'; a model and its parents",
    ),
    "another case of a name": (
        lambda m: made("Other", __tablename__="WRITER"),
        r"the table name 'WRITER' is taken already, in bind 'library'",
    ),
    "a name taken behind other metadata": (
        lambda m: made("Writer", type("Apart", (Model,), {"__abstract__": True, "metadata": MetaData()})),
        r"the table name 'writer' is taken already",
    ),
    "a bind key that is no text": (lambda m: made("Odd", __bind_key__=None), r"__bind_key__ must be the text of a key"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_cannot_work_is_refused_when_it_is_made(models: Models, name: str) -> None:
    declare, words = REFUSED[name]
    before = set(Model.metadata.tables)
    with pytest.raises(BindError, match=words):
        declare(models)
    assert set(Model.metadata.tables) == before


def test_an_association_between_databases_is_refused_when_the_session_is_made(
    library: Settings, models: Models
) -> None:
    keys: list[Column[Any]] = [Column("a", ForeignKey("writer.id")), Column("b", ForeignKey("note.id"))]
    between = Table("between", Model.metadata, *keys)
    try:
        context.open(library)
        with pytest.raises(BindError, match=r"foreign keys of the table 'between' lead into two databases"):
            _ = context.session
    finally:
        Model.metadata.remove(between)


def test_a_model_made_after_the_session_is_refused_at_its_first_query(library: Settings) -> None:
    late = made("LateModel", __bind_key__="archive")
    try:
        with pytest.raises(ConfigError, match=r"unknown bind key 'archive' \(known: default, library\)"):
            context.session.query(late).all()
    finally:
        Model.metadata.remove(late.__table__)


# lazily, in threads, in processes


def test_a_dead_database_harms_nobody_else(tmp_path: Path, models: Models) -> None:
    dead = {"dialect": POSTGRESQL, "address": str(tmp_path), "database": "d", "user": "me"}
    settings = configure(tmp_path, {"default": {"dialect": SQLITE, "path": "books.db"}, "library": dead})
    make_tables(settings.database())
    context.open(settings)
    try:
        with pytest.raises(Exception, match="connection to server"):
            context.session.scalars(select(models.writer)).all()
        assert context.session.query(Configuration).all() == []
    finally:
        context.close()


def test_threads_write_side_by_side(library: Settings, models: Models) -> None:
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        barrier.wait(20)
        context.session.add(models.loan(days=number))
        context.session.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    days = context.session.scalars(select(models.loan.days).order_by(models.loan.days)).all()
    assert days == [0, 1, 2, 3, 14]


def configuration_in_worker(path: str, number: int) -> int:
    """What a worker process does: it opens the configuration by itself, and writes."""
    context.open(load_settings(path))
    context.session.add(Configuration(config={"n": number}, settings={}, hash=f"h{number}"))
    context.session.commit()
    return context.session.query(Configuration).count()


@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_pools_of_processes_write_side_by_side(
    request: pytest.FixtureRequest, tmp_path: Path, method: str, dialect: str
) -> None:
    other = {"dialect": SQLITE, "path": "library.db"}
    settings = configure(tmp_path, {"default": entry(request, dialect), "library": other})
    make_tables(settings.database())
    context.open(settings)
    try:
        assert context.session.query(Configuration).count() == 0  # a connection that a fork would share
        with ProcessPoolExecutor(2, mp_context=get_context(method)) as pool:
            list(pool.map(configuration_in_worker, [str(settings.path)] * 4, range(4)))
        context.session.rollback()
        assert context.session.query(Configuration).count() == 4
    finally:
        context.close()
