"""Migrations written from a pipeline's models, and what the models and a database disagree on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from outflow_core.errors import BindError, ConfigError
from outflow_core.schema.autogenerate import write_revisions
from outflow_core.schema.model_check import check
from outflow_core.schema.owner import changing
from outflow_core.schema.reports import RevisionReport
from outflow_core.schema.upgrades import downgrade, upgrade
from outflow_core.settings import Settings
from tests.core.conftest import content, write_config
from tests.core.model_modules import Pipeline, pipeline

__all__ = ["pipeline"]

SQLITE = {"dialect": "sqlite", "path": "outflow.db"}
ARCHIVE = {"dialect": "sqlite", "path": "archive.db"}
STAR = """class Star(Model):
    id = Column(Integer, primary_key=True)
    name = Column(String(80), unique=True)
    kind = Column(Enum("giant", "dwarf", name="star_kind"))
    notes = Column(JSON().with_variant(JSONB(), "postgresql"))
    run_id = Column(Integer, ForeignKey("outflow_run.id"), index=True)
"""
PLANET = """class Planet(Model):
    __bind_key__ = "archive"
    id = Column(Integer, primary_key=True)
"""


def one(settings: Settings, models: list[str], message: str = "stars") -> RevisionReport:
    """What `revision` says of the default database."""
    (report,) = write_revisions(settings, message, "default", models)
    return report


def written(report: RevisionReport) -> Path:
    """The script of a report that has one."""
    assert report.script is not None, report.words
    return report.script


def own_tables(settings: Settings) -> set[str]:
    """The tables of the default database that are not part of the books."""
    return {name for name in content(settings) if not name.startswith(("outflow_", "alembic_version"))}


@pytest.fixture
def settings(any_database: dict[str, str], tmp_path: Path) -> Settings:
    """An upgraded database, and a directory for the pipeline's own migrations that is not made yet."""
    upgrade(write_config(tmp_path, {"default": any_database}))
    return write_config(tmp_path, {"default": any_database}, migrations="own")


def test_a_models_table_is_made_by_the_revision_and_taken_away_again(settings: Settings, pipeline: Pipeline) -> None:
    models = pipeline.has_models(STAR)
    script = written(one(settings, models))
    assert script.parent == settings.root / "own" / "default"
    assert not upgrade(settings)[0].is_trouble
    assert own_tables(settings) == {"star"}
    assert check(settings, models=models)[0].differences == ()
    for _ in range(2):  # twice, because a type that stayed behind would be in the way
        downgrade(settings, "default", "base")
        assert content(settings) == {}
        assert not upgrade(settings)[0].is_trouble
    assert own_tables(settings) == {"star"}


def test_nothing_to_do_is_said_and_makes_no_file(settings: Settings, pipeline: Pipeline) -> None:
    models = pipeline.has_models(STAR)
    one(settings, models)
    upgrade(settings)
    before = sorted((settings.root / "own").rglob("*.py"))
    report = one(settings, models)
    assert (report.script, report.words) == (None, "as the models say, nothing to do")
    assert sorted((settings.root / "own").rglob("*.py")) == before


def test_a_changed_model_is_followed_and_rows_stay(settings: Settings, pipeline: Pipeline) -> None:
    one(settings, pipeline.has_models(STAR))
    upgrade(settings)
    with changing(settings.database()) as connection:
        connection.execute(text("INSERT INTO star (id, name) VALUES (1, 'Vega')"))
    changed = STAR.replace("String(80), unique=True", "String(90), nullable=False")
    models = pipeline.has_models(changed + '    near_id = Column(Integer, ForeignKey("star.id"), unique=True)\n')
    told = " ".join(check(settings, models=models)[0].differences)
    for phrase in ("column star.near_id is missing", "star.name: nullable", "VARCHAR(90)", "fk_star_near_id"):
        assert phrase in told
    second = written(one(settings, models, "wider names"))
    assert second.name.endswith("_wider_names.py")
    (report,) = upgrade(settings)
    assert not report.is_trouble, report.words
    assert check(settings, models=models)[0].differences == ()
    with changing(settings.database()) as connection:
        assert connection.execute(text("SELECT id, name, near_id FROM star")).all() == [(1, "Vega", None)]


def test_a_type_of_several_columns_is_made_once_and_dropped_with_the_last(
    settings: Settings, pipeline: Pipeline
) -> None:
    star = "class Star(Model):\n    id = Column(Integer, primary_key=True)\n"
    kind = """    kind = Column(Enum("giant", "o'dd", "50%", name="Kind's"))\n"""
    for body in (star, star + kind, star + kind + "\n\n" + (star + kind).replace("Star", "Moon")):
        models = pipeline.has_models(body)
        written(one(settings, models))
        (report,) = upgrade(settings)
        assert not report.is_trouble, report.words
        assert check(settings, models=models)[0].differences == ()
    with changing(settings.database()) as connection:
        connection.execute(text("INSERT INTO moon VALUES (1, '50%')"))
    downgrade(settings, "default", "base")
    assert not upgrade(settings)[0].is_trouble


def test_tables_that_the_models_do_not_know_are_left_alone(settings: Settings, pipeline: Pipeline) -> None:
    with changing(settings.database()) as connection:
        connection.execute(text("CREATE TABLE catalog (id INTEGER)"))
        connection.execute(text("ALTER TABLE outflow_run ADD COLUMN extra INTEGER"))
    script = written(one(settings, pipeline.has_models(STAR))).read_text()
    assert "catalog" not in script and "drop_column" not in script
    assert script.count("op.create_table(") == 1 and "outflow_core" not in script
    upgrade(settings)
    models = pipeline.has_models(PLANET.replace('"archive"', '"default"'))
    script = written(one(settings, models, "planets")).read_text()
    assert "star" not in script and "planet" in script


def test_the_script_imports_nothing_of_ours_nor_of_the_pipeline(settings: Settings, pipeline: Pipeline) -> None:
    body = "class Short(TypeDecorator):\n    impl = String(7)\n    cache_ok = True\n\n\n"
    models = pipeline.has_models(body + STAR.replace("String(80)", "Short()"))
    script = written(one(settings, models))
    lines = [line for line in script.read_text().splitlines() if line.startswith(("import", "from"))]
    assert set(lines) == {
        "from __future__ import annotations",
        "import sqlalchemy as sa",
        "from alembic import op",
        "from sqlalchemy.dialects import postgresql",
    }
    assert "sa.String(length=7)" in script.read_text()
    assert "bind_key" not in script.read_text()


def test_a_message_is_text_and_no_code(settings: Settings, pipeline: Pipeline) -> None:
    message = 'end """ + \\ "'
    compile(written(one(settings, pipeline.has_models(STAR), message)).read_text(), "script", "exec")
    assert not upgrade(settings)[0].is_trouble


def test_two_branches_of_the_pipelines_code_are_joined_by_the_next_revision(
    settings: Settings, pipeline: Pipeline
) -> None:
    models = pipeline.has_models(STAR)
    first, other = written(one(settings, models)), settings.root / "own" / "default" / "other.py"
    other.write_text(
        "revision = 'other'\ndown_revision = None\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
    )
    upgrade(settings)
    models = pipeline.has_models(STAR + "    size = Column(Integer)\n")
    script = written(one(settings, models, "join")).read_text()
    joined = next(line for line in script.splitlines() if line.startswith("down_revision"))
    assert "'other'" in joined and repr(first.name.partition("_")[0]) in joined
    assert not upgrade(settings)[0].is_trouble
    assert check(settings, models=models)[0].differences == ()


def test_each_bind_gets_its_own_models(tmp_path: Path, pipeline: Pipeline) -> None:
    settings = write_config(tmp_path, {"default": SQLITE, "archive": ARCHIVE}, migrations="own/deep")
    models = pipeline.has_models(STAR + "\n\n" + PLANET)
    reports = write_revisions(settings, "first", None, models)
    assert [report.is_trouble for report in reports] == [True, False]
    assert "no file yet; run 'outflow-db upgrade' first" in reports[0].words
    assert written(reports[1]).parent == tmp_path / "own" / "deep" / "archive"
    upgrade(settings)
    reports = write_revisions(settings, "second", None, models)
    assert written(reports[0]).parent == tmp_path / "own" / "deep" / "default"
    assert reports[1].words == "as the models say, nothing to do"
    upgrade(settings)
    assert {"planet", "outflow_core_version"} == set(content(settings, "archive"))


def test_a_table_without_a_class_takes_part(settings: Settings, pipeline: Pipeline) -> None:
    models = pipeline.has_models('near = Table("near", Model.metadata, Column("a", Integer), Column("b", Integer))\n')
    assert '"near"' in written(one(settings, models)).read_text().replace("'", '"')


def test_what_is_missing_in_the_configuration_is_named(
    any_database: dict[str, str], tmp_path: Path, pipeline: Pipeline
) -> None:
    settings = write_config(tmp_path, {"default": any_database})
    with pytest.raises(ConfigError, match=r"config.yml: 'migrations' is missing; add 'migrations: my_migrations'"):
        write_revisions(settings, "m", None, pipeline.has_models(STAR))
    settings = write_config(tmp_path, {"default": any_database}, migrations="own")
    with pytest.raises(ConfigError, match="'models' is missing; add 'models:"):
        write_revisions(settings, "m")
    settings = write_config(tmp_path, {"default": any_database}, migrations="own", models={"a": 1})
    with pytest.raises(ConfigError, match="'models' must be a list of modules"):
        write_revisions(settings, "m")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1", "there is no Model in survey_"),
        (PLANET, "unknown bind key 'archive'"),
    ],
)
def test_modules_that_cannot_be_used_are_told_in_words(
    settings: Settings, pipeline: Pipeline, body: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        write_revisions(settings, "m", None, pipeline.has_models(body))


def test_a_model_that_takes_a_name_of_the_books_is_refused(settings: Settings, pipeline: Pipeline) -> None:
    models = pipeline.has_models(STAR.replace("(Model):\n", '(Model):\n    __tablename__ = "outflow_star"\n'))
    with pytest.raises(BindError, match="'outflow_star'"):
        check(settings, models=models)


def test_check_tells_what_is_due_before_what_differs(settings: Settings, pipeline: Pipeline) -> None:
    models = pipeline.has_models(STAR)
    (found,) = check(settings, models=models)
    assert found.is_trouble and "'migrations' names" in found.words
    (settings.root / "own").mkdir()
    assert check(settings)[0].words == "up to date; it has no models to compare"
    assert "table star is missing" in check(settings, models=models)[0].differences
    one(settings, models)
    assert check(settings, models=models)[0].differences == ("needs upgrade: run 'outflow-db upgrade'",)
    upgrade(settings)
    assert check(settings, models=models)[0].words == "as the models say"


def test_the_verbs_find_the_models_in_the_pipelines_directory(any_database: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "survey").mkdir()
    (tmp_path / "survey" / "__init__.py").touch()
    head = "from sqlalchemy import *\nfrom outflow_core import Model\n\n\n"
    (tmp_path / "survey" / "models.py").write_text(
        head + STAR.replace('JSON().with_variant(JSONB(), "postgresql")', "JSON")
    )
    write_config(tmp_path, {"default": any_database}, migrations="own", models=["survey.models"])
    (tmp_path / "own").mkdir()
    (tmp_path / "elsewhere").mkdir()

    def run(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "outflow_core.db_cli", *words, "--config", str(tmp_path / "config.yml")]
        answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "elsewhere")
        return answer.returncode, answer.stdout + answer.stderr

    assert run("check")[0] == 1
    assert run("upgrade")[0] == 0
    code, told = run("check")
    assert code == 1 and "default: table star is missing" in told
    code, told = run("revision", "-m", "stars")
    assert code == 0 and told.startswith("default  wrote ") and len(told.splitlines()) == 1
    assert run("upgrade")[0] == 0
    code, told = run("check")
    assert code == 0 and "as the models say" in told
    assert run("check", "--models", "nowhere")[0] == 2
