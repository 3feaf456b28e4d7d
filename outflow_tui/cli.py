"""The command line: the screen, and the same answers for scripts.

Every branch imports only what it needs: the screen costs no script its start, nor a script the screen.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from outflow_core import __version__
from outflow_core.errors import OutflowError
from outflow_core.states import State

if TYPE_CHECKING:
    from outflow_core.reader import Reader
    from outflow_core.rows import ConfigurationRow, Life, ProcessRow, RunRow, Sign

TROUBLE = 2
TRIES = 3
Answer = TypeVar("Answer")
_RUN_HELP = "an id, the beginning of a uuid, last, last:failed, or last:COMMAND"
_SOURCE_HELP = (
    "a config file, a directory that holds one, a SQLite file, or a postgresql:// URL; without it the configuration "
    "is looked for: OUTFLOW_CONFIG_PATH, then config.json, .yml, .yaml or .toml in this directory"
)


_PROCESSED_HELP = (
    "Every processing of an input: the tasks of a run, or an item of a map, that were given it. Ends with 0 when a run "
    "processed it successfully with the configuration in force now (that of the source; of a bare database with any), "
    "with 1 when none did, with 2 on trouble."
)
_VALUE_HELP = (
    "an input is meant when it is this very text, a path whose last part it is (n1.fits means /data/n1.fits too), or "
    "the number, true, false or null that is written so; also inside a list or a mapping; with KEY= only what stands "
    "under that name"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit status is 0, or 2 on trouble (1: `diff` found some, `processed` found no success)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    words = _command_first(words)
    named = words[0] if words else None
    if sys.stdout is None or sys.stderr is None:  # closed by the caller: there is nobody to tell
        return TROUBLE
    try:
        if named in _COMMANDS:
            options = _script_parser().parse_args(words)
            return _COMMANDS[named](options)
        return _watch(_screen_parser().parse_args(words))
    except OutflowError as error:
        print(f"outflow-tui: {_one_line(str(error))}", file=sys.stderr)
        return TROUBLE
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print(f"outflow-tui: cannot write the answer: {error.strerror}.", file=sys.stderr)
        _give_up_output()
        return 0 if isinstance(error, BrokenPipeError) else TROUBLE


def _command_first(words: list[str]) -> list[str]:
    """The words with the command before the options, wherever people put `-s SOURCE`.

    >>> _command_first(["-s", "a.db", "--copy", "runs", "--json"])
    ['runs', '-s', 'a.db', '--copy', '--json']
    """
    place = 0
    while place < len(words) and words[place] in ("-s", "--source", "--config", "--copy", "--json"):
        place += 1 if words[place] in ("--copy", "--json") else 2
    if place < len(words) and words[place] in _COMMANDS:
        return [words[place], *words[:place], *words[place + 1 :]]
    return words


def _give_up_output() -> None:
    """Let what could not be written not be tried again at the end of the program."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(message: str) -> str:
    from outflow_tui.text import clean

    return clean(" ".join(message.split("\n")))


class _Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what it does not understand."""

    def error(self, message: str) -> NoReturn:
        self.exit(TROUBLE, f"{self.prog}: {message}; see '{self.prog} --help'.\n")


def _screen_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="outflow-tui",
        description="Watch the runs of data pipelines. "
        "For scripts: outflow-tui runs|show|failures|diff|config|processed --help",
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=_SOURCE_HELP)
    parser.add_argument("--config", metavar="FILE", help="the configuration file, as a SOURCE")
    parser.add_argument("--every", type=_seconds, metavar="SECONDS", help="how often to look (default 1)")
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
    parser = _Parser(prog="outflow-tui")
    commands = parser.add_subparsers(dest="command", required=True)
    shared = _Parser(add_help=False)
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
    processed = commands.add_parser(
        "processed", parents=[shared], help="what became of an input, in every run", description=_PROCESSED_HELP
    )
    processed.add_argument("--command", dest="only", metavar="NAME", help="only runs of this command")
    processed.add_argument("value", metavar="[KEY=]VALUE", type=_not_empty, help=_VALUE_HELP)
    return parser


def _not_empty(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("name an input; the empty text is none")
    return text


def distinct(names: Sequence[str]) -> list[str]:
    """Names of sources without what all of them share at both ends.

    >>> distinct(["/data/a/outflow.db", "/data/b/outflow.db"]), distinct(["x/outflow.db"])
    (['a', 'b'], ['x/outflow.db'])
    """
    parts = [name.split("/") for name in names]
    for end in (-1, 0):
        while len(parts) > 1 and min(map(len, parts)) > 1 and len({path[end] for path in parts}) == 1:
            for path in parts:
                path.pop(end)
    return ["/".join(path) for path in parts]


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
    from outflow_core.sources import find_database

    names = [*options.sources, *([options.config] if options.config else [])] or [None]
    databases = [find_database(name) for name in names]
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        return _print_sources(options, names)
    from outflow_tui.app import OutflowApp, Watched
    from outflow_tui.preferences import read_preferences
    from outflow_tui.terminal import watch_terminal

    def opener(database: Any) -> Callable[[], Any]:
        def opens() -> Any:
            from outflow_tui.source import BooksSource

            return BooksSource(database, copy=options.copy)

        return opens

    shown = distinct([_short(database.shown) for database in databases])
    watched = [Watched(name, opener(database)) for name, database in zip(shown, databases, strict=True)]
    app = OutflowApp(watched, seconds=options.every, preferences=read_preferences())
    watch_terminal(app.leave)
    app.run()
    return app.return_code or 0


def _print_sources(options: argparse.Namespace, names: Sequence[str | None]) -> int:
    """The runs of every source as text; nothing is printed when one of them is in trouble."""
    answers = []
    for name in names:
        words = ["runs", *(["-s", name] if name else []), *(["--copy"] if options.copy else [])]
        answer = _runs_answer(_script_parser().parse_args(words))
        answers.append(f"{name}:\n{answer}" if len(names) > 1 else answer)
    return _print("\n\n".join(answers))


def _short(name: str) -> str:
    """A source's name as people wrote it: a path seen from here."""
    relative = os.path.relpath(name) if name.startswith("/") else name
    return name if relative.startswith("../..") else relative


def _asked(options: argparse.Namespace, ask: Callable[[Reader], Answer]) -> Answer:
    """What the books of the source answer; asked again when the file was replaced meanwhile."""
    from outflow_core.errors import SchemaError, SourceError
    from outflow_core.reader import Reader
    from outflow_core.sources import find_database

    reader = Reader(find_database(options.source), copy=options.copy)
    try:
        for _ in range(TRIES):
            reader.pulse()
            identity = reader.identity
            answer = ask(reader)
            if reader.identity == identity:
                return answer
    except SchemaError as error:
        named = str(error) if reader.name in str(error) else f"{reader.name}: {error}"
        raise SchemaError(named) from None
    finally:
        reader.close()
    raise SourceError(f"{reader.name}: replaced again and again while it is read; trying again may do.")


def _runs(options: argparse.Namespace) -> int:
    return _print(_runs_answer(options))


def _runs_answer(options: argparse.Namespace) -> str:
    from outflow_core import queries
    from outflow_core.rows import TaskCounts
    from outflow_tui import reports
    from outflow_tui.snapshot import RunLine

    def ask(reader: Reader) -> Any:
        state = State(options.state) if options.state else None
        found = queries.runs(reader, count=options.limit, state=state, command=options.only)
        ids = {row.id for row in found} if options.limit else None
        exceptions = queries.exception_counts(reader, ids) if options.json else {}
        running = [row.id for row in found if row.state is State.RUNNING]
        signs = {} if options.json else queries.last_signs(reader, running)
        lives = {} if options.json else _lives(reader, running)
        return found, queries.task_counts(reader, ids), exceptions, signs, lives

    found, tasks, exceptions, signs, lives = _asked(options, ask)
    listed = [(row, tasks.get(row.id, TaskCounts())) for row in found]
    if options.json:
        return reports.as_json([reports.run_object(row, counts, exceptions.get(row.id, 0)) for row, counts in listed])
    lines = [RunLine(row, counts, signs.get(row.id, row.start_time), life=lives.get(row.id)) for row, counts in listed]
    return reports.runs_text(lines, datetime.now())


def _lives(reader: Reader, run_ids: Sequence[int]) -> Mapping[int, Life]:
    """What is known of the processes of these runs, where a table tells."""
    from outflow_core import queries
    from outflow_core.lives import Watch

    return Watch().lives(queries.processes(reader, run_ids)) if run_ids and reader.has_processes() else {}


def _signs(reader: Reader, run_id: int) -> tuple[tuple[ProcessRow, Sign], ...]:
    """All processes that recorded a run, and how each stands."""
    from outflow_core import queries
    from outflow_core.lives import Watch

    watch = Watch()
    rows = queries.processes(reader, [run_id], ended=True).get(run_id, ()) if reader.has_processes() else ()
    watch.look(rows)
    return tuple((row, watch.sign(row)) for row in rows)


def _show(options: argparse.Namespace) -> int:
    from outflow_core import queries
    from outflow_core.rows import TaskCounts
    from outflow_tui import reports

    def ask(reader: Reader) -> Any:
        row = _run_meant(reader, options.run)
        tasks = queries.task_counts(reader, {row.id}).get(row.id, TaskCounts())
        exceptions = queries.exception_counts(reader, {row.id}).get(row.id, 0)
        configuration = queries.configurations(reader, [row.configuration_id]).get(row.configuration_id)
        blocks = queries.block_details(reader, queries.blocks_of(reader, row.id), row.id)
        return row, tasks, exceptions, configuration, blocks, _signs(reader, row.id)

    row, tasks, exceptions, configuration, blocks, processes = _asked(options, ask)
    if options.json:
        run = reports.run_object(row, tasks, exceptions)
        return _print(reports.as_json(reports.show_object(run, configuration, blocks, processes)))
    return _print(reports.show_text(row, tasks, configuration, blocks, processes, datetime.now()))


def _failures(options: argparse.Namespace) -> int:
    from outflow_core.run_causes import causes_of_run
    from outflow_tui import reports

    found = _asked(options, lambda reader: causes_of_run(reader, _run_meant(reader, options.run)))
    if options.json:
        return _print(reports.as_json([reports.cause_object(cause) for cause in found]))
    return _print(reports.failures_text(found, datetime.now()))


def _config(options: argparse.Namespace) -> int:
    from outflow_tui import reports
    from outflow_tui.config_lines import config_lines

    row = _asked(options, lambda reader: _configuration(reader, _run_meant(reader, options.run)))
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

    runs = (options.old, options.new)
    old, new = _asked(options, lambda reader: [_configuration(reader, _run_meant(reader, run)) for run in runs])
    changes = diff(old, new)
    _print(reports.as_json(reports.diff_object(changes)) if options.json else reports.diff_text(old, new, changes))
    return 1 if changes else 0


def _processed(options: argparse.Namespace) -> int:
    from outflow_core.in_force import in_force
    from outflow_core.processings import processings, successes
    from outflow_core.sources import find_settings
    from outflow_core.wanted_inputs import WantedValue
    from outflow_tui import reports

    settings = find_settings(options.source)
    current = in_force(settings) if settings else None
    wanted = WantedValue.of(options.value)
    rows = _asked(options, lambda reader: processings(reader, wanted, current, command=options.only))
    done = successes(row for row in rows if row.same_configuration or current is None)
    if options.json:
        _print(reports.as_json(reports.processed_object(rows, done)))
    elif rows:
        _print(reports.processed_text(rows, done, datetime.now()))
    else:
        _print(reports.not_given(options.value, options.only))
    return 0 if done else 1


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
    "processed": _processed,
}

if __name__ == "__main__":
    sys.exit(main())
