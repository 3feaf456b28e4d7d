"""The walls of the house: who imports whom, and what an import costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("sqlalchemy", "yaml", "alembic", "psycopg2", "textual", "markdown_it", "tomllib")


def loaded_after(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after some code."""
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    modules = json.loads(answer.stdout.splitlines()[-1])
    return {name for name in HEAVY if name in modules}


def test_the_floors_are_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert answer.returncode == 0, answer.stdout


def test_importing_the_core_costs_nothing() -> None:
    assert loaded_after("import outflow_core") == set()


def test_the_first_frame_waits_for_no_database_code() -> None:
    assert loaded_after("import outflow_tui.app") <= {"textual"}


def test_scripts_do_not_load_the_screen() -> None:
    fixture = ROOT / "tests" / "fixtures" / "sqlite" / "kinds"
    code = f"from outflow_tui.cli import main\nassert main(['runs', '-s', {str(fixture)!r}, '--json']) == 0"
    assert loaded_after(code) <= {"sqlalchemy", "yaml"}


def test_reading_a_file_needs_no_orm_no_server_and_no_yaml() -> None:
    fixture = ROOT / "tests" / "fixtures" / "sqlite" / "kinds" / "outflow.db"
    code = (
        "from outflow_tui.cli import main\n"
        f"assert main(['runs', '-s', {str(fixture)!r}, '--json']) == 0\n"
        "assert not {'sqlalchemy.orm', 'sqlalchemy.dialects.postgresql'} & set(sys.modules)"
    )
    assert loaded_after(code) <= {"sqlalchemy"}


@pytest.mark.parametrize("name", ["outflow_core", "outflow_tui"])
def test_every_room_says_what_it_knows(name: str) -> None:
    silent = [path.name for path in (ROOT / name).rglob("*.py") if not path.read_text().lstrip().startswith('"""')]
    assert silent == []
