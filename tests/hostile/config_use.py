"""All that is done with a configuration before a database is opened: what hostile files are put through."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Literal

from outflow_core.config_diff import sign
from outflow_core.errors import ConfigError
from outflow_core.journal_places import journal_folders
from outflow_core.masking import masked_and_sealed
from outflow_core.settings import read_settings
from outflow_core.stored import configuration_hash, stored_config


@dataclass(frozen=True)
class Outcome:
    """What became of one file; "crashed" is what must never be."""

    came: Literal["read", "refused", "crashed"]
    words: str
    seconds: float


def use(path: Path) -> Outcome:
    """Read a configuration, and do with it what the recorder and the monitor do."""
    started = process_time()
    try:
        settings = read_settings(path)
        stored = stored_config(settings)
        configuration_hash(stored, {})
        masked_and_sealed(stored), sign(stored), journal_folders(settings), settings.migrations
        words, came = ", ".join(database.shown for database in settings.databases.values()), "read"
    except ConfigError as error:
        words, came = str(error), "refused"
    except BaseException as error:  # every other one is a fault of ours
        words, came = repr(error), "crashed"
    return Outcome(came, words, process_time() - started)  # type: ignore[arg-type]


def told(outcome: Outcome) -> None:
    """Print an outcome as a line of JSON."""
    sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
    sys.stdout.flush()
