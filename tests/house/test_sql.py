"""No value is formatted into SQL: what comes from outside is a parameter or a quoted name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.formatted_sql import formatted

ROOT = Path(__file__).parents[2]
FILES = [file for room in ("outflow_core", "outflow_tui", "migrations") for file in sorted((ROOT / room).rglob("*.py"))]
EXCEPTIONS = {
    ("outflow_core/schema/indexes.py", "name"): "a key of the constant INDEXES",
    ("outflow_core/schema/indexes.py", "INDEXES[name]"): "a constant",
    ("outflow_core/schema/offline_sql.py", "table"): "one of the constant READ_ONLY_TABLES, by an intersection with it",
    ("outflow_core/block_codes.py", "value"): "a state, a type, or the name TOP_LEVEL: words of the program's own",
    ("outflow_core/heartbeat.py", "usual"): "a number that SQLite itself told just before; a PRAGMA takes no parameter",
    ("outflow_core/schema/grants.py", "mark"): "one of $outflow_grants1$, 2 ...: what ends a text and is not in it",
    (
        "outflow_core/schema/grants.py",
        "_PARAMETER.sub(lambda found: values[found[0]], question)",
    ): "a constant in which :role and :kept become quoted texts",
    ("outflow_core/schema/operations.py", "values"): "quoted texts, joined by commas",
    ("outflow_core/schema/roles.py", "rights"): "one of two words that stand there",
    ("outflow_core/schema/roles.py", "secret"): "a password as SQL wants it, hashed or a placeholder",
    ("outflow_core/shapes.py", "process.name"): "the constant name of a table",
    ("migrations/default/versions/0001_tables_of_outflow.py", "name"): "a constant, written down beside the statement",
    (
        "migrations/default/versions/0001_tables_of_outflow.py",
        "', '.join((repr(value) for value in values))",
    ): "constants, written down at the head of the file",
    ("migrations/default/versions/0001_tables_of_outflow.py", "revision"): "the revision's own constant name",
    ("migrations/default/versions/0002_indexes_for_the_monitor.py", "made"): "made of the file's constants",
    ("migrations/default/versions/0002_indexes_for_the_monitor.py", "name"): "a key of the constant INDEXES",
    ("migrations/default/versions/0002_indexes_for_the_monitor.py", "place"): "a value of the constant INDEXES",
}
"""Places where a value stands in SQL for a reason; a new one is a question to the house."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_value_is_formatted_into_sql(file: Path) -> None:
    named = str(file.relative_to(ROOT))
    found = set(formatted(ast.parse(file.read_text(encoding="utf-8"))))
    assert found == {value for place, value in EXCEPTIONS if place == named}


@pytest.mark.parametrize(
    "code",
    [
        'c.execute(f"SELECT {name}")',
        'c.execute(text(f"SELECT 1 FROM {table}"))',
        'c.exec_driver_sql("SELECT %s" % name)',
        'c.execute("SELECT " + name)',
        'c.execute("SELECT " + name + " FROM runs")',
        'run_plain(c, "DROP {}".format(name))',
        'sa.text("SELECT :a".replace(":a", name))',
        's = f"SELECT {name}"; c.execute(s)',
        'q = "SELECT " + name; c.execute(text(q))',
        'def sql(name):\n    return f"SELECT {name}"\nc.execute(sql(name))',
    ],
)
def test_the_rule_notices_what_is_formatted(code: str) -> None:
    assert list(formatted(ast.parse(code)))


BUILDS = "def words(name):\n    return f'{name} rows'\n"


@pytest.mark.parametrize(
    "code",
    [
        's = f"{what} rows"\nc.execute(s)',
        'def f(what):\n    s = "" if x else what + "s"\n    c.execute(s)',
        's = "-- all"\ns += what\nc.execute(s)',
        'for s in [f"{what} {each}" for each in names]:\n    c.execute(s)',
        'if s := "{} rows".format(what):\n    c.execute(text(s))',
        'part = f"{what} x"\ns = "-- all " + part\nc.execute(s)',
        BUILDS + "c.execute(words(what))",
        BUILDS + "s = words(what)\nc.execute(s)",
    ],
)
def test_the_rule_follows_names_and_functions_to_where_a_text_is_put_together(code: str) -> None:
    assert list(formatted(ast.parse(code)))


@pytest.mark.parametrize("code", ['log(f"DELETE FROM {x}")', 's = "UPDATE %s" % x', 's = "SELECT {}".format(x)'])
def test_the_rule_notices_what_looks_like_sql_wherever_it_goes(code: str) -> None:
    assert list(formatted(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        'c.execute(f"SELECT {LIMIT}")',
        'c.execute("SELECT :a", {"a": name})',
        'say(f"{x}")',
        'say(f"Selected {x}")',
        'c.execute(f"DROP ROLE {quoted_name(role)}")',
        's = "SELECT 1"\nc.execute(s)',
        "def f(s):\n    c.execute(s)",
        "s = f'{x}'\ndef f():\n    s = 'SELECT 1'\n    c.execute(s)",
    ],
)
def test_constants_parameters_quoted_names_and_sentences_are_no_values_in_sql(code: str) -> None:
    assert not list(formatted(ast.parse(code)))
