"""Given hooks that have something to be told, when senders are woken, then once for each, whatever else happens."""

import json

import pytest
from redis import Redis
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from embedded.valkey import ValkeyServer
from queues.connection import connect
from queues.jobs import DELIVER, ExchangeJob, webhook_job, webhook_queue
from queues.names import webhook_flag
from queues.permissions import OPERATOR
from queues.webhook_wakeups import WebhookWakeups
from settings import sections

WORKER = "rq:worker:webhooks-1"
QUEUE = "rq:queue:webhooks"


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def wakeups(redis):
    return WebhookWakeups(redis)


def taken(wakeups):
    return wakeups.wait(0.01, WORKER)


def test_each_broker_waits_once(redis, wakeups):
    assert wakeups.wake([3, 1, 3])
    assert wakeups.wake([1, 2])
    assert redis.llen(QUEUE) == 3
    assert taken(wakeups) == [1, 3, 2]
    assert taken(wakeups) == []
    assert redis.keys("rq:job:*") == redis.keys(webhook_flag("*")) == []
    assert redis.hget(WORKER, "successful_job_count") == b"3"
    assert wakeups.wake([1])
    assert taken(wakeups) == [1]


def test_operators_see_ordinary_jobs(redis, wakeups):
    wakeups.wake([7])
    (job,) = webhook_queue(redis).get_jobs()
    assert json.loads(job.data) == [DELIVER, None, [7], {}]
    assert (job.get_status(), job.origin, job.description) == (JobStatus.QUEUED, "webhooks", "deliver to broker 7")
    assert ExchangeJob.fetch(job.id, connection=redis, serializer=JSONSerializer).args == [7] or job.args == (7,)
    assert b"rq:queue:webhooks" in redis.smembers("rq:queues")


def test_junk_in_the_queue_is_taken_away(redis, wakeups):
    redis.rpush(QUEUE, "junk", "webhooks-x", b"\xff", "webhooks-12")
    webhook_queue(redis).enqueue_many([webhook_job(5)])
    assert taken(wakeups) == [12]
    assert redis.llen(QUEUE) == 0
    redis.set(QUEUE, "junk")
    assert wakeups.wake([4])
    assert taken(wakeups) == [4]


def test_a_lost_flag_or_job_costs_no_more_than_a_look(redis, wakeups):
    wakeups.wake([1])
    redis.delete(webhook_flag(1))
    wakeups.wake([1])
    assert taken(wakeups) == [1, 1]
    wakeups.wake([1])
    redis.delete(QUEUE)
    wakeups.clear(1)
    wakeups.wake([1])
    assert taken(wakeups) == [1]


def test_without_redis_nobody_waits():
    away = WebhookWakeups(connect(sections.Redis(url="redis://127.0.0.1:1/0")))
    assert not away.wake([1])
    away.clear(1)


@pytest.mark.parametrize("waker", ["web", "match"])
def test_whoever_wakes_and_whoever_sends_has_the_rights_for_it(valkey_server: ValkeyServer, redis, waker):
    clients = {name: connect(sections.Redis(url=valkey_server.url_of(name))) for name in (OPERATOR, waker, "webhooks")}
    clients[OPERATOR].set(QUEUE, "junk")
    assert WebhookWakeups(clients[waker]).wake(range(1, 2_500))
    sender = WebhookWakeups(clients["webhooks"])
    found = [broker for _ in range(4) for broker in taken(sender)]
    assert found == list(range(1, 2_500))
    assert not sender.suspended()
    sender.clear(1)
    for client in clients.values():
        client.close()
