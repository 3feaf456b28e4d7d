"""No value is formatted into SQL: what comes from outside is a parameter or a quoted name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [file for room in ("outflow_core", "outflow_tui", "migrations") for file in sorted((ROOT / room).rglob("*.py"))]
TAKERS = frozenset({"execute", "executemany", "executescript", "exec_driver_sql", "text", "DDL", "literal_column"}) | {
    "run_plain",
    "scalar",
    "scalars",
}
"""What takes SQL as text."""

EXCEPTIONS = {
    ("outflow_core/schema/indexes.py", "name"): "a key of the constant INDEXES",
    ("outflow_core/schema/indexes.py", "INDEXES[name]"): "a constant",
    ("outflow_core/schema/offline_sql.py", "table"): "one of the constant READ_ONLY_TABLES, by an intersection with it",
    ("outflow_core/block_codes.py", "value"): "a state, a type, or the name TOP_LEVEL: words of the program's own",
    ("outflow_core/heartbeat.py", "usual"): "a number that SQLite itself told just before; a PRAGMA takes no parameter",
    ("outflow_core/schema/grants.py", "quoted_name(schema)"): "a quoted name; CREATE SCHEMA takes no parameter",
    ("migrations/default/versions/0001_tables_of_outflow.py", "name"): "a constant, written down beside the statement",
    (
        "migrations/default/versions/0001_tables_of_outflow.py",
        "', '.join((repr(value) for value in values))",
    ): "constants, written down at the head of the file",
    ("migrations/default/versions/0001_tables_of_outflow.py", "revision"): "the revision's own constant name",
    ("migrations/default/versions/0002_indexes_for_the_monitor.py", "made"): "made of the file's constants",
    ("migrations/default/versions/0002_indexes_for_the_monitor.py", "name"): "a key of the constant INDEXES",
}
"""Places where a value stands in SQL for a reason; a new one is a question to the house."""


def formatted(tree: ast.AST) -> Iterator[str]:
    """Every value that is formatted into SQL, but for constants, whose names are in capitals."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        for argument in call.args if name in TAKERS else ():
            yield from _values(argument)


def _values(argument: ast.AST) -> Iterator[str]:
    if isinstance(argument, ast.JoinedStr):
        shown = (part.value for part in argument.values if isinstance(part, ast.FormattedValue))
        yield from (ast.unparse(value) for value in shown if not _is_constant(value))
    elif isinstance(argument, ast.BinOp) and isinstance(argument.op, (ast.Mod, ast.Add)):
        if not _is_constant(argument.right):
            yield ast.unparse(argument.right)
        yield from _values(argument.left)
    elif isinstance(argument, ast.Call) and getattr(argument.func, "attr", "") in ("format", "replace", "join"):
        yield from (ast.unparse(value) for value in argument.args)


def _is_constant(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id.lstrip("_").isupper())


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
        'run_plain(c, "DROP {}".format(name))',
        'sa.text("SELECT :a".replace(":a", name))',
    ],
)
def test_the_rule_notices_what_is_formatted(code: str) -> None:
    assert list(formatted(ast.parse(code)))


@pytest.mark.parametrize("code", ['c.execute(f"SELECT {LIMIT}")', 'c.execute("SELECT :a", {"a": name})', 'say(f"{x}")'])
def test_constants_and_parameters_are_no_values_in_sql(code: str) -> None:
    assert not list(formatted(ast.parse(code)))
