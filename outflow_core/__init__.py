"""Bookkeeping for data pipelines: runs, tasks, states, exceptions and configurations.

The public names are resolved when they are first used, so that importing this package costs
neither SQLAlchemy nor a YAML parser (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outflow_core.binds import Model as Model
    from outflow_core.contexts import context as context
    from outflow_core.decorators import task as task
    from outflow_core.decorators import workflow as workflow
    from outflow_core.errors import OutflowError as OutflowError
    from outflow_core.processings import processed as processed
    from outflow_core.recorder import join_run as join_run
    from outflow_core.recorder import record_run as record_run
    from outflow_core.settings import load_settings as load_settings
    from outflow_core.states import State as State

__version__ = "0.1.0"

_HOMES = {
    "Model": "outflow_core.binds",
    "OutflowError": "outflow_core.errors",
    "State": "outflow_core.states",
    "context": "outflow_core.contexts",
    "load_settings": "outflow_core.settings",
    "join_run": "outflow_core.recorder",
    "processed": "outflow_core.processings",
    "record_run": "outflow_core.recorder",
    "task": "outflow_core.decorators",
    "workflow": "outflow_core.decorators",
}
__all__ = [
    "Model",
    "OutflowError",
    "State",
    "context",
    "join_run",
    "load_settings",
    "processed",
    "record_run",
    "task",
    "workflow",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'outflow_core' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
