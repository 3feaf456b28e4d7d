"""The command line: the screen, and the same answers for scripts.

Every branch imports only what it needs: the screen costs no script its start, nor a script the screen.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from outflow_core import __version__
from outflow_core.errors import OutflowError
from outflow_core.states import State

if TYPE_CHECKING:
    from outflow_core.reader import Reader
    from outflow_core.rows import ConfigurationRow, RunRow

TROUBLE = 2
_RUN_HELP = "an id, the beginning of a uuid, last, last:failed, or last:COMMAND"
_SOURCE_HELP = (
    "a config file, a directory that holds one, a SQLite file, or a postgresql:// URL; without it the configuration "
    "is looked for: OUTFLOW_CONFIG_PATH, then config.json, .yml, .yaml or .toml in this directory"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit status is 0, or 2 on trouble (`diff`: 1 when there are differences)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    named = next((word for word in words if not word.startswith("-")), None)
    try:
        if named in _COMMANDS and words[0] == named:
            options = _script_parser().parse_args(words)
            return _COMMANDS[named](options)
        return _watch(_screen_parser().parse_args(words))
    except OutflowError as error:
        print(f"outflow-tui: {_one_line(str(error))}", file=sys.stderr)
        return TROUBLE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _one_line(message: str) -> str:
    return " ".join(message.split("\n"))


def _screen_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="outflow-tui",
        description="Watch the runs of data pipelines. For scripts: outflow-tui runs|show|failures|diff|config --help",
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=_SOURCE_HELP)
    parser.add_argument("--config", metavar="FILE", help="the configuration file, as a SOURCE")
    parser.add_argument("--every", type=_seconds, default=1.0, metavar="SECONDS", help="how often to look (default 1)")
    parser.add_argument("--copy", action="store_true", help="look at a private copy of a SQLite file")
    parser.add_argument("--version", action="version", version=f"outflow-tui {__version__}")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return seconds


def _script_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="outflow-tui")
    commands = parser.add_subparsers(dest="command", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("-s", "--source", "--config", metavar="SOURCE", action=_Once, help=_SOURCE_HELP)
    shared.add_argument("--copy", action="store_true", help="look at a private copy of a SQLite file")
    shared.add_argument("--json", action="store_true", help="JSON instead of text")
    runs = commands.add_parser("runs", parents=[shared], help="the runs, newest first")
    runs.add_argument("--limit", type=_count, default=50, metavar="N", help="at most N runs (default 50, 0: all)")
    runs.add_argument("--state", choices=[state.value for state in State], help="only runs in this state")
    runs.add_argument("--command", dest="only", metavar="NAME", help="only runs of this command")
    for name, what in (
        ("show", "one run with its tasks, tracebacks and configuration"),
        ("failures", "the failed tasks of a run by cause"),
        ("config", "the configuration and settings of a run"),
    ):
        commands.add_parser(name, parents=[shared], help=what).add_argument("run", metavar="RUN", help=_RUN_HELP)
    diff = commands.add_parser("diff", parents=[shared], help="what differs between two runs' configurations")
    diff.add_argument("old", metavar="RUN", help=_RUN_HELP)
    diff.add_argument("new", metavar="RUN", help="the run to compare it with")
    return parser


class _Once(argparse.Action):
    """An option that may be given once: of two sources the first would be lost without a word."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, value: Any, option: str | None = None) -> None:
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{option} is given twice; a script reads one source at a time")
        setattr(namespace, self.dest, value)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs (0: all)")
    return int(text)


def _watch(options: argparse.Namespace) -> int:
    """The screen; into a pipe the runs as text instead."""
    from outflow_core.settings import find_database

    names = [*options.sources, *([options.config] if options.config else [])] or [None]
    databases = [find_database(name) for name in names]
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        for name in names:
            if len(databases) > 1:
                print(f"{name}:")
            _runs(_script_parser().parse_args(["runs", *(["-s", name] if name else [])]))
        return 0
    from outflow_tui.app import OutflowApp, Watched

    def opener(database: Any) -> Callable[[], Any]:
        def opens() -> Any:
            from outflow_tui.source import BooksSource

            return BooksSource(database, copy=options.copy)

        return opens

    watched = [Watched(_short(database.shown), opener(database)) for database in databases]
    app = OutflowApp(watched, seconds=options.every)
    app.run()
    return app.return_code or 0


def _short(name: str) -> str:
    """A source's name as people wrote it: a path seen from here."""
    relative = os.path.relpath(name) if name.startswith("/") else name
    return name if relative.startswith("../..") else relative


class _Books:
    """An open reader for one command."""

    def __init__(self, options: argparse.Namespace) -> None:
        from outflow_core.reader import Reader
        from outflow_core.settings import find_database

        self._reader = Reader(find_database(options.source), copy=options.copy)

    def __enter__(self) -> Reader:
        return self._reader

    def __exit__(self, *_: object) -> None:
        self._reader.close()


def _runs(options: argparse.Namespace) -> int:
    from outflow_core import queries
    from outflow_core.rows import TaskCounts
    from outflow_tui import format as words
    from outflow_tui import reports

    with _Books(options) as reader:
        state = State(options.state) if options.state else None
        found = queries.runs(reader, count=options.limit, state=state, command=options.only)
        ids = None if not options.limit else [row.id for row in found]
        tasks = queries.task_counts(reader, ids)
        if options.json:
            exceptions = queries.exception_counts(reader, ids)
            objects = [
                reports.run_object(row, tasks.get(row.id, TaskCounts()), exceptions.get(row.id, 0)) for row in found
            ]
            return _print(reports.as_json(objects))
    listed = [(row, tasks.get(row.id, TaskCounts())) for row in found]
    return _print(reports.runs_text(listed, words.glyphs_for(), datetime.now()))


def _show(options: argparse.Namespace) -> int:
    from outflow_core import queries
    from outflow_core.rows import TaskCounts
    from outflow_tui import reports

    with _Books(options) as reader:
        row = _run_meant(reader, options.run)
        tasks = queries.task_counts(reader, [row.id]).get(row.id, TaskCounts())
        exceptions = queries.exception_counts(reader, [row.id]).get(row.id, 0)
        configuration = queries.configurations(reader, [row.configuration_id]).get(row.configuration_id)
        blocks = queries.block_details(reader, queries.blocks_of(reader, row.id), row.id)
    if options.json:
        return _print(
            reports.as_json(reports.show_object(reports.run_object(row, tasks, exceptions), configuration, blocks))
        )
    return _print(reports.show_text(row, tasks, configuration, blocks, datetime.now()))


def _failures(options: argparse.Namespace) -> int:
    from outflow_core import queries
    from outflow_core.failures import causes
    from outflow_tui import reports

    with _Books(options) as reader:
        row = _run_meant(reader, options.run)
        found = causes(queries.failures_of(reader, queries.blocks_of(reader, row.id)))
    if options.json:
        return _print(reports.as_json([reports.cause_object(cause) for cause in found]))
    return _print(reports.failures_text(found, datetime.now()))


def _config(options: argparse.Namespace) -> int:
    from outflow_tui import reports
    from outflow_tui.config_lines import config_lines

    with _Books(options) as reader:
        row = _configuration(reader, _run_meant(reader, options.run))
    if options.json:
        return _print(reports.as_json({"configuration": row.config, "settings": row.settings}))
    return _print("\n".join(reports.plain(line.pieces) for line in config_lines(row)).rstrip())


def _run_meant(reader: Reader, wanted: str) -> RunRow:
    """The run that a person means, or an error that names the source."""
    from outflow_core import queries
    from outflow_core.errors import NotFoundError

    try:
        return queries.find_run(reader, wanted)
    except NotFoundError as error:
        raise NotFoundError(f"{reader.name}: {error}") from None


def _configuration(reader: Reader, run: RunRow) -> ConfigurationRow:
    from outflow_core import queries
    from outflow_core.errors import NotFoundError

    found = queries.configurations(reader, [run.configuration_id])
    if run.configuration_id not in found:
        raise NotFoundError(f"{reader.name}: configuration {run.configuration_id} of run {run.id} is not in the books.")
    return found[run.configuration_id]


def _diff(options: argparse.Namespace) -> int:
    from outflow_core.config_diff import diff
    from outflow_tui import reports

    with _Books(options) as reader:
        old, new = (_configuration(reader, _run_meant(reader, run)) for run in (options.old, options.new))
    changes = diff(old, new)
    _print(reports.as_json(reports.diff_object(changes)) if options.json else reports.diff_text(old, new, changes))
    return 1 if changes else 0


def _print(text: str) -> int:
    """Print, in whatever encoding the other end has: what it cannot show is written as an escape."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "runs": _runs,
    "show": _show,
    "failures": _failures,
    "diff": _diff,
    "config": _config,
}

if __name__ == "__main__":
    sys.exit(main())
