"""Greenlets that gunicorn ends when a worker stops, amid a commit or waiting for one: nothing is stored twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from settings.loading import ROOT

STORY = """
from gevent import monkey

monkey.patch_all()

import json, random, sys

import gevent
from sqlalchemy import text

from api.http.problems import OutcomeUnknown
from api.intake.group_commit import GroupCommit
from api.intake.intake import meaning_of
from api.runtime.database import Database, Lane
from dataclasses import replace
from settings.sections import Settings

url, kills = sys.argv[1], int(sys.argv[2])
settings = Settings()
database = Database(replace(settings, database=replace(settings.database, url=url)))
chance = random.Random(7)
STORE = text("INSERT INTO wishes SELECT unnest(CAST(:wishes AS bigint[])) FROM pg_sleep(:seconds)")


def store(wishes):
    values = {"wishes": list(wishes), "seconds": chance.choice((0, 0.0005, 0.004))}
    database.run_autocommitted(Lane.ORDERS, lambda session: session.execute(STORE, values))
    return list(wishes)


commit = GroupCommit(store, meaning_of)
told, answers = {}, []


def ask(wish):
    try:
        told[wish] = commit.submit(wish) == wish
    except OutcomeUnknown:
        told[wish] = None
    except gevent.GreenletExit:
        told[wish] = "ended"
        raise


wish = ended = 0
greenlets = []
while ended < kills:
    for _ in range(chance.randrange(1, 4)):
        wish += 1
        greenlets.append(gevent.spawn(ask, wish))
    gevent.sleep(chance.choice((0, 0.001, 0.002, 0.005)))
    greenlets = [greenlet for greenlet in greenlets if not greenlet.dead]
    if greenlets and chance.random() < 0.5:
        # Mostly whoever leads, and his heir: they are the oldest.
        victim = greenlets[0] if chance.random() < 0.5 else chance.choice(greenlets)
        victim.kill(block=False)
        ended += 1
with gevent.Timeout(20, False):
    gevent.joinall(greenlets)
stuck = sum(not greenlet.dead for greenlet in greenlets)
with gevent.Timeout(5, False):
    told["last"] = gevent.spawn(commit.submit, 0).get() == 0
gevent.sleep(0.1)
with database.reading() as session:
    stored = [row[0] for row in session.execute(text("SELECT wish FROM wishes ORDER BY wish"))]
print(json.dumps({"asked": wish, "told": told, "stored": stored, "stuck": stuck}))
"""


@pytest.fixture(scope="module")
def outcome(database_url, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE wishes (wish bigint)")
    command = [sys.executable, "-c", STORY, database_url, "500"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_is_stored_twice(outcome):
    assert len(outcome["stored"]) == len(set(outcome["stored"]))


def test_what_was_acknowledged_is_stored(outcome):
    acknowledged = {int(wish) for wish, told in outcome["told"].items() if told is True and wish != "last"}
    assert len(acknowledged) > 100
    assert acknowledged <= set(outcome["stored"])


def test_those_who_shared_a_group_with_one_that_was_ended_are_told_that_it_is_unknown(outcome):
    told = list(outcome["told"].values())
    assert told.count("ended") > 100
    assert told.count(None) > 0


def test_nobody_waits_for_ever(outcome):
    assert outcome["stuck"] == 0
    assert outcome["told"]["last"] is True
