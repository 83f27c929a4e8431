"""What is stored and read over connections that all requests share, in a process that gevent has patched."""

from __future__ import annotations

import subprocess
import sys

import pytest

from settings.loading import ROOT

PREPARED = """
from gevent import monkey
monkey.patch_all()
import sys
from dataclasses import replace

import gevent
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from api.http.problems import OutcomeUnknown
from api.runtime.database import Database, Lane
from database.errors import UncertainCommit
from settings.connections import SHARED_OF_WEB
from settings.sections import Settings

settings = Settings()
url = sys.argv[1]

def opened(url=url):
    return Database(replace(settings, database=replace(settings.database, url=url, statement_timeout_ms=1_000)))

database = opened()
CUT = text("SELECT pg_terminate_backend(pg_backend_pid())")
PID = text("SELECT pg_backend_pid()")
SLEEP = text("SELECT 1 FROM pg_sleep(:seconds)")

def scalar(opened, statement, **values):
    with opened() as session:
        return session.scalar(statement, values)

def stored(lane, statement, **values):
    return database.run_autocommitted(lane, lambda session: session.scalar(statement, values))
"""

STORIES = {
    "what is lost while it is stored may have been stored": """
try:
    stored(Lane.ORDERS, CUT)
except OutcomeUnknown:
    print(stored(Lane.ORDERS, text("SELECT 1")) == 1)
""",
    "what never left was not stored": """
database = opened(url.replace(url.rpartition("/")[2], "nowhere"))
try:
    stored(Lane.ORDERS, text("SELECT 1"))
except OperationalError as error:
    print(not error.connection_invalidated)
""",
    "what is lost while it is read can be asked for again": """
try:
    scalar(database.reading_few, CUT)
except OperationalError as error:
    print(error.connection_invalidated and scalar(database.reading_few, text("SELECT 1")) == 1)
""",
    "orders, cancels, reads and looks do not wait for each other": """
pids = {stored(Lane.ORDERS, PID), stored(Lane.CANCELS, PID), scalar(database.looking, PID),
    scalar(database.reading_few, PID), scalar(database.reading, PID)}
print(len(database._links) == SHARED_OF_WEB)
print(len(pids) == 5 and stored(Lane.ORDERS, PID) in pids and scalar(database.looking, PID) in pids)
done = []
waiting = gevent.spawn(lambda: (stored(Lane.ORDERS, SLEEP, seconds=0.5), done.append("slow")))
gevent.sleep(0.1)
stored(Lane.CANCELS, PID), scalar(database.looking, PID), scalar(database.reading_few, PID), done.append("quick")
waiting.join()
print(done == ["quick", "slow"])
""",
    "what takes too long is ended, and those behind it get their answers": """
slow = gevent.spawn(stored, Lane.ORDERS, SLEEP, seconds=5)
gevent.sleep(0.1)
behind = gevent.spawn(stored, Lane.ORDERS, text("SELECT 2"))
gevent.joinall([slow, behind])
print(slow.exception.orig.sqlstate == "57014" and behind.value == 2)
""",
    "a warning at the commit leaves open whether it lasts": """
try:
    stored(Lane.ORDERS, text("DO $$ BEGIN RAISE WARNING 'it may not last'; END $$"))
except OutcomeUnknown as error:
    print(isinstance(error.__cause__, UncertainCommit))
""",
    "all its connections are as the pool's: UTC, a limit for statements, its name": """
ask = text("SELECT concat_ws(' ', current_setting('timezone'), current_setting('statement_timeout'), "
    "current_setting('application_name'))")
print(scalar(database.reading_few, ask) == scalar(database.reading, ask) == "UTC 1s minex-web")
print(stored(Lane.ORDERS, ask) == scalar(database.looking, ask) == "UTC 1s minex-intake")
""",
    "none is left open": """
pids = [stored(Lane.ORDERS, PID), stored(Lane.CANCELS, PID), scalar(database.looking, PID),
    scalar(database.reading_few, PID), scalar(database.reading, PID)]
database.close()
gevent.sleep(0.2)
left = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)")
print(scalar(opened().reading, left, pids=pids) == 0)
""",
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_in_a_patched_process(database_url: str, story: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PREPARED + story, database_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stdout.split() == ["True"] * story.count("print("), ran.stdout + ran.stderr
