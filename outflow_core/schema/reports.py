"""What leaves the rooms of the migrations: how a bind's database stands, what was or would be done to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

UP_TO_DATE: Final = "up to date"
NO_MIGRATIONS: Final = "no migrations for this bind"


@dataclass(frozen=True, slots=True)
class BindStatus:
    """How one bind's database stands to the migrations."""

    key: str
    database: str
    current: tuple[str, ...]
    heads: tuple[str, ...]
    words: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class BindReport:
    """What an upgrade or a downgrade did to one bind's database."""

    key: str
    database: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    words: str
    is_trouble: bool = False
    offer: str = ""


@dataclass(frozen=True, slots=True)
class DowngradePlan:
    """What a downgrade would undo, and in words which data would be lost by it, if any."""

    revisions: tuple[str, ...]
    losses: str


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One revision of a bind; whether it is applied is not known of a database that cannot be reached."""

    revision: str
    words: str
    is_applied: bool | None


@dataclass(frozen=True, slots=True)
class BindHistory:
    """The revisions of one bind, newest first; `words` is empty unless there is trouble, or nothing to list."""

    key: str
    database: str
    revisions: tuple[RevisionRow, ...]
    words: str = ""
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class BindCheck:
    """What keeps one bind's database from being what the revisions and the models say."""

    key: str
    database: str
    differences: tuple[str, ...]
    words: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class RevisionReport:
    """The script that was written for one bind, if there was anything to write."""

    key: str
    database: str
    script: Path | None
    words: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class IndexReport:
    """Which indexes were made in one bind's database."""

    key: str
    database: str
    made: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class BindSql:
    """The statements that an upgrade of one bind's database would run, as a script; or why there are none."""

    key: str
    database: str
    script: str
    words: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class MadeRow:
    """A role or a database, and whether it was made or was there already."""

    key: str
    thing: str
    words: str
