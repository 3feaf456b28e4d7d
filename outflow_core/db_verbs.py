"""The verbs of `outflow-db`: each asks one room of the core and prints what it answers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from outflow_core.answers import tell_anyway
from outflow_core.errors import ConfigError
from outflow_core.printable import printable

if TYPE_CHECKING:
    from outflow_core.schema.reports import BindHistory

DIFFERENT = 1
TROUBLE = 2
_APPLIED = {True: "applied", False: "not applied", None: "unknown"}


class _Bind(Protocol):
    """What is told of every bind."""

    @property
    def key(self) -> str: ...
    @property
    def database(self) -> str: ...
    @property
    def words(self) -> str: ...
    @property
    def is_trouble(self) -> bool: ...


def _upgrade(options: argparse.Namespace) -> int:
    from outflow_core.schema.upgrades import upgrade
    from outflow_core.settings import DEFAULT_BIND, load_settings

    settings = load_settings(options.config)
    reports = upgrade(settings, options.bind)
    _print_binds(reports)
    wants_indexes = options.indexes and options.bind in (None, DEFAULT_BIND)
    for report in reports if not wants_indexes else ():
        if report.offer:
            complain([f"{report.key}: {report.offer}."])
    code = _complain_of(reports)
    return code or (_indexes(options) if wants_indexes else 0)


def _indexes(options: argparse.Namespace) -> int:
    from outflow_core.schema.indexes import make_indexes
    from outflow_core.settings import load_settings

    report = make_indexes(load_settings(options.config))
    _print_aligned([(report.key, report.words, report.database)])
    return 0


def _downgrade(options: argparse.Namespace) -> int:
    from outflow_core.schema.upgrades import downgrade, plan_downgrade
    from outflow_core.settings import DEFAULT_BIND, load_settings

    settings, key = load_settings(options.config), options.bind or DEFAULT_BIND
    losses = plan_downgrade(settings, key, options.revision).losses
    if losses and not options.yes and not _agreed(settings.database(key).shown, losses):
        return TROUBLE
    _print_binds([downgrade(settings, key, options.revision)])
    return 0


def _agreed(database: str, losses: str) -> bool:
    """Whether somebody at a terminal agrees to lose data."""
    warning = f"{database}: this deletes {losses}"
    if not sys.stdin.isatty():
        complain([f"{warning}; nobody can be asked here, so give --yes if that is meant."])
        return False
    if input(f"{printable(warning)}. Type yes to go on: ").strip().lower() == "yes":
        return True
    complain(["Nothing was changed."])
    return False


def _status(options: argparse.Namespace) -> int:
    from outflow_core.schema.upgrades import status
    from outflow_core.settings import load_settings

    found = status(load_settings(options.config), options.bind)
    if options.json:
        _print_json(found)
    else:
        _print_binds(found)
    return _complain_of(found)


def _history(options: argparse.Namespace) -> int:
    from outflow_core.schema.upgrades import history
    from outflow_core.settings import load_settings

    found = history(load_settings(options.config), options.bind)
    if options.json:
        _print_json(found)
    else:
        _print_aligned(line for bind in found for line in _history_lines(bind))
    return _complain_of(found)


def _history_lines(bind: BindHistory) -> Iterable[tuple[str, ...]]:
    for row in bind.revisions:
        yield (bind.key, _APPLIED[row.is_applied], row.revision, row.words)
    if not bind.revisions and not bind.is_trouble:
        yield (bind.key, bind.words, "", "")


def _check(options: argparse.Namespace) -> int:
    from outflow_core.schema.model_check import check
    from outflow_core.settings import load_settings

    found = check(load_settings(options.config), options.bind, options.models)
    if options.json:
        _print_json(found)
    else:
        _print_binds(found)
        for bind in found:
            for difference in bind.differences:
                tell_anyway(printable(f"{bind.key}: {difference}"))
    return _complain_of(found) or (DIFFERENT if any(bind.differences for bind in found) else 0)


def _revision(options: argparse.Namespace) -> int:
    from outflow_core.schema.autogenerate import write_revisions
    from outflow_core.settings import load_settings

    reports = write_revisions(load_settings(options.config), options.message, options.bind, options.models)
    _print_aligned((report.key, report.words) for report in reports if not report.is_trouble)
    return _complain_of(reports)


def _sql(options: argparse.Namespace) -> int:
    from outflow_core.schema.offline_sql import upgrade_sql
    from outflow_core.settings import load_settings

    found = upgrade_sql(load_settings(options.config), options.bind, from_nothing=options.from_nothing)
    for bind in found:
        if not bind.is_trouble:
            tell_anyway(printable(f"-- {bind.key}: {bind.database}{f': {bind.words}' if bind.words else ''}"))
            tell_anyway(f"{bind.script}\n" if bind.script else "")
    return _complain_of(found)


def _replay(options: argparse.Namespace) -> int:
    from outflow_core.books import Books
    from outflow_core.engines import Engines
    from outflow_core.journal_places import journal_folders
    from outflow_core.replay import replay_folder
    from outflow_core.settings import load_settings

    settings = load_settings(options.config)
    engines = Engines(settings, is_recorder=True)
    books, folders = Books(engines), journal_folders(settings)
    found = [
        journal
        for folder in folders
        for journal in replay_folder(folder, books, of_others=options.others, gives_up=options.give_up)
        if journal.path.parent == folders[0] or not journal.is_of_another
    ]
    engines.dispose()
    if not found:
        tell_anyway(printable(f"nothing waits in {folders[0]}"))
    _print_aligned((journal.path.name, journal.told) for journal in found)
    return complain([journal.words for journal in found if journal.left or journal.refused])


def _roles(options: argparse.Namespace) -> int:
    from outflow_core.schema.roles import make_roles, roles_sql
    from outflow_core.settings import load_settings

    settings = load_settings(options.config)
    if not options.apply:
        tell_anyway(roles_sql(settings, options.bind))
        return 0
    if not options.maker:
        raise ConfigError("--apply needs --as: a role that may make roles and databases, such as --as postgres.")
    _print_aligned((row.key, row.thing, row.words) for row in make_roles(settings, options.bind, options.maker))
    return 0


VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "upgrade": _upgrade,
    "downgrade": _downgrade,
    "status": _status,
    "history": _history,
    "check": _check,
    "revision": _revision,
    "sql": _sql,
    "indexes": _indexes,
    "replay": _replay,
    "roles": _roles,
}


def _print_binds(binds: Iterable[_Bind]) -> None:
    _print_aligned((bind.key, bind.words, bind.database) for bind in binds if not bind.is_trouble)


def _print_json(found: Iterable[Any]) -> None:
    tell_anyway(json.dumps([asdict(bind) for bind in found], indent=2))


def _print_aligned(lines: Iterable[tuple[str, ...]]) -> None:
    """One line for each entry, its fields in columns."""
    table = [tuple(map(printable, line)) for line in lines]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        tell_anyway("  ".join(field.ljust(width) for field, width in zip(line, widths, strict=True)).rstrip())


def _complain_of(binds: Iterable[_Bind]) -> int:
    return complain([f"{bind.key}: {bind.words}" for bind in binds if bind.is_trouble])


def complain(sentences: Sequence[str]) -> int:
    """Tell what is wrong on standard error; the exit status that goes with it."""
    for sentence in sentences:
        print(f"outflow-db: {printable(sentence)}", file=sys.stderr)
    return TROUBLE if sentences else 0
