"""Whoever can write to Redis must not be able to run code on our workers."""

import json

import fakeredis
import pytest
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from queues.jobs import MATCH, ExchangeJob, ForbiddenJob, match_job, queue_of


@pytest.fixture
def redis():
    return fakeredis.FakeRedis()


def stored(redis, function, **hash_fields):
    """A job as somebody with access to Redis would write it."""
    job = ExchangeJob.create(
        function, args=("true",), connection=redis, serializer=JSONSerializer, status=JobStatus.QUEUED
    )
    job.save()
    if hash_fields:
        redis.hset(job.key, mapping=hash_fields)
    return ExchangeJob.fetch(job.id, connection=redis, serializer=JSONSerializer)


def test_a_job_that_names_another_function_is_not_run(redis):
    with pytest.raises(ForbiddenJob, match=r"os\.system"):
        stored(redis, "os.system").perform()


def test_a_callback_is_forgotten_before_it_could_be_imported(redis):
    job = stored(redis, MATCH, success_callback_name="os.system", failure_callback_name="os.system")
    assert job.success_callback is None
    assert job.failure_callback is None


def test_an_allowed_job_runs(redis, monkeypatch):
    seen = []
    monkeypatch.setattr("workers.jobs.match_symbol", seen.append)
    stored(redis, MATCH).perform()
    assert seen == ["true"]


def test_a_wakeup_is_json_that_carries_no_order(redis):
    (job,) = queue_of(redis, "PETR4").enqueue_many([match_job("PETR4")])
    assert json.loads(ExchangeJob.fetch(job.id, connection=redis, serializer=JSONSerializer).data) == [
        MATCH,
        None,
        ["PETR4"],
        {},
    ]
