"""Given a server process of PostgreSQL that is stopped, then who waits for it gives up, and goes on with another."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from database.autocommit import autocommitting, committing
from database.errors import is_passing
from database.pipeline import pipeline
from database.session import connect, transaction
from database.timed import Unanswered, answer_within, timed
from settings.loading import ROOT

SECONDS = 0.5

GREEN = """
from gevent import monkey
monkey.patch_all()
import os, signal, sys
import gevent
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from database.autocommit import autocommitting, committing
from database.green import green
from database.session import connect
from database.timed import Unanswered

engine = green(committing(sys.argv[1]), 0.5)
with autocommitting(engine) as session:
    pid = session.scalar(text("SELECT pg_backend_pid()"))
    os.kill(pid, signal.SIGSTOP)
    went_on = gevent.spawn(gevent.sleep, 0.1)
    try:
        session.scalar(text("SELECT 1"))
    except OperationalError as error:
        print(isinstance(error.orig, Unanswered) and error.connection_invalidated and went_on.dead)
    finally:
        os.kill(pid, signal.SIGCONT)
with autocommitting(engine) as session:
    print(session.scalar(text("SELECT 2")) == 2)
with autocommitting(engine) as session:
    session.scalar(text("SELECT 1 FROM pg_sleep(0.3)"))
    print(session.scalar(text("SELECT 3 FROM pg_sleep(0.3)")) == 3)  # each answer has all of the time
    session._connection.driver_connection.answer_seconds = 1.5
    print(session.scalar(text("SELECT 4 FROM pg_sleep(0.8)")) == 4)
with autocommitting(engine) as session:
    session._engine, other = engine, gevent.Timeout.start_new(0.2)
    try:
        session.scalar(text("SELECT 1 FROM pg_sleep(0.4)"))
    except gevent.Timeout as over:
        print(over is other)
"""


@pytest.fixture
def impatient(database_url: str) -> Iterator[Engine]:
    engine = timed(connect(database_url, pool_size=1), SECONDS)
    yield engine
    engine.dispose()


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """That server process stands still during the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_session_gives_up_and_the_next_one_works(impatient: Engine) -> None:
    with (
        pytest.raises(OperationalError) as lost,
        transaction(impatient) as session,
        stopped(session.scalar(text("SELECT pg_backend_pid()"))),
    ):
        session.execute(text("SELECT 1"))
    assert isinstance(lost.value.orig, Unanswered)
    assert lost.value.connection_invalidated
    assert is_passing(lost.value)
    with transaction(impatient) as session:
        assert session.scalar(text("SELECT 2")) == 2


def test_a_pipeline_gives_up(impatient: Engine) -> None:
    with (
        pytest.raises(OperationalError) as lost,
        transaction(impatient) as session,
        stopped(session.scalar(text("SELECT pg_backend_pid()"))),
        pipeline(session) as sent,
    ):
        sent.send("SELECT 1")
        sent.send("SELECT 2")
    assert lost.value.connection_invalidated
    with transaction(impatient) as session, pipeline(session) as sent:
        answer = sent.send("SELECT 3 AS three")
    assert [row.three for row in answer] == [3]


def test_a_statement_that_commits_itself_gives_up(database_url: str) -> None:
    engine = timed(committing(database_url, pool_size=1), SECONDS)
    with autocommitting(engine) as session:
        with stopped(session.scalar(text("SELECT pg_backend_pid()"))), pytest.raises(OperationalError) as lost:
            session.scalar(text("SELECT 1"))
        assert lost.value.connection_invalidated
        assert session.scalar(text("SELECT 2")) == 2
    engine.dispose()


def test_what_may_take_longer_is_given_longer(impatient: Engine) -> None:
    with transaction(impatient) as session:
        answer_within(session, 30)
        assert session.scalar(text("SELECT 1 FROM pg_sleep(1)")) == 1


def test_in_a_patched_process_others_go_on_meanwhile(database_url: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", GREEN, database_url], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == ["True"] * 5, ran.stdout + ran.stderr


def test_the_server_process_that_was_given_up_did_nothing_or_all(impatient: Engine) -> None:
    """It wakes, finds nobody there, and rolls back what was not committed."""
    with pytest.raises(OperationalError), transaction(impatient) as session:
        session.execute(text("CREATE TABLE half_done (n int)"))
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        with stopped(pid):
            session.execute(text("INSERT INTO half_done VALUES (1)"))
    gone = threading.Event()
    while psutil.pid_exists(pid) and not gone.wait(0.01):
        continue
    with transaction(impatient) as session:
        assert session.scalar(text("SELECT to_regclass('half_done')")) is None
