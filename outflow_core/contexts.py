"""`context`: a pipeline's one open door to its databases and its configuration."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outflow_core.engines import Engines, Role
from outflow_core.session import RoutedSession
from outflow_core.settings import Database, Settings, load_settings

if TYPE_CHECKING:
    from outflow_core.records import RunRecord, Scope

active_scope: ContextVar[Scope | None] = ContextVar("active_scope", default=None)
"""The innermost run, workflow or item of a map that is being recorded here."""


def _place(role: Role) -> str:
    return f"{role}_{os.getpid()}"


class Context:
    """The configuration in force, and a session for each thread and role; all made when first needed."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._engines: Engines | None = None
        self._sessions = threading.local()

    def open(self, config: str | Path | Settings | None = None) -> Settings:
        """Take a configuration file (or Settings) as the one in force; without one it is looked for."""
        settings = config if isinstance(config, Settings) else load_settings(config)
        with self._lock:
            self.close()
            self._engines = Engines(settings)
        return settings

    @property
    def engines(self) -> Engines:
        """The engines of the configuration in force."""
        with self._lock:
            if self._engines is None:
                self.open()
            assert self._engines is not None
            return self._engines

    @property
    def settings(self) -> Settings:
        """The configuration in force, with its databases."""
        return self.engines.settings

    @property
    def configuration(self) -> Mapping[str, Any]:
        """What the configuration file says, as the pipeline wrote it."""
        return self.settings.content

    @property
    def session(self) -> RoutedSession:
        """This thread's session with the user role's rights."""
        return self._session("user")

    @property
    def admin_session(self) -> RoutedSession:
        """This thread's session with the admin role's rights; BindError on first use when there is no such role."""
        return self._session("admin")

    @property
    def run(self) -> RunRecord | None:
        """The run that is being recorded here, if any."""
        scope = active_scope.get()
        return scope.run if scope is not None else None

    def _session(self, role: Role) -> RoutedSession:
        place = _place(role)
        made: tuple[Engines, RoutedSession] | None = getattr(self._sessions, place, None)
        engines = self.engines
        if made is None or made[0] is not engines:
            made = (engines, RoutedSession(engines, role))
            setattr(self._sessions, place, made)
        return made[1]

    def holds(self, database: Database) -> bool:
        """Whether a session of this thread has written into a SQLite file and not committed: others must wait."""
        if database.path is None or self._engines is None:
            return False
        sessions = [session for _, session in vars(self._sessions).values()]
        return any(session.holds(database) for session in sessions)

    def close(self) -> None:
        """Close this thread's sessions and every connection; the next use opens anew."""
        with self._lock:
            for place, (_, session) in vars(self._sessions).items():
                if place == _place(session.role):  # to close a parent's would end the parent's transaction
                    session.close()
            self._sessions = threading.local()
            if self._engines is not None:
                self._engines.dispose()
            self._engines = None


context = Context()
