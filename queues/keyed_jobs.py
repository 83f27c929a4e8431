"""Jobs on one queue of RQ's that say no more than "look at this": of each thing, by its number, at most one waits.

A lost one costs delay: whoever takes them looks into PostgreSQL by himself, too.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from redis import Redis, RedisError
from rq.utils import utcformat

from queues.direct import DirectScript, Part, direct, packed
from queues.jobs import ExchangeJob, ExchangeQueue, packed_job
from queues.scripts import WAKE_KEYED
from queues.wakeups import FLAG_SECONDS, SUSPENDED

log = logging.getLogger(__name__)

MOST_TOGETHER: Final = 1_000
"""Things that are asked to be looked at, and jobs taken, in one round trip."""


class KeyedJobs:
    """The waiting jobs, seen from those who wake and from those who are woken."""

    def __init__(self, redis: Redis, queue: str, job: Callable[[int], Any], flag: Callable[[int], str]) -> None:
        """`queue` is RQ's; `job` makes the one of a thing, and `flag` names the key that says that it waits."""
        self.redis = redis
        self._queue, self._job, self._flag = queue, job, flag
        self._queue_key = ExchangeQueue.redis_queue_namespace_prefix + queue
        self._job_key = ExchangeJob.redis_job_namespace_prefix
        self._job_prefix = f"{queue}-"
        self._direct = direct(redis)
        self._wake = DirectScript(self._direct, WAKE_KEYED)
        self._packed: dict[int, bytes] = {}

    def wake(self, numbers: Collection[int]) -> bool:
        """Have these looked at. False when Redis is away: that is logged, and whoever works looks by himself."""
        wanted = sorted(set(numbers))
        try:
            for begin in range(0, len(wanted), MOST_TOGETHER):
                self._wake_some(wanted[begin : begin + MOST_TOGETHER])
        except RedisError as error:
            log.warning("Redis is away, %d of %s wait until somebody looks: %s", len(wanted), self._queue, error)
            return False
        return True

    def _wake_some(self, numbers: Sequence[int]) -> None:
        keys: list[Part] = [ExchangeQueue.redis_queues_keys, self._queue_key]
        values: list[Part] = [FLAG_SECONDS, utcformat(datetime.now(UTC))]
        for number in numbers:
            fields = self._packed.get(number)
            if fields is None:
                fields = self._packed[number] = packed_job(self.redis, self._job(number), self._queue)
            name = f"{self._job_prefix}{number}"
            keys += (self._flag(number), self._job_key + name)
            values += (name, fields)
        self._wake(keys, values)

    def wait(self, seconds: float, worker: str) -> list[int]:
        """The numbers of what has a job, which is taken and counted as done by `worker` (RQ's key of it).

        As soon as there is one, at the latest after `seconds`. Raises RedisError.
        """
        (first,) = self._direct.ask(packed("BLPOP", self._queue_key, seconds))
        if first is None:
            return []
        (more,) = self._direct.ask(packed("LPOP", self._queue_key, MOST_TOGETHER))
        ids = [text.decode("ascii", "replace") for text in (first[1], *(more or ()))]
        ours = [text.removeprefix(self._job_prefix) for text in ids if text.startswith(self._job_prefix)]
        numbers = [int(text) for text in ours if text.isdecimal()]
        keys: list[Part] = [self._job_key + text for text in ids]
        keys += [self._flag(number) for number in numbers]
        self._direct.ask(packed("DEL", *keys), packed("HINCRBY", worker, "successful_job_count", len(ids)))
        return numbers

    def clear(self, number: int) -> None:
        """Clear the flag of one, for a worker that got its job from RQ itself. Logs when Redis is away."""
        try:
            self.redis.delete(self._flag(number))
        except RedisError as error:
            log.warning("Redis is away, the flag of %s %d stays: %s", self._queue, number, error)

    def suspended(self) -> bool:
        """True if operators have suspended all workers. Raises RedisError."""
        return bool(self.redis.type(SUSPENDED) == b"string")
