"""Wake whoever sends to brokers' receivers: a job on RQ's queue `webhooks` that says no more than "look at this hook".

At most one waits for each broker. A lost one costs delay: senders look into PostgreSQL by themselves, too.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from redis import Redis, RedisError
from rq.utils import utcformat

from queues import names
from queues.direct import DirectScript, Part, direct, packed
from queues.jobs import ExchangeJob, ExchangeQueue, packed_job, webhook_job
from queues.scripts import WAKE_HOOKS
from queues.wakeups import FLAG_SECONDS, SUSPENDED

log = logging.getLogger(__name__)

QUEUE: Final = ExchangeQueue.redis_queue_namespace_prefix + names.WEBHOOK_QUEUE
JOB: Final = ExchangeJob.redis_job_namespace_prefix + names.WEBHOOK_JOB

MOST_TOGETHER: Final = 1_000
"""Brokers woken, and jobs taken, in one round trip."""


class WebhookWakeups:
    """The waiting jobs, seen from those who wake and from the senders."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._direct = direct(redis)
        self._wake = DirectScript(self._direct, WAKE_HOOKS)
        self._packed: dict[int, bytes] = {}

    def wake(self, broker_ids: Collection[int]) -> bool:
        """Wake a sender for these brokers' hooks. False when Redis is away: that is logged, and senders look."""
        wanted = sorted(set(broker_ids))
        try:
            for begin in range(0, len(wanted), MOST_TOGETHER):
                self._wake_some(wanted[begin : begin + MOST_TOGETHER])
        except RedisError as error:
            log.warning("Redis is away, %d hooks wait for a sender to look: %s", len(wanted), error)
            return False
        return True

    def _wake_some(self, broker_ids: Sequence[int]) -> None:
        keys: list[Part] = [ExchangeQueue.redis_queues_keys, QUEUE]
        values: list[Part] = [FLAG_SECONDS, utcformat(datetime.now(UTC))]
        for broker_id in broker_ids:
            fields = self._packed.get(broker_id)
            if fields is None:
                fields = packed_job(self.redis, webhook_job(broker_id), names.WEBHOOK_QUEUE)
                self._packed[broker_id] = fields
            keys += (names.webhook_flag(broker_id), f"{JOB}{broker_id}")
            values += (f"{names.WEBHOOK_JOB}{broker_id}", fields)
        self._wake(keys, values)

    def wait(self, seconds: float, worker: str) -> list[int]:
        """The brokers that have a job, which is taken and counted as done by `worker` (RQ's key of it).

        As soon as there is one, at the latest after `seconds`. Raises RedisError.
        """
        (first,) = self._direct.ask(packed("BLPOP", QUEUE, seconds))
        if first is None:
            return []
        (more,) = self._direct.ask(packed("LPOP", QUEUE, MOST_TOGETHER))
        ids = [text.decode("ascii", "replace") for text in (first[1], *(more or ()))]
        numbers = [text.removeprefix(names.WEBHOOK_JOB) for text in ids]
        brokers = [
            int(number) for number, text in zip(numbers, ids, strict=True) if number.isdecimal() and number != text
        ]
        keys: list[Part] = [ExchangeJob.redis_job_namespace_prefix + text for text in ids]
        keys += [names.webhook_flag(broker_id) for broker_id in brokers]
        self._direct.ask(packed("DEL", *keys), packed("HINCRBY", worker, "successful_job_count", len(ids)))
        return brokers

    def clear(self, broker_id: int) -> None:
        """Clear the flag of one broker, for a worker that got its job from RQ itself. Logs when Redis is away."""
        try:
            self.redis.delete(names.webhook_flag(broker_id))
        except RedisError as error:
            log.warning("Redis is away, the flag of hook %d stays: %s", broker_id, error)

    def suspended(self) -> bool:
        """True if operators have suspended all workers. Raises RedisError."""
        return bool(self.redis.type(SUSPENDED) == b"string")
