"""The command `outflow-db`: makes and changes the tables of every database of a configuration."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from outflow_core.errors import OutflowError

if TYPE_CHECKING:
    from outflow_core.schema_rows import BindReport, BindStatus

TROUBLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when all is well, 2 on trouble, which is told in a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        return _VERBS[options.verb](options)
    except OutflowError as error:
        return _complain([str(error)])
    except KeyboardInterrupt:
        return _complain(["Stopped; what was not finished yet stays as it was."])


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", metavar="FILE", help="the configuration; without it config.yml and its like")
    shared.add_argument("--bind", metavar="KEY", help="one database only, by its key in the configuration")
    parser = argparse.ArgumentParser(prog="outflow-db", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("upgrade", parents=[shared], help="make the tables, or bring them up to date; adopts Outflow's")
    back = verbs.add_parser("downgrade", parents=[shared], help="take one database back to an older revision")
    back.add_argument("revision", metavar="REVISION", help="a revision, -1 for one step, or base for all")
    back.add_argument("--yes", action="store_true", help="do not ask, even if data will be lost")
    state = verbs.add_parser("status", parents=[shared], help="tell how each database stands; changes nothing")
    state.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _upgrade(options: argparse.Namespace) -> int:
    from outflow_core.schema import upgrade
    from outflow_core.settings import load_settings

    reports = upgrade(load_settings(options.config), options.bind)
    _print_aligned((report.key, report.words, report.database) for report in reports if not report.is_trouble)
    return _complain_of(reports)


def _downgrade(options: argparse.Namespace) -> int:
    from outflow_core.schema import downgrade, plan_downgrade
    from outflow_core.settings import DEFAULT_BIND, load_settings

    settings, key = load_settings(options.config), options.bind or DEFAULT_BIND
    losses = plan_downgrade(settings, key, options.revision).losses
    if losses and not options.yes and not _agreed(settings.database(key).shown, losses):
        return TROUBLE
    report = downgrade(settings, key, options.revision)
    _print_aligned([(report.key, report.words, report.database)])
    return 0


def _agreed(database: str, losses: str) -> bool:
    """Whether somebody at a terminal agrees to lose data."""
    warning = f"{database}: this deletes {losses}"
    if not sys.stdin.isatty():
        _complain([f"{warning}; nobody can be asked here, so give --yes if that is meant."])
        return False
    if input(f"{warning}. Type yes to go on: ").strip().lower() == "yes":
        return True
    _complain(["Nothing was changed."])
    return False


def _status(options: argparse.Namespace) -> int:
    from outflow_core.schema import status
    from outflow_core.settings import load_settings

    found = status(load_settings(options.config), options.bind)
    if options.json:
        print(json.dumps([asdict(bind) for bind in found], indent=2))
    else:
        _print_aligned((bind.key, bind.words, bind.database) for bind in found if not bind.is_trouble)
    return _complain_of(found)


_VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "upgrade": _upgrade,
    "downgrade": _downgrade,
    "status": _status,
}


def _print_aligned(lines: Iterable[tuple[str, ...]]) -> None:
    """One line for each entry, its fields in columns."""
    table = list(lines)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(field.ljust(width) for field, width in zip(line, widths, strict=True)).rstrip())


def _complain_of(binds: Iterable[BindReport | BindStatus]) -> int:
    return _complain([f"{bind.key}: {bind.words}" for bind in binds if bind.is_trouble])


def _complain(sentences: Sequence[str]) -> int:
    for sentence in sentences:
        print(f"outflow-db: {sentence}", file=sys.stderr)
    return TROUBLE if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
