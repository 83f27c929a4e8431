"""Jobs that cannot run just anything.

RQ pickles by default, so whoever can write to Redis runs code; and even with JSON a job may name any function. Ours
are JSON and run only what is listed here; `rq worker` does the same when it is told to use this class and serializer:
`rq worker --job-class queues.jobs.ExchangeJob --serializer rq.serializers.JSONSerializer match.PETR4`.
"""

import struct
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from queues.names import CLEARING_QUEUE, WEBHOOK_QUEUE, match_queue

MATCH = "workers.jobs.match_symbol"
DELIVER = "workers.jobs.deliver_webhooks"
JUDGE = "workers.jobs.judge_trades"
ALLOWED = frozenset({MATCH, DELIVER, JUDGE})
"""Every function that a job of this exchange may name."""

FAILURE_TTL = 86_400
"""Seconds that a failed wake-up is kept for operators to see; the sweep has long repeated it."""

ARRAY_16, STR_32 = 0xDC, 0xDB
"""MessagePack's marks of an array and of a string, followed by how many and how long (big-endian, 2 and 4 bytes)."""


class ForbiddenJob(Exception):
    """A job named a function that is not on the list; it was not run."""


class ExchangeJob(Job):
    """An RQ job that runs only what is allowed, and never a callback."""

    def restore(self, raw_data: Any) -> Any:
        """Read the job, forgetting callbacks: RQ would import whatever they name."""
        restored = super().restore(raw_data)
        self._success_callback_name = None
        self._failure_callback_name = None
        self._stopped_callback_name = None
        return restored

    def perform(self) -> Any:
        """Run the job. Raises ForbiddenJob."""
        if self.func_name not in ALLOWED:
            raise ForbiddenJob(f"{self.func_name} is not a job of this exchange")
        return super().perform()


class ExchangeQueue(Queue):
    """A queue of such jobs."""

    job_class = ExchangeJob


def queue_of(redis: Redis, symbol: str) -> ExchangeQueue:
    """The queue dedicated to one stock."""
    return ExchangeQueue(match_queue(symbol), connection=redis, serializer=JSONSerializer, job_class=ExchangeJob)


def match_job(symbol: str) -> Any:
    """The job that is enqueued to say "look at this stock"; it carries no order."""
    return Queue.prepare_data(
        MATCH, args=(symbol,), result_ttl=0, failure_ttl=FAILURE_TTL, description=f"match {symbol}", timeout=60
    )


def webhook_queue(redis: Redis) -> ExchangeQueue:
    """The queue of brokers whose receivers have something to be told."""
    return ExchangeQueue(WEBHOOK_QUEUE, connection=redis, serializer=JSONSerializer, job_class=ExchangeJob)


def webhook_job(broker_id: int) -> Any:
    """The job that is enqueued to say "look at this broker's hook"; it carries no delivery."""
    return Queue.prepare_data(
        DELIVER,
        args=(broker_id,),
        result_ttl=0,
        failure_ttl=FAILURE_TTL,
        description=f"deliver to broker {broker_id}",
        timeout=60,
    )


def clearing_queue(redis: Redis) -> ExchangeQueue:
    """The queue of whoever judges trades."""
    return ExchangeQueue(CLEARING_QUEUE, connection=redis, serializer=JSONSerializer, job_class=ExchangeJob)


def clearing_job() -> Any:
    """The job that is enqueued to say "look at the tapes"; it carries no trade."""
    return Queue.prepare_data(
        JUDGE, result_ttl=0, failure_ttl=FAILURE_TTL, description="judge the latest trades", timeout=60
    )


def packed_job(redis: Redis, wanted: Any, origin: str) -> bytes:
    """The hash of such a job for the queue `origin` as RQ writes it, but for its times, as a MessagePack array.

    RQ takes a quarter of a millisecond to make one, and two wake-ups of a stock differ by their id and times alone: so
    this is asked for once a stock.
    """
    job = ExchangeJob.create(
        wanted.func,
        wanted.args,
        connection=redis,
        result_ttl=wanted.result_ttl,
        failure_ttl=wanted.failure_ttl,
        status=JobStatus.QUEUED,
        description=wanted.description,
        timeout=wanted.timeout,
        origin=origin,
        serializer=JSONSerializer,
    )
    fields = {name: value for name, value in job.to_dict().items() if name not in {"created_at", "enqueued_at"}}
    encode: Any = redis.get_encoder().encode
    parts = [encode(part) for field in fields.items() for part in field]
    strings = [struct.pack(">BI", STR_32, len(part)) + part for part in parts]
    return struct.pack(">BH", ARRAY_16, len(strings)) + b"".join(strings)
