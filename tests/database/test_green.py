"""Waiting for PostgreSQL in a process that gevent has patched: others go on meanwhile, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from settings.loading import ROOT

PREPARED = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from database.green import GreenConnection, green
from database.autocommit import autocommitting, committing
from database.session import connect

engine = green(committing(sys.argv[1], statement_timeout=2000), 3)

def ask(statement, **values):
    with autocommitting(engine) as session:
        return session.scalar(text(statement), values)
"""

STORIES = {
    "others go on while one waits": """
done = []
waiting = gevent.spawn(lambda: (ask("SELECT 1 FROM pg_sleep(1)"), done.append("slow")))
gevent.sleep(0.1)
ask("SELECT 2"), done.append("quick")
waiting.join()
print(done == ["quick", "slow"])
""",
    "more than the socket takes at once goes out and comes back": """
large = "x" * 30_000_000
print(ask("SELECT CAST(:large AS text)", large=large) == large)
""",
    "what PostgreSQL ends is raised": """
try:
    ask("SELECT 1 FROM pg_sleep(10)")
except OperationalError as error:
    print(error.orig.sqlstate == "57014" and ask("SELECT 3") == 3)
""",
    "a connection that breaks is raised and replaced": """
try:
    ask("SELECT pg_terminate_backend(pg_backend_pid())")
except OperationalError as error:
    print(error.connection_invalidated and ask("SELECT 4") == 4)
""",
    "it is this connection that waits": """
with autocommitting(engine) as session:
    session.scalar(text("SELECT 5"))
    driver = session._connection.driver_connection
    print(type(driver) is GreenConnection and sorted(driver._watchers) == [0, 1])  # a clock, and what is to be read
engine.dispose()
print(driver.closed and not hasattr(driver, "_watchers"))
""",
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_in_a_patched_process(database_url: str, story: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PREPARED + story, database_url], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == ["True"] * story.count("print("), ran.stdout + ran.stderr
