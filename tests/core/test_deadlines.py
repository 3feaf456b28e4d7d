"""How long a server that says nothing is waited for, and by whom."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from outflow_core import engines
from outflow_core.deadlines import NoAnswerError, PromptConnection, answered_within
from outflow_core.engines import Engines
from outflow_core.settings import Settings
from tests.core.books import configure

SLEEP = "SELECT pg_sleep({})"


@pytest.fixture
def settings(postgres_database: dict[str, str], tmp_path: Path) -> Settings:
    return configure(tmp_path, {"default": postgres_database})


def connected(settings: Settings, seconds: float) -> PromptConnection:
    """A connection to the database that waits so long."""
    database = settings.database()
    assert database.user is not None
    place = f"host={database.host} dbname={database.database} user={database.user.name}"
    return psycopg2.connect(place, password=database.user.password, connection_factory=answered_within(seconds))


def standing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "deadlines"]


def test_what_is_not_answered_in_time_is_given_up_with_its_connection(settings: Settings) -> None:
    connection = connected(settings, 0.2)
    with connection.cursor() as cursor, pytest.raises(NoAnswerError, match="no answer for 0.2 s"):
        cursor.execute(SLEEP.format(30))
    assert connection.closed
    connection.close()


def test_what_the_server_refuses_itself_is_told_in_its_words(settings: Settings) -> None:
    connection = connected(settings, 20)
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.UndefinedTable, match="nowhere"):
        cursor.execute("SELECT * FROM nowhere")
    connection.close()


def test_the_time_begins_anew_with_each_statement(settings: Settings) -> None:
    connection = connected(settings, 0.6)
    with connection.cursor() as cursor:
        for _ in range(4):
            cursor.execute(SLEEP.format(0.2))
    connection.commit()
    connection.close()


def test_nobody_stands_watch_when_the_last_connection_is_closed(settings: Settings) -> None:
    connection = connected(settings, 60)
    connection.cursor().execute("SELECT 1")
    watchmen = standing()
    connection.close()
    for thread in watchmen:
        thread.join(5)
    assert watchmen and not standing()


def test_a_child_that_is_forked_off_has_a_watchman_of_its_own(settings: Settings) -> None:
    parent = connected(settings, 60)
    parent.cursor().execute("SELECT 1")
    child = os.fork()
    if child == 0:
        try:
            own = connected(settings, 0.2)
            own.cursor().execute(SLEEP.format(30))
        except NoAnswerError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    parent.cursor().execute("SELECT 1")
    parent.close()


@pytest.mark.parametrize("is_recorder", [True, False])
def test_a_pipelines_own_statements_may_take_as_long_as_they_like(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_recorder: bool
) -> None:
    monkeypatch.setattr(engines, "ANSWER_SECONDS", 0.2)
    made = Engines(settings, is_recorder=is_recorder)
    with made.engine("default").connect() as connection:
        if is_recorder:
            with pytest.raises(OperationalError, match="no answer"):
                connection.execute(text(SLEEP.format(0.5)))
        else:
            connection.execute(text(SLEEP.format(0.5)))
    made.dispose()
