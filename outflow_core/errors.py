"""What can go wrong, in words: every message names the thing, the place and the way out."""

from __future__ import annotations

LONGEST = 10_000
"""More characters no sentence has; what stands in a file or a database may be a name of megabytes."""


class OutflowError(Exception):
    """Anything this project refuses or cannot do; its text is a sentence fit for a user."""

    def __init__(self, words: str = "") -> None:
        super().__init__(words if len(words) <= LONGEST else f"{words[: LONGEST // 2]} ... {words[-LONGEST // 2 :]}")


class ConfigError(OutflowError):
    """A configuration file that is missing, broken, or asks for what does not exist."""


class BindError(OutflowError):
    """A model, table or statement that does not fit the databases of the configuration."""


class SourceError(OutflowError):
    """A database that cannot be read now: missing, unreachable, locked, damaged."""


class SchemaError(SourceError):
    """A database that can be read, but whose tables are not the ones this program knows."""

    def of(self, name: str) -> SchemaError:
        """The same, naming the database."""
        return self if name in str(self) else SchemaError(f"{name}: {self}")


class NotFoundError(OutflowError):
    """No such run or task in the books."""


class RecordError(OutflowError):
    """The recorder was used in a way that the books cannot express."""


class BooksAwayError(RecordError):
    """The books cannot be written now; later they may."""


class NotWrittenYetError(RecordError):
    """An entry follows up on a run or a block that the books do not hold (yet)."""


class RefusedError(RecordError):
    """The database will never take this entry."""
