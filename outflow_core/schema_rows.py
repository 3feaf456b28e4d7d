"""What leaves `schema`: how a bind's database stands, what was done to it, what a downgrade would cost."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class DowngradePlan:
    """What a downgrade would undo, and in words which data would be lost by it, if any."""

    revisions: tuple[str, ...]
    losses: str
