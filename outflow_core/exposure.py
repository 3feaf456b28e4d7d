"""Who may read a file with passwords: warns of a configuration file that others may read, once for each process.

The warning goes to the logger `outflow_core`: to the pipeline's own log, or to standard error where
nobody set up logging. What comes from the environment stands in no file and is none of its business.
"""

from __future__ import annotations

import logging
import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from outflow_core.database_entries import literal_logins
from outflow_core.databases import Database
from outflow_core.errors import ConfigError
from outflow_core.printable import printable
from outflow_core.variables import comes_from_environment

_READ_BY_OTHERS: Final = stat.S_IRGRP | stat.S_IROTH
_log = logging.getLogger("outflow_core")
_warned: set[Path] = set()


def warn_of_exposed(files: Iterable[Path], section: Any) -> None:
    """Warn of those of a configuration's files that others may read and that hold a password of its `databases`."""
    logins = {
        text: place for place, text in literal_logins(section) if not comes_from_environment(text.partition(":")[2])
    }
    for file in files if logins else ():
        mode = _mode(file)
        if mode & _READ_BY_OTHERS and file.absolute() not in _warned and (place := _first_in(file, logins)):
            _warned.add(file.absolute())
            _log.warning("%s", printable(_words(file, place, mode)))


def passed_over(database: Database) -> Path | None:
    """The password file that libpq does not use, since others have rights on it; it would say so on the screen."""
    if database.path is not None or (database.login and database.login.password):
        return None
    named = dict(database.options).get("passfile") or os.environ.get("PGPASSFILE") or "~/.pgpass"
    try:
        file = Path(named).expanduser()
    except RuntimeError:  # nobody's home
        return None
    return file if _mode(file) & (stat.S_IRWXG | stat.S_IRWXO) else None


def _words(file: Path, place: str, mode: int) -> str:
    return (
        f"{file}: holds the password of {place}, and others may read the file (mode {mode:03o}); run 'chmod 600 "
        f"{shlex.quote(str(file))}', or write ${{NAME}} for the password, or leave it to ~/.pgpass."
    )


def _mode(file: Path) -> int:
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except OSError:  # gone since it was read
        return 0


def _first_in(file: Path, logins: dict[str, str]) -> str | None:
    """The place of the first login that stands in this file itself, not in one that it includes."""
    if file.suffix.lower() in (".json", ".toml"):  # these include nothing: whatever they say stands in them
        return next(iter(logins.values()))
    from outflow_core.yaml_include import read_text, texts_in  # the reader of a SQLite file needs no YAML

    try:
        return next((logins[text] for text in texts_in(read_text(file)) if text in logins), None)
    except ConfigError:
        return None
