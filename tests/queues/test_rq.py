"""What our script writes is what RQ itself would have written: its tools read, count and run it."""

import uuid

import pytest
from click.testing import CliRunner
from redis import Redis
from rq import Queue, SimpleWorker
from rq.cli import main as rq
from rq.job import JobStatus
from rq.serializers import JSONSerializer
from rq.utils import utcparse

from queues.jobs import MATCH, ExchangeJob, ExchangeQueue, match_job, queue_of
from queues.wakeups import Wakeups


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
        Wakeups(redis).wake([("PETR4", "A"), ("VALE3", "A")])
        yield redis


def test_the_keys_and_fields_are_those_that_rq_writes(redis, redis_url):
    ours = everything(redis, "PETR4")
    redis.flushall()
    (job,) = queue_of(redis, "PETR4").enqueue_many([match_job("PETR4")])
    theirs = everything(redis, "PETR4")
    assert ours[0].keys() == theirs[0].keys()
    for name, value in theirs[0].items():
        if name in {b"created_at", b"enqueued_at"}:
            assert abs((utcparse(ours[0][name].decode()) - utcparse(value.decode())).total_seconds()) < 30
        else:
            assert ours[0][name] == value, name
    assert ours[1:] == theirs[1:]
    assert len(str(uuid.UUID(job.id))) == 36


def everything(redis, symbol):
    """The hash of the stock's only job, and what else RQ keeps of it."""
    (job_id,) = redis.lrange(f"rq:queue:match.{symbol}", 0, -1)
    assert str(uuid.UUID(job_id.decode())) == job_id.decode()
    key = b"rq:job:" + job_id
    return redis.hgetall(key), redis.ttl(key), f"rq:queue:match.{symbol}".encode() in redis.smembers("rq:queues")


def test_rq_reads_the_job_and_lists_its_queue(redis):
    queues = {queue.name: queue for queue in Queue.all(connection=redis, serializer=JSONSerializer)}
    assert queues.keys() == {"match.PETR4", "match.VALE3"}
    (job_id,) = queues["match.PETR4"].job_ids
    job = ExchangeJob.fetch(job_id, connection=redis, serializer=JSONSerializer)
    assert (job.func_name, job.args, job.kwargs) == (MATCH, ["PETR4"], {})
    assert (job.origin, job.timeout, job.result_ttl, job.get_status()) == ("match.PETR4", 60, 0, JobStatus.QUEUED)


def test_rq_info_counts_it(redis, redis_url):
    shown = CliRunner().invoke(rq, ["info", "--url", redis_url, "--raw"])
    assert shown.exit_code == 0
    assert "queue match.PETR4 1" in shown.output


def test_a_plain_rq_worker_runs_it_and_leaves_nothing(redis, monkeypatch):
    seen = []
    monkeypatch.setattr("workers.jobs.match_symbol", seen.append)
    queues = [ExchangeQueue(f"match.{one}", connection=redis, serializer=JSONSerializer) for one in ("PETR4", "VALE3")]
    worker = SimpleWorker(queues, connection=redis, job_class=ExchangeJob, serializer=JSONSerializer)
    assert worker.work(burst=True)
    assert seen == ["PETR4", "VALE3"]
    assert redis.keys("rq:job:*") == []
