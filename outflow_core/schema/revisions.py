"""The revisions that concern one bind, ours and the pipeline's own, and how alembic is made to work on them."""

from __future__ import annotations

import threading
from argparse import Namespace
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from outflow_core.errors import OutflowError, SchemaError
from outflow_core.schema.adoption import ORIGIN, VERSION_TABLE
from outflow_core.schema.folders import migrations_home, own_folder, version_folders
from outflow_core.settings import DEFAULT_BIND, Database, Settings

if TYPE_CHECKING:
    from alembic.config import Config

BOOKS: Final = "outflow_0001"
READ_ONLY_TABLES: Final = (VERSION_TABLE, ORIGIN, "alembic_version")
_ALEMBIC = threading.Lock()  # it keeps what it works on in globals of its modules


class Migrations:
    """The revisions that concern one bind: ours, and the pipeline's own."""

    def __init__(self, settings: Settings, database: Database) -> None:
        from alembic.script import ScriptDirectory

        self.database = database
        self.own_folder = own_folder(settings, database.key)
        self._folders = version_folders(settings, database.key)
        with alembic_at_work(database):
            self.scripts = ScriptDirectory.from_config(self.config({}))
            self.heads = tuple(sorted(self.scripts.get_heads())) if self._folders else ()
        self.has_books = database.key == DEFAULT_BIND

    def config(self, configure: Mapping[str, Any]) -> Config:
        """What alembic wants to know, without an ini file; `configure` says what it works on, and how."""
        from alembic.config import Config

        quiet = Namespace(quiet=True, x=None)  # what it would say goes to standard output
        config = Config(attributes={"configure": {"version_table": VERSION_TABLE, **configure}}, cmd_opts=quiet)
        for name, value in (
            ("script_location", str(migrations_home())),
            ("path_separator", "newline"),
            ("version_locations", "\n".join(str(folder) for folder in self._folders)),
        ):
            config.set_main_option(name, value.replace("%", "%%"))
        return config

    @property
    def own_heads(self) -> tuple[str, ...]:
        """The newest of the pipeline's own revisions; several when branches of its code were merged."""
        return tuple(head for head in self.heads if self.is_own(head))

    def is_own(self, revision: str) -> bool:
        """Whether the pipeline brought the revision, not we."""
        script = self.scripts.get_revision(revision)
        return script is not None and Path(script.path).parent == self.own_folder

    def current(self, connection: Connection) -> tuple[str, ...]:
        """The revisions that the database is at, one for each branch; SchemaError for one that has no script."""
        from alembic.runtime.migration import MigrationContext

        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        current = tuple(sorted(context.get_current_heads()))
        for stranger in set(current) - {script.revision for script in self.scripts.walk_revisions()}:
            raise SchemaError(
                f"{self.database.shown}: is at revision {stranger!r}, which has no script here; use the newer version "
                "that made it, or let 'migrations' in the configuration name the right directory."
            )
        return current

    def applied(self, current: Collection[str]) -> tuple[str, ...]:
        """Every revision up to the current ones, newest first."""
        return self.undone(current, "base")

    def undone(self, current: Collection[str], revision: str) -> tuple[str, ...]:
        """The revisions between the current ones and an older one, newest first."""
        if not current:
            return ()
        steps = self.scripts.iterate_revisions(tuple(current), revision, select_for_downgrade=True)
        return tuple(step.revision for step in steps)


@contextmanager
def alembic_at_work(database: Database) -> Iterator[None]:
    """One thread at a time; whatever a migration's script raises is a SchemaError, the database's own errors pass."""
    try:
        with _ALEMBIC:
            yield
    except (OutflowError, SQLAlchemyError):
        raise
    except Exception as error:  # a pipeline's script may raise anything
        raise SchemaError(f"{database.shown}: {_sentence(error)}; nothing was changed.") from error


def _sentence(error: Exception) -> str:
    from alembic.script.revision import RevisionError
    from alembic.util import CommandError

    words = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, (CommandError, RevisionError)):
        return words
    return f"a migration failed with {type(error).__name__}: {words}"
