"""`outflow-tui watch`: a line for each change, until somebody ends it or nobody reads it any more."""

from __future__ import annotations

import argparse
import io
import select
import signal
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NoReturn

from outflow_core.answers import tell_text
from outflow_core.errors import SourceError
from outflow_core.reader import Reader
from outflow_tui import text
from outflow_tui.cli.books import open_reader
from outflow_tui.cli.happenings import Happening, Happenings
from outflow_tui.cli.patience import Patience
from outflow_tui.cli.printing import warn
from outflow_tui.reports.objects import json_line


def answer(options: argparse.Namespace) -> int:
    """Tell what happens until it is ended."""
    signal.signal(signal.SIGTERM, _end)
    reader = open_reader(options)
    try:
        _watch(reader, options)
    except KeyboardInterrupt:
        pass
    finally:
        reader.close()
    return 0


def _end(received: int, _: object) -> NoReturn:
    sys.exit(0)


def _watch(reader: Reader, options: argparse.Namespace) -> None:
    happenings = Happenings(reader, options.only)
    happenings.look()
    if sys.stderr.isatty():
        warn(f"watching {reader.name}, {happenings.running} running; Ctrl-C ends it.")
    patience = Patience(
        options.every,
        lambda error: _tell([_away(error)], options.json),
        lambda: _tell([Happening("back", f"{reader.name} can be read again")], options.json),
    )
    while not _is_closed_after(patience.seconds):
        _tell(patience.look(happenings.look) or (), options.json)


def _away(error: SourceError) -> Happening:
    return Happening("away", str(error), more={"reason": str(error)})


def _tell(found: Iterable[Happening], as_json: bool) -> None:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    for happening in found:
        tell_text(json_line(_object(happening, now)) if as_json else _line(happening, now))


def _line(happening: Happening, now: str) -> str:
    run = f"run {happening.run.id} {happening.run.command or ''} " if happening.run else ""
    return text.clean(f"{now} {run}{happening.said}")


def _object(happening: Happening, now: str) -> dict[str, Any]:
    row = happening.run
    run = {"id": row.id, "uuid": row.uuid, "command": row.command, "state": row.state.value} if row else None
    return {"time": now, "event": happening.event, "run": run, **happening.more}


def _is_closed_after(seconds: float) -> bool:
    """Wait, but no longer than somebody reads what is printed; whether nobody does any more."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
    except (io.UnsupportedOperation, ValueError):
        time.sleep(seconds)
        return False
    return bool(poll.poll(seconds * 1000))
