"""Given tapes with something to judge, when whoever judges is woken, then by one job, whatever else happens."""

import pytest
from redis import Redis

from embedded.valkey import ValkeyServer
from queues.clearing_wakeups import ALL, ClearingWakeups
from queues.connection import connect
from queues.jobs import JUDGE, ExchangeJob, clearing_queue
from queues.permissions import OPERATOR
from settings import sections

WORKER = "rq:worker:clearing-1"


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


def test_one_job_waits_however_often_somebody_wakes(redis):
    wakeups = ClearingWakeups(redis)
    assert wakeups.wake_all()
    assert wakeups.wake_all()
    (job_id,) = clearing_queue(redis).job_ids
    job = ExchangeJob.fetch(job_id, connection=redis, serializer=clearing_queue(redis).serializer)
    assert (job.func_name, job.origin, job.description) == (JUDGE, "clearing", "judge the latest trades")
    assert wakeups.wait(0.01, WORKER) == [ALL]
    assert wakeups.wait(0.01, WORKER) == []
    assert wakeups.wake_all()
    assert wakeups.wait(0.01, WORKER) == [ALL]


def test_the_clock_wakes_and_clearing_takes_and_wakes_stocks(valkey_server: ValkeyServer, redis):
    names = (OPERATOR, "clock", "clearing")
    clients = {name: connect(sections.Redis(url=valkey_server.url_of(name))) for name in names}
    clients[OPERATOR].set("rq:queue:clearing", "junk")
    assert ClearingWakeups(clients["clock"]).wake_all()
    worker = ClearingWakeups(clients["clearing"])
    assert worker.wait(0.01, WORKER) == [ALL]
    assert not worker.suspended()
    worker.clear(ALL)
    for client in clients.values():
        client.close()


def test_without_redis_nobody_waits():
    assert not ClearingWakeups(connect(sections.Redis(url="redis://127.0.0.1:1/0"))).wake_all()
